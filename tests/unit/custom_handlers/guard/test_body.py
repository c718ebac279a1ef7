"""A body is read within its limits, and what is wrong with it is told in one sentence."""

import asyncio
import gzip
import json
import zlib
from typing import Any

import pytest

from custom_handlers.config.request_limits import RequestLimits
from custom_handlers.guard import body as bodies
from custom_handlers.guard.asgi_types import Message, Receive
from custom_handlers.guard.rejection import RejectedError

LIMITS = RequestLimits(max_body_mb=1, max_json_values=50, max_json_depth=10)


class Client:
    """Sends `pieces`, then leaves."""

    def __init__(self, *pieces: bytes) -> None:
        self._messages: list[Message] = [
            {"type": "http.request", "body": piece, "more_body": at < len(pieces)} for at, piece in enumerate(pieces, 1)
        ]
        self.asked = 0

    async def __call__(self) -> Message:
        self.asked += 1
        return self._messages.pop(0) if self._messages else {"type": "http.disconnect"}


async def read(receive: Receive, **headers: str) -> dict[str, Any]:
    given = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    return await bodies.read_object(receive, given, LIMITS)


async def refusal(receive: Receive, **headers: str) -> RejectedError:
    with pytest.raises(RejectedError) as caught:
        await read(receive, **headers)
    return caught.value


async def test_a_body_in_pieces_is_one_object() -> None:
    text = json.dumps({"a": 'b"\\', "c": [1, {"d": "é"}]}).encode()
    for size in range(1, len(text) + 1):
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        assert await read(Client(*pieces)) == json.loads(text)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "no body"),
        (b"{", "not valid JSON"),
        (b'{"a": 1} {"b": 2}', "not valid JSON"),
        (b"model=stackspot&prompt=hi", "not valid JSON"),
        (b'{"a": NaN}', "not valid JSON"),
        (b'{"a": Infinity}', "not valid JSON"),
        (b'{"a": 1, "a": 2}', "two members of one name"),
        (b'{"a": {"b": 1, "c": [{"b": 1, "b": 1}]}}', "two members of one name"),
        (b"[]", "must be a JSON object"),
        (b'"text"', "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        ('{"a": "é"}'.encode("latin-1"), "not UTF-8 at byte 7"),
        ("{}".encode("utf-16"), "not UTF-8"),
        (b'{"a":' + b"[" * 11 + b"]" * 11 + b"}", "more than 10 levels deep"),
        (b'{"a":' + b"[" * 10000 + b"]" * 10000 + b"}", "more than 10 levels deep"),
        (json.dumps({"a": [1] * 60}).encode(), "more than 50 JSON values"),
    ],
    ids=lambda value: repr(value)[:30],
)
async def test_what_is_no_request_is_reported_in_one_sentence(body: bytes, words: str) -> None:
    found = await refusal(Client(body))
    assert found.status == 400
    assert words in found.message


async def test_too_large_is_reported_before_it_is_read() -> None:
    client = Client(b"{}")
    found = await refusal(client, content_length=str(2 * 1024 * 1024))
    assert (found.status, client.asked) == (413, 0)
    assert "1 MB" in found.message
    assert "STACKSPOT_MAX_BODY_MB" in found.message


async def test_too_large_is_reported_while_it_arrives() -> None:
    client = Client(*[b'"' + b" " * 65535] * 100)
    assert (await refusal(client)).status == 413
    assert client.asked <= 17


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "x-gzip", "GZIP", "identity"])
async def test_a_compressed_body_is_read(encoding: str) -> None:
    text = json.dumps({"a": "b" * 200_000}).encode()
    packed = text if encoding == "identity" else zlib.compress(text) if encoding == "deflate" else gzip.compress(text)
    pieces = [packed[at : at + 7] for at in range(0, len(packed), 7)]
    assert await read(Client(*pieces), content_encoding=encoding) == json.loads(text)


async def test_a_compressed_body_grows_to_the_limit_only() -> None:
    bomb = gzip.compress(b" " * (200 * 1024 * 1024), compresslevel=1)
    assert len(bomb) < 1024 * 1024
    assert (await refusal(Client(bomb), content_encoding="gzip")).status == 413


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (b"{}", "gzip", 400),
        (gzip.compress(b"{}", mtime=0)[:-4], "gzip", 400),
        (b"{}", "br", 415),
        (b"{}", "zstd", 415),
        (b"{}", "gzip, gzip", 415),
    ],
)
async def test_a_wrong_encoding_is_reported(body: bytes, encoding: str, status: int) -> None:
    found = await refusal(Client(body), content_encoding=encoding)
    assert found.status == status
    assert "Content-Encoding" in found.message


async def test_half_a_surrogate_pair_is_replaced() -> None:
    text = rb'{"a": "x\ud83dy", "b": "\ud83d\ude00", "c": "\\ud83d", "d": "\ude00"}'
    assert await read(Client(text)) == {"a": "x�y", "b": "😀", "c": "\\ud83d", "d": "�"}


async def test_a_client_that_leaves_gets_no_answer() -> None:
    with pytest.raises(bodies.DisconnectedError):
        await read(Client())


async def test_a_silent_client_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "SILENCE_SECONDS", 0.05)

    async def silent() -> Message:
        await asyncio.sleep(60)
        raise AssertionError

    assert (await refusal(silent)).status == 408


async def test_an_endless_body_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "TOTAL_SECONDS", 0.2)

    async def slow() -> Message:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b" ", "more_body": True}

    assert (await refusal(slow)).status == 408


async def test_others_have_their_turn_while_a_large_body_is_read() -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(other())
    await read(Client(json.dumps({"a": "b" * 1_000_000}).encode()))
    beside.cancel()
    assert turns > 10
