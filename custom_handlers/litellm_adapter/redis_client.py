"""The Redis that LiteLLM shares limits and budgets in, with LiteLLM's own reading of the environment."""

import os
from typing import Any

_NAMED_BY = ("REDIS_HOST", "REDIS_URL", "REDIS_SENTINEL_NODES")
_A_DAY = 86_400.0


def is_configured() -> bool:
    """Not for a cluster, whose asynchronous client cannot subscribe."""
    return any(map(os.environ.get, _NAMED_BY)) and not os.environ.get("REDIS_CLUSTER_NODES")


def connect(timeout: float = _A_DAY) -> Any:
    """An asynchronous client for the running event loop. Reading never times out by itself: a subscription is quiet."""
    from litellm._redis import get_redis_async_client

    return get_redis_async_client(socket_timeout=timeout)
