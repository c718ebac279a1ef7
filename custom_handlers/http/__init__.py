"""What both protocols are carried by.

transport          pooled client, retries (deadline: time limits)
sse                bytes to JSON objects
events             what an answer consists of
stopped            which stop text ended an answer, told past LiteLLM
errors, refusals   what can go wrong, and what StackSpot's failures mean
network            proxies and certificates, as the environment says
"""
