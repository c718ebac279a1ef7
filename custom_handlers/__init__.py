"""StackSpot AI as a LiteLLM provider. Imports flow downwards; nothing imports the handler.

entry       stackspot             what LiteLLM loads as the provider
            request_gate          what LiteLLM loads as a callback: refuses what would go past the provider
handler     stackspot_handler     request in, answer or LiteLLM's error out
            answers, parameters   LiteLLM's shapes: answers and chunks, checked parameters
            blocking              synchronous callers
            account               one StackSpot account: its two upstreams and what their calls share
            stackspot_config      configuration for the proxy and for in-process use
            registration          the models, for LiteLLM in-process
            settings, routing     what environment and configuration say; which upstream a model uses
emulation   emulation             tools, structured output and limits over plain text
            prompt, tool_prompt   a conversation, and the tools, as one text
            tool_parser           calls out of an answer (tool_marks, tool_calls, tool_syntax, parts, lenient_json)
            structured, schemas   JSON that fits a schema
            limits                stop texts, longest answer, longest prompt
upstream    agents_api, key_api   the two upstream protocols
            uploads, remote_files images and files
            credentials           access tokens
wire        transport             pooled client, time limits, retries
            sse                   bytes to JSON objects
            errors, refusals      what can go wrong, and what StackSpot's failures mean
            events                what an answer consists of

"The wire reference" is docs/stackspot-api.md, which also resolves the names of its sources (MIDIR, DOC-AG, ...).
"""
