"""LiteLLM's own parts that this package uses, so that an upgrade of LiteLLM has one place to look at.

exceptions     our errors as LiteLLM's
http_client    LiteLLM's pooled client, and its judgement of which addresses are public
"""
