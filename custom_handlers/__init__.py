"""StackSpot AI as a LiteLLM provider. Imports flow downwards; nothing imports the handler.

stackspot           what LiteLLM loads as the provider
request_guard       what LiteLLM loads as a callback: puts guard/ in front of LiteLLM (request_gate: its former name)
proxy               LiteLLM's command, started sooner
handler             StackSpotLLM: request in, answer or LiteLLM's error out
metrics             what telemetry tells, for Prometheus
stackspot_config    public: configure_stackspot(), and the check of a configuration
guard/              which requests reach LiteLLM, and with what
client              StackSpotClient.chat(): both upstreams of one account
version             of the gateway
outcomes            how each call has ended, told to telemetry
meter               what one call has used
config/             the environment and LiteLLM's configuration file, with every mistake in them
emulation/          tools, structured output and limits over plain text
upstream/           StackSpot's two APIs
http/               requests, retries, timeouts, server-sent events
pacing/             at what pace, and in whose turn, requests go to StackSpot
stored_responses/   answers that a later request can name, where they are kept
litellm_adapter/    the only place that imports LiteLLM
core/               events, errors, the models' names: imports nothing of ours

"The wire reference" is docs/stackspot-api.md, which also resolves the names of its sources (MIDIR, DOC-AG, ...).
"""
