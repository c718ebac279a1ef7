"""What can go wrong, and the HTTP status that each becomes. No other module knows a status number.

    StackSpotError
    ├── BadRequest            400  a parameter or message that cannot be served; names it
    │   ├── UnknownModel      400  also a ValueError
    │   └── ContextTooLong    400  the prompt exceeds the model's window; carries both numbers
    ├── CredentialsRefused    401  StackSpot refused the client key     } through the proxy both are 502,
    ├── AgentRefused          403  agent unknown, or not shared with it } since the caller's own key is fine
    ├── RateLimited           429  the account's limit; carries Retry-After when StackSpot sent one
    ├── CallerTimeout         408  the caller's own time limit ran out
    ├── UpstreamTimeout       504  StackSpot was silent for too long
    ├── Unavailable           503  StackSpot says that it is overloaded or down
    ├── GatewayFault          500  a fault of the gateway itself: its configuration or its code
    └── BadGateway            502  unreachable, or an answer that cannot be used
        └── BrokenAnswer      502  an answer that broke off, was empty or null

    ConfigurationError (ValueError): every mistake in the environment and the configuration, told together

Messages are our own words with StackSpot's error code: never an upstream body, an address or a secret.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar

import httpx
from litellm import exceptions

PROVIDER = "stackspot_ai"

_CODE = re.compile(r"[A-Z][A-Z0-9]*_\d+_[A-Z0-9_]+")
# The vendor's sentence behind INFERENCE_6001 (MIDIR, measured September 2026).
_CONTEXT = re.compile(r"limit of (\d[\d.,]*) tokens.*?resulted in (\d[\d.,]*) tokens", re.DOTALL | re.IGNORECASE)
_CONTEXT_CODE = "INFERENCE_6001"


class ConfigurationError(ValueError):
    """All configuration mistakes of one start; `mistakes` holds a sentence for each."""

    def __init__(self, mistakes: list[str]) -> None:
        self.mistakes = mistakes
        super().__init__("The StackSpot configuration is not usable:\n" + "\n".join(f"  - {m}" for m in mistakes))


class StackSpotError(Exception):
    """Base of all errors of a request.

    `message` is safe to show to the caller, `code` is StackSpot's (`INFERENCE_3008_...`) or None, `param` the
    request parameter at fault or None, `retry_after` seconds or None.
    """

    status: ClassVar[int] = 502
    retryable: bool = False

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.message = f"{message} ({code})" if code and code not in message else message
        self.code, self.param, self.retry_after = code, param, retry_after
        super().__init__(self.message)


class BadRequest(StackSpotError):
    status = 400


class UnknownModel(BadRequest):
    pass


class ContextTooLong(BadRequest):
    """`limit` and `tokens` as StackSpot or the local check counted them, or None where they are unknown."""

    def __init__(self, limit: int | None, tokens: int | None, *, code: str | None = None) -> None:
        self.limit, self.tokens = limit, tokens
        numbers = "The prompt exceeds the model's maximum context length."
        if limit and tokens:
            numbers = f"This model's maximum context length is {limit} tokens, but your messages are {tokens} tokens."
        super().__init__(f"{numbers} Please reduce the length of the messages.", code=code, param="messages")


class CredentialsRefused(StackSpotError):
    status = 401


class AgentRefused(StackSpotError):
    status = 403


class RateLimited(StackSpotError):
    status = 429
    retryable = True


class CallerTimeout(StackSpotError):
    status = 408


class UpstreamTimeout(StackSpotError):
    status = 504


class Unavailable(StackSpotError):
    status = 503
    retryable = True


class GatewayFault(StackSpotError):
    status = 500


class BadGateway(StackSpotError):
    """`retryable` is set for connection failures and 5xx, which are tried again before the first byte."""

    def __init__(self, message: str, *, code: str | None = None, retryable: bool = False) -> None:
        self.retryable = retryable
        super().__init__(message, code=code)


class BrokenAnswer(BadGateway):
    pass


def from_response(status: int, headers: Mapping[str, str], body: bytes) -> StackSpotError:
    """The error that an upstream response with a status other than 200 stands for.

    `body` may hold anything (JSON with `type`, `code`, `details`; HTML; nothing): only its code and the two numbers
    of a context overflow are read. Statuses and codes: section 7 of the wire reference (MIDIR, HASS, GAMBI).
    """
    fields = _fields(body)
    code = _error_code(fields)
    if too_long := _context_too_long(fields, code):
        return too_long
    if status == 401:
        return CredentialsRefused(
            "StackSpot refused the gateway's credentials (HTTP 401): check the client id and client key.",
            code=code,
        )
    if status in (403, 404):
        return AgentRefused(
            f"StackSpot refused the agent (HTTP {status}): its id is wrong, or it is not shared with the gateway's "
            "client key.",
            code=code,
        )
    if status == 429:
        return RateLimited(
            "StackSpot's request limit for this account is reached; try again in a minute.",
            code=code,
            retry_after=_seconds(headers.get("retry-after")),
        )
    if status in (400, 413, 422):
        return BadRequest(f"StackSpot refused the request (HTTP {status}).", code=code)
    if status in (408, 504):
        error: StackSpotError = UpstreamTimeout(f"StackSpot timed out (HTTP {status}).", code=code)
        error.retryable = True
        return error
    if status == 503:
        return Unavailable(
            "StackSpot is not available (HTTP 503).",
            code=code,
            retry_after=_seconds(headers.get("retry-after")),
        )
    if 300 <= status < 400:
        return BadGateway(f"StackSpot answered with a redirect (HTTP {status}), which is not followed.", code=code)
    return BadGateway(f"StackSpot answered HTTP {status}.", code=code, retryable=status >= 500)


def in_answer(fields: Mapping[str, Any]) -> StackSpotError:
    """An error object in place of an answer, or in the middle of one, after the status 200 was sent (STKAI, guess)."""
    code = _error_code(fields)
    return _context_too_long(fields, code) or BrokenAnswer("StackSpot reported an error in its answer.", code=code)


def refused_token(error: StackSpotError) -> StackSpotError:
    """The token endpoint's own errors: there a 4xx always means the client key or the realm (section 2.3, guess)."""
    if isinstance(error, BadRequest | AgentRefused | CredentialsRefused):
        return CredentialsRefused(
            "StackSpot's token endpoint refused the gateway's credentials: check STACKSPOT_REALM, STACKSPOT_CLIENT_ID "
            "and STACKSPOT_CLIENT_SECRET."
        )
    return error


def from_transport(error: Exception) -> StackSpotError:
    """A connection that failed or broke; the text of `error` may hold an address, so only its type is told."""
    return BadGateway(f"StackSpot could not be reached ({type(error).__name__}).", retryable=True)


def to_litellm(error: StackSpotError, *, model: str, through_proxy: bool) -> Exception:
    """The LiteLLM exception for `error`; the proxy and LiteLLM's callers take status and shape from its class."""
    message = error.message
    common: dict[str, Any] = {"message": message, "model": model, "llm_provider": PROVIDER}
    response = httpx.Response(error.status, request=httpx.Request("POST", "https://stackspot.invalid"))
    if error.retry_after is not None:
        response.headers["retry-after"] = str(int(error.retry_after))
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
            result = exceptions.BadGatewayError(**common)
    result.param = error.param
    return result


class UnknownModelError(exceptions.BadRequestError, ValueError):
    """LiteLLM's 400 for the proxy, a ValueError for in-process callers."""


def _fields(body: bytes) -> Mapping[str, Any]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return fields if isinstance(fields, dict) else {}


def _error_code(fields: Mapping[str, Any]) -> str | None:
    code = fields.get("code")
    return code if isinstance(code, str) and len(code) <= 100 and _CODE.fullmatch(code) else None


def _context_too_long(fields: Mapping[str, Any], code: str | None) -> ContextTooLong | None:
    # INFERENCE_6001 wraps any refusal by the model's vendor; only the one with both numbers is a context overflow.
    found = _CONTEXT.search(str(fields.get("details"))) if code and code.startswith(_CONTEXT_CODE) else None
    if not found:
        return None
    limit, tokens = (int(re.sub(r"\D", "", number)) for number in found.groups())
    return ContextTooLong(limit, tokens, code=code)


def _seconds(value: str | None) -> float | None:
    """Retry-After in seconds; its date form has not been seen from StackSpot and counts as absent."""
    try:
        seconds = float(value) if value else None
    except ValueError:
        return None
    return seconds if seconds is not None and 0 <= seconds < 86_400 else None
