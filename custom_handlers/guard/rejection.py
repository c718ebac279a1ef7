"""What the guard says instead of passing a request on, in the shape that the surface's clients read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

MESSAGES_SURFACE, GOOGLE_SURFACE = "messages", "google"
_OPENAI_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    429: "throttling_error",
    500: "internal_server_error",
    503: "internal_server_error",
}
_ANTHROPIC_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
}

_GOOGLE_STATUS = {404: "NOT_FOUND", 405: "UNIMPLEMENTED"}


@dataclass
class RejectedError(Exception):
    """One clear sentence for the caller; `param` is the field that is meant, `code` a code of OpenAI's if one fits."""

    status: int
    message: str
    param: str | None = None
    code: str | None = None
    retry_after: int | None = None  # seconds

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        return [] if self.retry_after is None else [(b"retry-after", str(self.retry_after).encode())]

    def body(self, surface: str | None) -> bytes:
        """The JSON that `surface` answers errors with: its vendor's own, OpenAI's everywhere else."""
        bodies = {MESSAGES_SURFACE: self._anthropic, GOOGLE_SURFACE: self._google}
        return json.dumps(bodies.get(surface or "", self._openai)()).encode()

    def _openai(self) -> dict[str, Any]:
        kind = _OPENAI_TYPES.get(self.status, "invalid_request_error")
        code = self.code or str(int(HTTPStatus(self.status)))
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": code}}

    def _anthropic(self) -> dict[str, Any]:
        kind = _ANTHROPIC_TYPES.get(self.status, "invalid_request_error")
        return {"type": "error", "error": {"type": kind, "message": self.message}}

    def _google(self) -> dict[str, Any]:
        return {"error": {"code": self.status, "message": self.message, "status": _GOOGLE_STATUS.get(self.status)}}
