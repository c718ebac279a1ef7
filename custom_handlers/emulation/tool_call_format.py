"""How tool calls and their results are written in a prompt, and how message text is kept from imitating them.

    <tool_call id="call_1">{"name": "read_file", "arguments": {"path": "a.py"}}</tool_call>
    <tool_response id="call_1" name="read_file">
    text of the result
    </tool_response>

Message text that holds such a tag gets a backslash behind its `<`; inside JSON the `<` becomes `\\u003c`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

# Characters that a reader does not see: with them a tag could look like one without being equal to it.
INVISIBLE = (
    "\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f"
    "\\u2800\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\U000e0000-\\U000e0fff"
)
_GAP, _WITHIN = rf"[\s{INVISIBLE}]*+", f"[{INVISIBLE}]*+"


def _tags(*words: str) -> dict[str, re.Pattern[str]]:
    """What finds the beginnings of the tags `tool_` with one of `words`, by the character that they begin with."""
    spelt = "|".join(_WITHIN.join(word) for word in words)
    name = rf"{_WITHIN.join('tool_')}{_WITHIN}(?:{spelt})"
    # It looks closer only where a blank, a slash or a t follows.
    behind = rf"(?=[^!-.0-SU-\[\]-su-~])(?={_GAP}[\\/]*+{_GAP}{name})"
    return {opening: re.compile(f"{opening}{behind}", re.IGNORECASE) for opening in "<＜﹤"}


_TAGS, _RESULT_TAGS = _tags("call", "response"), _tags("response")
_STRETCH = 1_000_000
_LONGEST_ATTRIBUTE = 200
# Line terminators that JSON allows raw inside a string.
_RAW_IN_JSON = re.compile("[\x7f-\x9f\u2028\u2029]")
_NOT_IN_ATTRIBUTE = re.compile(r"[^\w.:/@+-]")


def escape_tags(text: str) -> str:
    """`text` with a backslash behind the `<` of everything that looks like a tag of ours; the rest as it is."""
    return _escape(text, _TAGS, {opening: f"{opening}\\\\" for opening in _TAGS})


def escape_results(text: str) -> str:
    """`text` with a backslash behind the `<` of all that looks like the tag of a result."""
    return _escape(text, _RESULT_TAGS, {opening: f"{opening}\\\\" for opening in _TAGS})


def escape_json(text: str) -> str:
    """JSON text with the same value that holds no tag and no line terminator other than JSON's own."""
    text = _escape(text, _TAGS, {opening: f"\\\\u{ord(opening):04x}" for opening in _TAGS})
    if text.isascii() and "\x7f" not in text:
        return text
    return _RAW_IN_JSON.sub(lambda character: f"\\u{ord(character[0]):04x}", text)


def _escape(text: str, tags: Mapping[str, re.Pattern[str]], instead: Mapping[str, str]) -> str:
    if text.isascii() and "tool_" not in text.lower():
        return text
    for opening, tag in tags.items():
        if opening in text:
            text = "".join(tag.sub(instead[opening], piece) for piece in _pieces(text, opening))
    return text


def _pieces(text: str, opening: str) -> Iterator[str]:
    """`text`, cut where no tag is cut: a regular expression holds the interpreter for as long as it runs."""
    start = 0
    while len(text) - start > _STRETCH and (end := text.find(opening, start + _STRETCH)) > 0:
        yield text[start:end]
        start = end
    yield text[start:]


def call_text(name: str, arguments: Any, call_id: str = "") -> str:
    """A call as the assistant wrote it. `arguments` is JSON text or a value; text that is no JSON becomes a string."""
    if isinstance(arguments, str):
        try:
            json.loads(arguments)
        except (ValueError, RecursionError):
            arguments = json.dumps(arguments, ensure_ascii=False) if arguments.strip() else "{}"
    else:
        arguments = json.dumps({} if arguments is None else arguments, ensure_ascii=False)
    body = f'{{"name": {json.dumps(name, ensure_ascii=False)}, "arguments": {arguments}}}'
    return f"<tool_call{_attribute('id', call_id)}>{escape_json(body)}</tool_call>"


def result_text(text: str, *, call_id: str = "", name: str = "", error: bool = False) -> str:
    """A tool's result; `text` is already escaped."""
    failed = ' error="true"' if error else ""
    attributes = _attribute("id", call_id) + _attribute("name", name) + failed
    return f"<tool_response{attributes}>\n{text or '(no output)'}\n</tool_response>"


def _attribute(key: str, value: str) -> str:
    return f' {key}="{_NOT_IN_ATTRIBUTE.sub("_", value[:_LONGEST_ATTRIBUTE])}"' if value else ""
