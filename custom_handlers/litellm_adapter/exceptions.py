"""Our errors as LiteLLM's exceptions, of which the proxy and LiteLLM's callers take status and shape."""

from typing import Any

import httpx
from litellm import exceptions

from custom_handlers.core.errors import (
    PROVIDER,
    AgentRefused,
    BadRequest,
    CallerTimeout,
    ContextTooLong,
    CredentialsRefused,
    GatewayFault,
    RateLimited,
    StackSpotError,
    Unavailable,
    UnknownModel,
    UpstreamTimeout,
    headers_for,
)


def to_litellm(error: StackSpotError, *, model: str, through_proxy: bool) -> Exception:
    """The LiteLLM exception for `error`; the proxy and LiteLLM's callers take status and shape from its class."""
    message = error.message
    common: dict[str, Any] = {"message": message, "model": model, "llm_provider": PROVIDER}
    request = httpx.Request("POST", "https://stackspot.invalid")
    response = httpx.Response(error.status, headers=headers_for(error), request=request)
    result: Exception
    match error:
        case CredentialsRefused() | AgentRefused() if through_proxy:
            result = exceptions.BadGatewayError(**common)
        case CredentialsRefused():
            result = exceptions.AuthenticationError(**common, response=response)
        case AgentRefused():
            result = exceptions.PermissionDeniedError(**common, response=response)
        case UnknownModel():
            result = UnknownModelError(**common)
        case ContextTooLong():
            result = exceptions.ContextWindowExceededError(**common)
        case BadRequest():
            result = exceptions.BadRequestError(**common)
        case RateLimited():
            result = exceptions.RateLimitError(**common, response=response)
        case CallerTimeout():
            result = exceptions.Timeout(**common)
        case UpstreamTimeout():
            result = exceptions.Timeout(**common, exception_status_code=error.status)
        case Unavailable():
            result = exceptions.ServiceUnavailableError(**common, response=response)
        case GatewayFault():
            result = exceptions.InternalServerError(**common)
        case _:
            result = exceptions.BadGatewayError(**common, response=response)
    result.param, result.type = error.param, _type_of(result.status_code)
    if isinstance(error, ContextTooLong):
        result.code = "context_length_exceeded"  # OpenAI's; Codex looks for it in a stream's `response.failed`
    return result


def _type_of(status: int) -> str:
    """What LiteLLM calls an error of that status; for /v1/completions it leaves the type to the exception."""
    if status == 429:
        return "throttling_error"
    return "invalid_request_error" if status < 500 else "internal_server_error"


class UnknownModelError(exceptions.BadRequestError, ValueError):
    """LiteLLM's 400 for the proxy, a ValueError for in-process callers."""
