"""What LiteLLM's router has to be told of a failure, so that another deployment or model answers, or nobody does.

Of a stream on /v1/messages and /v1/responses it learns when the answer is on its way already. A failure before the
first text gets there in a wrapper of LiteLLM's that has lost whose failure it is; after a text, LiteLLM would have
another model go on with it on /v1/responses (seen on 1.108.14).
"""

from collections.abc import Mapping
from typing import Any

from litellm.exceptions import MidStreamFallbackError

_TRANSLATED = ("anthropic_messages", "aresponses", "responses")
# What the router takes for the caller's own fault, and leaves alone. The event's code stays what it was.
_FINAL_STATUS, _FINAL_CODE = 424, "server_error"


class _BeforeTextError(MidStreamFallbackError):
    """`failure` in the form by which the router goes on; for any other reader it is what it was."""

    def __init__(self, failure: Any) -> None:
        super().__init__(message=failure.message, model=failure.model, llm_provider=failure.llm_provider)
        vars(self).update(vars(failure))
        self.args = failure.args
        self.original_exception, self.generated_content, self.is_pre_first_chunk = None, "", True


def marked(failure: Any, call: Mapping[str, Any], *, stream: bool, begun: bool = False) -> Any:
    """`failure` of a call, with what the router wants to know; `begun` says whether the caller has had any of it."""
    failure.failed_deployment_id = ((call.get("litellm_params") or {}).get("model_info") or {}).get("id")
    temporary = failure.status_code >= 500 or failure.status_code in (408, 429)
    if not stream or not temporary or getattr(call.get("logging_obj"), "call_type", "") not in _TRANSLATED:
        return failure
    if begun:
        failure.status_code, failure.code = _FINAL_STATUS, getattr(failure, "code", None) or _FINAL_CODE
        return failure
    return _BeforeTextError(failure) if _somebody_else() else failure


def _somebody_else() -> bool:
    """Whether the proxy's router is configured to ask anybody else."""
    from litellm.proxy import proxy_server  # there inside the proxy only

    router = proxy_server.llm_router
    return router is not None and bool(router.enable_weighted_failover or router.fallbacks)
