"""Our errors as LiteLLM's exceptions, of which the proxy and LiteLLM's callers take status and shape."""

from typing import Any

import httpx
from litellm import exceptions

from custom_handlers.core import errors
from custom_handlers.core.models import PROVIDER
from custom_handlers.litellm_adapter.error_lines import CLEAR


def to_litellm(error: errors.StackSpotError, *, model: str, through_proxy: bool) -> Exception:
    """The LiteLLM exception for `error`; the proxy and LiteLLM's callers take status and shape from its class."""
    message = error.message
    common: dict[str, Any] = {"message": message, "model": model, "llm_provider": PROVIDER}
    request = httpx.Request("POST", "https://stackspot.invalid")
    response = httpx.Response(error.status, headers=errors.headers_for(error), request=request)
    result: Exception
    match error:
        case errors.AuthenticationError() | errors.PermissionDeniedError() if through_proxy:
            result = exceptions.BadGatewayError(**common)
        case errors.AuthenticationError():
            result = exceptions.AuthenticationError(**common, response=response)
        case errors.PermissionDeniedError():
            result = exceptions.PermissionDeniedError(**common, response=response)
        case errors.UnknownModelError():
            result = UnknownModelError(**common)
        case errors.ContextWindowExceededError():
            result = exceptions.ContextWindowExceededError(**common)
        case errors.BadRequestError():
            result = exceptions.BadRequestError(**common)
        case errors.RateLimitError():
            result = exceptions.RateLimitError(**common, response=response)
        case errors.CallerTimeoutError():
            result = exceptions.Timeout(**common)
        case errors.UpstreamTimeoutError():
            result = exceptions.Timeout(**common, exception_status_code=error.status)
        case errors.ServiceUnavailableError():
            result = exceptions.ServiceUnavailableError(**common, response=response)
        case errors.InternalServerError():
            result = exceptions.InternalServerError(**common)
        case _:
            result = exceptions.BadGatewayError(**common, response=response)
    result.param, result.type = error.param, _type_of(result.status_code)
    setattr(result, CLEAR, True)
    if isinstance(error, errors.ContextWindowExceededError):
        result.code = "context_length_exceeded"  # OpenAI's; Codex looks for it in a stream's `response.failed`
    return result


def _type_of(status: int) -> str:
    """What LiteLLM calls an error of that status; for /v1/completions it leaves the type to the exception."""
    if status == 429:
        return "throttling_error"
    return "invalid_request_error" if status < 500 else "internal_server_error"


class UnknownModelError(exceptions.BadRequestError, ValueError):
    """LiteLLM's 400 for the proxy, a ValueError for in-process callers."""
