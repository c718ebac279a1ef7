"""Answers are mended piece by piece, and pass unchanged where there is nothing to mend."""

import asyncio
import json
from typing import Any

from custom_handlers.core import matched_stop
from custom_handlers.guard import replies
from custom_handlers.guard.asgi_types import Message


def sent(surface: str, body: dict[str, Any], pieces: list[bytes], stop: str | None = None) -> tuple[Message, bytes]:
    """The head and the body that a client gets."""
    got: list[Message] = []

    async def take(message: Message) -> None:
        got.append(message)

    async def run() -> None:
        send = replies.mend(surface, body, take)
        if stop:
            matched_stop.record(stop)
        length = str(sum(map(len, pieces))).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
        for at, piece in enumerate(pieces):
            await send({"type": "http.response.body", "body": piece, "more_body": at < len(pieces) - 1})

    asyncio.run(run())
    return got[0], b"".join(message["body"] for message in got[1:])


def test_an_error_event_gets_its_type() -> None:
    for code, kind in ((502, "internal_server_error"), (429, "throttling_error"), (400, "invalid_request_error")):
        event = b'data: {"error": {"message": "m", "type": null, "param": null, "code": "%d"}}\n\n' % code
        _, body = sent("completions", {"stream": True}, [b": ping\n\n", event, b"data: [DONE]\n\n"])
        assert body.startswith(b": ping\n\ndata: ")
        assert body.endswith(b"\n\ndata: [DONE]\n\n")
        assert json.loads(body.split(b"\n\n")[1].removeprefix(b"data: "))["error"]["type"] == kind


def test_what_is_no_error_passes_as_it_is() -> None:
    for piece in (b'data: {"error": broken\n\n', b'data: {"error": 5}\n\n', b'data: {"id": "error"}\n\n', b"\xff"):
        assert sent("chat", {"stream": True}, [piece])[1] == piece


def test_a_longer_answer_has_its_length() -> None:
    answer = b'{"stop_reason": "end_turn", "stop_sequence": null}'
    head, body = sent("messages", {"stop_sequences": ["X"]}, [answer], stop="X")
    assert json.loads(body) == {"stop_reason": "stop_sequence", "stop_sequence": "X"}
    assert dict(head["headers"])[b"content-length"] == str(len(body)).encode()


def test_no_stop_text_changes_nothing() -> None:
    for answer, stop in ((b'{"stop_reason": "end_turn"}', None), (b'{"stop_reason": "tool_use"}', "X"), (b"{", "X")):
        assert sent("messages", {"stop_sequences": ["X"]}, [answer], stop=stop)[1] == answer
    assert sent("messages", {}, [b'{"stop_reason": "end_turn"}'], stop="X")[1] == b'{"stop_reason": "end_turn"}'
