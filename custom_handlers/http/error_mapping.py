"""Maps StackSpot's failures to our errors (section 7 of the wire reference: MIDIR, HASS, GAMBI).

Of what it sends, only an error code and the two numbers of a context overflow are read.
"""

import json
import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

from custom_handlers.core.errors import (
    AuthenticationError,
    BadGatewayError,
    BadRequestError,
    ContextWindowExceededError,
    InvalidResponseError,
    PermissionDeniedError,
    RateLimitError,
    ServiceUnavailableError,
    StackSpotError,
    UpstreamTimeoutError,
)

_CODE = re.compile(r"[A-Z][A-Z0-9]*_\d+_[A-Z0-9_]+")
# The vendor's sentence behind INFERENCE_6001 (MIDIR, measured September 2026), and OpenAI's own of the key API.
_LIMIT = re.compile(r"(?:limit of|context length is) (\d[\d.,]{0,15}) tokens", re.IGNORECASE)
_TOKENS = re.compile(r"resulted in (\d[\d.,]{0,15}) tokens", re.IGNORECASE)
_CONTEXT_CODE = "INFERENCE_6001"
_OPENAI_CONTEXT_CODE = "context_length_exceeded"


class Service(Enum):
    """A part of StackSpot: what a 4xx means depends on it."""

    AGENTS = "agents"
    TOKEN = "token"  # noqa: S105 - a name
    KEY_API = "key API"
    UPLOAD = "upload"
    STORAGE = "storage"


def from_response(
    status: int, headers: Mapping[str, str], body: bytes, service: Service = Service.AGENTS
) -> StackSpotError:
    """The error that an unsuccessful response stands for; `body` may hold anything (JSON, HTML, nothing)."""
    return _for_service(_from_response(status, headers, body), service)


def _from_response(status: int, headers: Mapping[str, str], body: bytes) -> StackSpotError:
    fields = _fields(body)
    code = _error_code(fields)
    if too_long := _context_too_long(fields, code):
        return too_long
    if status == 401:
        return AuthenticationError(
            "StackSpot refused the gateway's credentials (HTTP 401): check the client id and client key.",
            code=code,
        )
    if status in (403, 404):
        return PermissionDeniedError(
            f"StackSpot refused the agent (HTTP {status}): its id is wrong, or it is not shared with the gateway's "
            "client key.",
            code=code,
        )
    if status == 429:
        return RateLimitError(
            "StackSpot's request limit for this account is reached; try again in a minute.",
            code=code,
            retry_after=_seconds(headers.get("retry-after")),
        )
    if status in (400, 413, 422):
        return BadRequestError(f"StackSpot refused the request (HTTP {status}).", code=code)
    if status in (408, 504):
        error: StackSpotError = UpstreamTimeoutError(f"StackSpot timed out (HTTP {status}).", code=code)
        error.retryable = True
        return error
    if status == 503:
        return ServiceUnavailableError(
            "StackSpot is not available (HTTP 503).",
            code=code,
            retry_after=_seconds(headers.get("retry-after")),
        )
    if 300 <= status < 400:
        return BadGatewayError(f"StackSpot answered with a redirect (HTTP {status}), which is not followed.", code=code)
    return BadGatewayError(f"StackSpot answered HTTP {status}.", code=code, retryable=status >= 500)


def in_answer(fields: Mapping[str, Any]) -> StackSpotError:
    """An error object in place of an answer, or in the middle of one, after the status 200 was sent (STKAI, guess)."""
    code = _error_code(fields)
    return _context_too_long(fields, code) or InvalidResponseError(
        "StackSpot reported an error in its answer.", code=code
    )


def from_transport(error: Exception) -> StackSpotError:
    """A connection that could not be made; the text of `error` may hold an address, so only its type is named."""
    return BadGatewayError(f"StackSpot could not be reached ({type(error).__name__}).", retryable=True)


def broken_off(error: Exception) -> StackSpotError:
    """A connection that broke in the middle of an answer."""
    return InvalidResponseError(f"StackSpot's answer broke off ({type(error).__name__}).")


def _for_service(error: StackSpotError, service: Service) -> StackSpotError:
    """What is different for services other than the agents."""
    match service, error:
        # At the token endpoint a 4xx always means the client key or the realm (section 2.3, guess).
        case Service.TOKEN, BadRequestError() | PermissionDeniedError() | AuthenticationError():
            return AuthenticationError(
                "StackSpot's token endpoint refused the gateway's credentials: check STACKSPOT_REALM, "
                "STACKSPOT_CLIENT_ID and STACKSPOT_CLIENT_SECRET."
            )
        # The key API knows neither client keys nor agents, the upload form no agents.
        case Service.KEY_API, AuthenticationError():
            return AuthenticationError("StackSpot's key API refused the gateway's key: check STACKSPOT_API_KEY.")
        case Service.KEY_API, PermissionDeniedError():
            return PermissionDeniedError(
                "StackSpot's key API refused the model: check STACKSPOT_API_BASE, and whether the gateway's key may "
                "use it."
            )
        case Service.UPLOAD, PermissionDeniedError():
            return PermissionDeniedError(
                "StackSpot refused the upload of a file: it takes them from enterprise accounts only."
            )
        # The storage knows neither, and a wrong form is not the caller's fault.
        case Service.STORAGE, BadRequestError() | PermissionDeniedError() | AuthenticationError():
            return BadGatewayError("StackSpot's storage refused a file.")
    return error


def _fields(body: bytes) -> Mapping[str, Any]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(fields, dict):
        return {}
    return inner if isinstance(inner := fields.get("error"), dict) else fields  # OpenAI's shape, of the key API


def _error_code(fields: Mapping[str, Any]) -> str | None:
    code = fields.get("code")
    return code if isinstance(code, str) and len(code) <= 100 and _CODE.fullmatch(code) else None


def _context_too_long(fields: Mapping[str, Any], code: str | None) -> ContextWindowExceededError | None:
    openai = fields.get("code") == _OPENAI_CONTEXT_CODE
    if not openai and not (code and code.startswith(_CONTEXT_CODE)):
        return None
    sentence = str(fields.get("message" if openai else "details"))
    limit = _LIMIT.search(sentence)
    tokens = _TOKENS.search(sentence, limit.end()) if limit else None
    if limit and tokens:
        return ContextWindowExceededError(_number(limit[1]), _number(tokens[1]), code=code)
    # INFERENCE_6001 wraps any refusal by the model's vendor; only the one with both numbers is a context overflow.
    return ContextWindowExceededError(None, None) if openai else None


def _number(text: str) -> int:
    return int(re.sub(r"\D", "", text))


def _seconds(value: str | None) -> float | None:
    """Retry-After in seconds; its date form has not been seen from StackSpot and counts as absent."""
    try:
        seconds = float(value) if value else None
    except ValueError:
        return None
    return seconds if seconds is not None and 0 <= seconds < 86_400 else None
