"""What docs/stackspot-api.md marks with C or G and this can see, each with what was seen. A test compares the lists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.doctor.report.stream import Stream
from gateway.doctor.report.wire import Exchange, Wire

CONFIRMED, DIFFERENT, NOT_SEEN = "confirmed", "different", "not seen"
KEYCLOAK = (
    "access_token", "expires_in", "refresh_token", "refresh_expires_in", "token_type", "scope", "session_state",
    "not-before-policy",
)  # fmt: skip


@dataclass(frozen=True)
class Fact:
    """`row` is in the row or line of the reference's section; `see` says what was seen of it."""

    section: str
    row: str
    sentence: str
    see: Callable[[Wire], str]


def judged(true: bool, told: str) -> str:
    return f"{CONFIRMED if true else DIFFERENT}: {told}"


def _of(name: str, see: Callable[[Exchange], str]) -> Callable[[Wire], str]:
    def look(wire: Wire) -> str:
        found = wire.get(name)
        return see(found) if found else NOT_SEEN

    return look


def _in_stream(see: Callable[[Stream], str]) -> Callable[[Wire], str]:
    return lambda wire: see(wire.stream) if wire.stream else NOT_SEEN


def _occurs(happened: Callable[[Stream], int | bool], told: str) -> Callable[[Wire], str]:
    """Of what the reference says happens now and then: once is enough."""
    return _in_stream(lambda found: f"{CONFIRMED}: {told}" if happened(found) else NOT_SEEN)


def _token_fields(found: Exchange) -> str:
    if found.status != 200:
        return NOT_SEEN
    lacks = [name for name in KEYCLOAK if name not in found.types]
    more = [name for name in found.types if name not in KEYCLOAK]
    parts = [f"lacks {', '.join(lacks)}"] * bool(lacks) + [f"has also {', '.join(more)}"] * bool(more)
    return judged(not parts, "; ".join(parts) or "these fields")


def _sources(found: Exchange) -> str:
    types = {name: found.types[name] for name in ("source", "cross_account_source") if name in found.types}
    if found.status != 200 or not types:
        return NOT_SEEN
    return judged(all(each == "list" for each in types.values()), ", ".join(f"{n}: {t}" for n, t in types.items()))


def _line_ends(found: Stream) -> str:
    return judged(found.crlf > 0 and not found.lf and not found.cr, f"CRLF {found.crlf}, LF {found.lf}, CR {found.cr}")


def _heartbeat(found: Stream) -> str:
    others = sum(count for name, count in found.fields.items() if name != "data")
    return judged(not found.comments and not others, f"{found.comments} comments, {others} lines that are no data")


def _counts(found: Stream) -> str:
    odd = {name: told for name, told in found.usage.items() if told != "number"}
    return f"{CONFIRMED}: {', '.join(f'{n}: {t}' for n, t in odd.items())}" if odd else NOT_SEEN


def _plain_instead(found: Exchange) -> str:
    return f"{CONFIRMED}: {found.told}" if found.status == 200 and not found.streamed else NOT_SEEN


def _in_trouble(wire: Wire) -> str:
    found = [each.told for each in wire.seen.values() if each.status == 408 or each.status >= 500]
    return f"{CONFIRMED}: {found[0]}" if found else NOT_SEEN


def _broke(found: Exchange) -> str:
    return f"{CONFIRMED}: {found.broken}" if found.streamed and found.broken else NOT_SEEN


FACTS = (
    Fact(
        "1", "LLM list", "GET /v1/llm/models answers with JSON",
        _of("list of LLMs", lambda e: judged(e.status == 200 and "json" in e.content_type, e.told)),
    ),
    Fact("2.1", "Full field set", f"the token's answer has {', '.join(KEYCLOAK)}", _of("token", _token_fields)),
    Fact(
        "2.1", "Refresh token", "a refresh token may be returned",
        _of("token", lambda e: f"{CONFIRMED}: there is one" if "refresh_token" in e.types else NOT_SEEN),
    ),
    Fact(
        "2.3", "Wrong id, secret or realm", "400 or 401 with `error` for an unknown client",
        _of("wrong client", lambda e: judged(e.status in (400, 401) and "error" in e.types, e.told)),
    ),
    Fact(
        "2.3", "Agent id unknown", "404 for an agent that does not exist",
        _of("unknown agent", lambda e: judged(e.status == 404, e.told)),
    ),
    Fact("4", "`source`", "`source` and `cross_account_source` are lists", _of("plain", _sources)),
    Fact(
        "5.1", "Content type", "a stream is text/event-stream",
        _of("stream", lambda e: judged(e.content_type.startswith("text/event-stream"), e.content_type)
            if e.status == 200 else NOT_SEEN),
    ),
    Fact("5.1", "Line ending", "lines of a stream end with CRLF", _in_stream(_line_ends)),
    Fact("5.1", "Comments", "no comments, and no lines but `data:`", _in_stream(_heartbeat)),
    Fact("5.1", "Body when streaming", "a plain object may come in place of a stream", _of("stream", _plain_instead)),
    Fact(
        "5.3", "without a final object", "a stream may end without its final object",
        _of("stream", lambda e: f"{CONFIRMED}: there was none"
            if e.streamed and not e.streamed.finals and not e.broken else NOT_SEEN),
    ),
    Fact("5.3", "The connection breaks", "the connection may break in the middle", _of("stream", _broke)),
    Fact(
        "5.3", "is not text", "objects whose message is no text, or lines that are no JSON",
        _occurs(lambda s: s.not_text + s.not_json, "there are some"),
    ),
    Fact(
        "5.3", "Error object", "errors in a stream are an event, or an object with `type` error",
        _occurs(lambda s: s.errors + s.error_events, "there was one"),
    ),
    Fact("5.3", "cumulative", "each delta may repeat all before it", _occurs(lambda s: s.cumulative, "they do")),
    Fact("6", "A number as a string", "counts may be numbers as text, or null", _in_stream(_counts)),
    Fact(
        "7", "401", "401 has an object with `message` alone",
        _of("wrong token", lambda e: judged(e.status == 401 and set(e.types) == {"message"}, e.told)),
    ),
    Fact(
        "7", "404", "404 is for an agent that was not found; its body is unknown",
        _of("unknown agent", lambda e: f"{CONFIRMED}: {e.told}" if e.status == 404 else NOT_SEEN),
    ),
    Fact(
        "7", "422", "422 has a list under `detail` for a malformed body",
        _of("no prompt", lambda e: judged(e.status == 422 and e.types.get("detail") == "list", e.told)),
    ),
    Fact("7", "500, 502, 503", "408 and 5xx happen; their bodies are unknown", _in_trouble),
)  # fmt: skip
