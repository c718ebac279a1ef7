"""StackSpot AI as a LiteLLM provider. Imports flow downwards; nothing imports the handler.

entry       stackspot             what LiteLLM loads as the provider
            request_guard         what LiteLLM loads as a callback: puts guard/ in front of LiteLLM
            request_gate          its former name
            garbage               when the proxy collects garbage
handler     stackspot_handler     request in, answer or LiteLLM's error out
            answers, parameters   LiteLLM's shapes: answers and chunks, checked parameters
            blocking              synchronous callers
            meter, charging       what a call has used, and who pays for one that fails
            account               one StackSpot account: its two upstreams and what their calls share
            stackspot_config      configuration for the proxy and for in-process use
            registration          the models, for LiteLLM in-process
            proxy_start           LiteLLM's own start: recognised, and ended when it cannot go on
            settings, deployments what environment and configuration say, and every mistake in them
            routing, spelling     which upstream a model uses; which name was meant
guard/                            which requests reach LiteLLM, and with what
emulation/                        tools, structured output and limits over plain text
litellm_adapter/                  LiteLLM's parts that this package uses
upstream/                         the two upstream protocols
wire/                             bytes, time limits, errors

"The wire reference" is docs/stackspot-api.md, which also resolves the names of its sources (MIDIR, DOC-AG, ...).
"""
