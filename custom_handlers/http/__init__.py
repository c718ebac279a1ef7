"""HTTP to StackSpot, as httpx and LiteLLM's pooled client carry it.

client          one POST: sent, tried again, its body read
retry           when it is tried again
turns           whose turn it is, for each request of one call
timeouts        until the first byte, between two pieces, and in all: one Deadline for a call
sse             bytes to server-sent events (event_stream: a request, and its answer as events)
error_mapping   StackSpot's failures as our errors
network         proxies and certificates, as the environment says
"""
