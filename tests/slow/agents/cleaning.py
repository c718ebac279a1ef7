"""Makes fixtures of recorded requests: nothing of the machine or the moment in them, and little of the clients' texts.

Schemas and results stay whole. Of a long text its beginning stays, and its length, so that a replay can be as large as
the original was.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from tests.slow.agents import errands, work

KEY = "sk-recorded"

_HEADERS = re.compile(r"user-agent|accept|content-type|anthropic-.*|x-.*|originator|openai-.*|authorization", re.I)
_DROPPED_HEADERS = ("accept-encoding",)
# Where clients say what is theirs; the rest is what was called, with what, and what came of it.
_TEXTS = ("content", "description", "instructions", "prompt", "system", "text", "user_id")
_KEPT, _LONG = 24, 60  # characters
_TASKS = (work.TASK, errands.TASK)
_RESULT = re.compile("|".join(("folder:/|def greet|def total|passed", *map(re.escape, errands.TOLD))))
_LONGEST_RESULT = 1200
_CUT = re.compile(r" \[\.\.\. (\d+) more characters\]\Z")
_FILLER = "Words stand here only for the length of what a client said. "

_Change: TypeAlias = Callable[[str, str], str]

_SAME: Sequence[tuple[str, str]] = (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "00000000-0000-0000-0000-000000000000"),
    (r"\b[0-9a-f]{32,}\b", "0" * 32),
    (r"\b1[78]\d{11}\b", "1767225600000"),
    (r"\(\w+ [\d.]+; ", "(Linux; "),
    (r"Chunk ID: [0-9a-f]+", "Chunk ID: 000000"),
    (r"PGID: \d+", "PGID: 1"),
)
# In headers a date is the version of something.
_DATES: Sequence[tuple[str, str]] = (
    (r"\b20\d\d-\d\d-\d\d(?:[T ][\d:.]+(?:Z|[+-]\d\d:\d\d)?)?", "2026-01-01"),
    (r"\b\d{1,2}/\d{1,2}/20\d\d(?:, [\d:]+ [AP]M)?", "1/1/2026"),
    (r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? (?:\d+ )?[A-Z][a-z]+ (?:\d+,? )?20\d\d", "Thu Jan 01 2026"),
)
_IDS = re.compile(r"\b(call|toolu|msg|resp|fc|chatcmpl|ses)[_-][A-Za-z0-9_-]{8,}")


def cleaned(requests: Sequence[Mapping[str, Any]], secrets: Mapping[str, str]) -> dict[str, Any]:
    """A fixture of `requests`; `secrets` says what stands in it for paths, keys and addresses."""
    ids: dict[str, str] = {}

    def clean(text: str, patterns: Sequence[tuple[str, str]] = _SAME) -> str:
        for secret, instead in secrets.items():
            text = text.replace(secret, instead)
        for pattern, instead in patterns:
            text = re.sub(pattern, instead, text)
        return _IDS.sub(lambda found: ids.setdefault(found[0], f"{found[1]}_{len(ids) + 1}"), text)

    def clean_body(text: str, key: str) -> str:
        return shortened(clean(text, (*_SAME, *_DATES)), key)

    tools: list[Any] = next((request["body"]["tools"] for request in requests if request["body"].get("tools")), [])
    told = []
    for request in requests:
        body = {**request["body"]}
        if body.get("tools") == tools:
            body["tools"] = "tools"
        headers = {name: clean(value) for name, value in _headers(request["headers"])}
        told.append({"path": request["path"], "headers": headers, "body": _walk(body, clean_body)})
    return {"tools": _walk(tools, clean_body), "requests": told}


def shortened(text: str, key: str) -> str:
    """`text`, or its beginning if it is long and a client's own."""
    task = next((task for task in _TASKS if task in text), None)
    kept = len(text) < _LONGEST_RESULT and (task or _RESULT.search(text))
    if key not in _TEXTS or len(text) <= _LONG or kept:
        return text
    beginning = task or text[:_KEPT]
    return f"{beginning} [... {len(text) - len(beginning)} more characters]"


def lengthened(value: Any) -> Any:
    """A body as long as it was, with other words."""
    return _walk(value, lambda text, _: _CUT.sub(lambda cut: _filler(int(cut[1])), text))


def _filler(length: int) -> str:
    return (_FILLER * (length // len(_FILLER) + 1))[:length]


def _headers(headers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in sorted((name.lower(), value) for name, value in headers.items()):
        if _HEADERS.fullmatch(name) and name not in _DROPPED_HEADERS:
            yield name, value


def _walk(value: Any, change: _Change, key: str = "") -> Any:
    if isinstance(value, str):
        return change(value, key)
    if isinstance(value, Mapping):
        return {name: _walk(item, change, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_walk(item, change, key) for item in value]
    return value
