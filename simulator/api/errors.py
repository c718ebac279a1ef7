"""Every answer that is not an answer, with the service's own body where that is known (section 7)."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from aiohttp import web

from simulator.control.faults import Faults


class ConnectionDroppedError(Exception):
    """The connection was dropped on purpose before a response."""


class RefusedError(Exception):
    """Carries the response with which a request is refused."""

    def __init__(self, response: web.Response) -> None:
        super().__init__(response.status)
        self.response = response


def json_response(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """`value` as a JSON response."""
    body = json.dumps(value).encode()
    return web.Response(body=body, status=status, headers=headers, content_type="application/json")


def inference_error(status: int, kind: str, code: str, details: str) -> web.Response:
    """The error object of inference: `type`, `code`, `details` (MIDIR)."""
    return json_response({"type": kind, "code": code, "details": details}, status)


def unauthorized() -> web.Response:
    """401 for a missing, expired or revoked bearer. The body is unknown; MIDIR's stand-in has only a `message`."""
    return json_response({"message": "Unauthorized"}, 401)


def not_shared() -> web.Response:
    """403 with an empty body: the agent is unknown, or not shared with the credential (MIDIR)."""
    return web.Response(status=403)


def rate_limited() -> web.Response:
    """429 of the Agents API, without Retry-After (MIDIR)."""
    return inference_error(
        429,
        "TooManyRequests",
        "INFERENCE_3008_CHAT_RATE_LIMIT_EXCEEDED",
        "The maximum number of requests was reached.",
    )


def command_rate_limited(limit: int, minutes: float) -> web.Response:
    """429 of quick commands, with the number and the window in minutes (DOC-RQC)."""
    return inference_error(
        429,
        "TooManyRequests",
        "CODEBUDDY_1044_QUICK_COMMAND_RATE_LIMIT_EXCEEDED",
        f"The maximum number of {limit} requests in {minutes:g} minutes was reached.",
    )


def too_long(limit: int, tokens: int) -> web.Response:
    """400 for a prompt above the model's limit, with the vendor's sentence (MIDIR)."""
    return inference_error(
        400,
        "BadRequestError",
        "INFERENCE_6001_LLM_MODEL_BAD_REQUEST",
        f"Input tokens exceed the configured limit of {limit} tokens. "
        f"Your messages resulted in {tokens} tokens. Please reduce the length of the messages.",
    )


def unknown_upload(upload_id: str) -> web.Response:
    """400 for an upload id that names no uploaded file. Code and sentence are guesses."""
    return inference_error(
        400, "BadRequestError", "INFERENCE_UPLOAD_NOT_FOUND", f"The upload {upload_id} was not found."
    )


def malformed(field: str, message: str) -> web.Response:
    """422 for a malformed body: a list under `detail`, the guess of section 7."""
    return json_response({"detail": [{"loc": ["body", field], "msg": message, "type": "value_error"}]}, 422)


def openai_error(status: int, message: str, code: str | None = None) -> web.Response:
    """The error object of an OpenAI-shaped API."""
    kind = "rate_limit_error" if status == 429 else "invalid_request_error"
    return json_response({"error": {"message": message, "type": kind, "param": None, "code": code}}, status)


def scripted(faults: Faults, openai: bool) -> web.Response | None:
    """The response that the faults put in place of an answer, or None."""
    if faults.redirect is not None:
        return web.Response(status=faults.status or 302, headers={"Location": faults.redirect})
    if faults.html:
        return _page(faults.status or 502, faults.content_type)
    if faults.status is None:
        return None
    if faults.body is None:
        return _usual(faults.status, openai)
    if isinstance(faults.body, str):
        raw, content_type = faults.body, "text/plain"
    else:
        raw, content_type = json.dumps(faults.body), "application/json"
    return web.Response(
        body=raw.encode("utf-8", "surrogatepass"),
        status=faults.status,
        headers={"Content-Type": faults.content_type or content_type},
    )


def _page(status: int, content_type: str | None) -> web.Response:
    title = f"{status} {_phrase(status)}"
    page = f"<html><head><title>{title}</title></head>\r\n<body><center><h1>{title}</h1></center></body></html>\r\n"
    return web.Response(body=page.encode(), status=status, headers={"Content-Type": content_type or "text/html"})


def _usual(status: int, openai: bool) -> web.Response:
    if openai:
        return openai_error(status, _phrase(status))
    match status:
        case 401:
            return unauthorized()
        case 403:
            return not_shared()
        case 429:
            return rate_limited()
        case _:
            return json_response({"message": _phrase(status)}, status)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
