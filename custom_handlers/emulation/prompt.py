"""One prompt out of a conversation: StackSpot's agents take a single text.

A lone user message goes as it is. Anything else becomes a transcript:

    === SYSTEM ===        system and developer text that precedes the first answer
    === TOOLS ===         the tools, where there are any
    === USER ===          the turns, in order
    === FORMAT ===        how to answer
    === ASSISTANT ===     the cue

All up to FORMAT is the same from turn to turn. A line in a message that looks like one of these marks gets a backslash
in front; all other text stays byte for byte.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from custom_handlers.emulation.lenient_json import well_formed
from custom_handlers.emulation.tool_syntax import call_text, escape_tags, result_text
from custom_handlers.wire.errors import BadRequest

FORMAT = (
    "The text above is a conversation. Lines such as `=== USER ===` mark who speaks; behind a backslash such a line "
    "or tag is only quoted. Write the assistant's next message, and nothing else: no mark, no other speaker's turn."
)

_ROLES = {"system": "SYSTEM", "developer": "SYSTEM", "user": "USER", "assistant": "ASSISTANT"}
_RESULTS = ("tool", "function")
_TEXT_PARTS = ("text", "input_text", "output_text", "refusal")
_DROPPED_PARTS = ("thinking", "redacted_thinking", "reasoning")
_FILE_PARTS = ("image_url", "image", "input_image", "input_audio", "audio", "file", "input_file", "document")

# All that str.splitlines() takes for the end of a line.
_LINE_END = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
# A line whose first printable ASCII character is an equals sign, or that has none before a full-width one.
_CANDIDATE = re.compile(rf"([{_LINE_END}])([^!-\[\]-~＝{_LINE_END}]*+[=＝][^{_LINE_END}]*+)")
_MARK = re.compile(r"\\*={3,}(?:system|developer|user|assistant|tools?|function|format)(?:[=:(]|$)")
_NAME = re.compile(r"[\w.-]{1,64}")

Attachments = Mapping[tuple[int, int], str]


def render(
    messages: Sequence[Mapping[str, Any]],
    *,
    tools: str = "",
    rules: str = "",
    attachments: Attachments | None = None,
) -> str:
    """The prompt for `messages` (OpenAI's chat format).

    `tools` describes the tools and `rules` says how to answer; with either, a lone user message becomes a transcript
    too. `attachments` holds a note for each file part that was uploaded, under its (message, part) indexes. Raises
    BadRequest, naming the place, for whatever cannot be rendered, and nothing else.
    """
    if not isinstance(messages, list | tuple) or not messages:
        raise BadRequest("`messages` must be a list with at least one message.", param="messages")
    turns = _Transcript(messages, attachments or {}, escape=bool(tools)).turns
    if not any(text.strip() for _, text in turns):
        raise BadRequest("`messages` holds no text.", param="messages")
    if len(messages) == 1 and messages[0]["role"] == "user" and not tools and not rules:
        return well_formed(_Content(messages[0], 0, attachments or {}).text)
    first_answer = next((i for i, (mark, _) in enumerate(turns) if mark == "ASSISTANT"), len(turns))
    opening, rest = turns[:first_answer], turns[first_answer:]
    sections = [turn for turn in opening if turn[0] == "SYSTEM"]
    sections += [("TOOLS", tools)] if tools else []
    sections += [turn for turn in opening if turn[0] != "SYSTEM"] + rest
    sections.append(("FORMAT", f"{FORMAT}\n\n{rules}" if rules else FORMAT))
    return well_formed("".join(f"=== {mark} ===\n{text}\n\n" for mark, text in sections) + "=== ASSISTANT ===\n")


def file_parts(
    messages: Sequence[Mapping[str, Any]], *, results: bool = True
) -> list[tuple[int, int, Mapping[str, Any]]]:
    """The parts that hold images, sound or files, with their (message, part) indexes for `attachments`.

    `results` says whether those of tool results are wanted, which render can do without.
    """
    return [
        (i, j, part)
        for i, message in enumerate(messages if isinstance(messages, list | tuple) else ())
        for j, part in enumerate(_parts(message))
        if isinstance(part, Mapping)
        and part.get("type") in _FILE_PARTS
        and (results or message.get("role") not in _RESULTS)
    ]


def escape_marks(text: str) -> str:
    """`text` with a backslash before each line that looks like a mark; the rest as it is."""
    if "=" not in text and "＝" not in text:
        return text
    return _CANDIDATE.sub(lambda line: f"{line[1]}\\{line[2]}" if _is_mark(line[2]) else line[0], "\n" + text)[1:]


def _is_mark(line: str) -> bool:
    plain = unicodedata.normalize("NFKC", line).casefold()
    return bool(_MARK.match("".join(c for c in plain if c.isalnum() or "!" <= c <= "~")))


def _parts(message: Any) -> Sequence[Any]:
    content = message.get("content") if isinstance(message, Mapping) else None
    return content if isinstance(content, list | tuple) else ()


class _Content:
    """The text of one message's content; raises BadRequest for parts that are none."""

    def __init__(self, message: Mapping[str, Any], index: int, attachments: Attachments, *, note: bool = False) -> None:
        self._where = f"messages[{index}].content"
        content = message.get("content")
        if content is None or isinstance(content, str):
            self.text: str = content or ""
        elif isinstance(content, list | tuple):
            texts = (self._part(part, j, attachments.get((index, j)), note) for j, part in enumerate(content))
            self.text = "\n".join(text for text in texts if text is not None)
        else:
            raise BadRequest(f"`{self._where}` must be text or a list of parts.", param=self._where)
        if isinstance(refusal := message.get("refusal"), str) and refusal:
            self.text = f"{self.text}\n{refusal}" if self.text else refusal

    def _part(self, part: Any, index: int, uploaded: str | None, note: bool) -> str | None:
        where = f"{self._where}[{index}]"
        if isinstance(part, str):
            return part
        kind = part.get("type") if isinstance(part, Mapping) else None
        if uploaded is not None:
            return uploaded
        if kind in _DROPPED_PARTS:
            return None
        if kind in _TEXT_PARTS and isinstance(text := part.get("refusal" if kind == "refusal" else "text"), str):
            return text
        if kind in _FILE_PARTS and note:
            return f"[{kind} left out: this model reads text only]"
        if kind in _FILE_PARTS:
            raise BadRequest(f"`{where}` is of type `{kind}`, but this model reads text only.", param=where)
        raise BadRequest(f"`{where}` is no content part that this model knows.", param=where)


class _Transcript:
    """`turns`: mark and text of each message that says something, names of the tools found for their results."""

    def __init__(self, messages: Sequence[Any], attachments: Attachments, *, escape: bool) -> None:
        self._attachments = attachments
        self._tagged = escape or any(
            isinstance(m, Mapping) and (m.get("tool_calls") or m.get("function_call") or m.get("role") in _RESULTS)
            for m in messages
        )
        self._called: dict[str, str] = {}
        self.turns: list[tuple[str, str]] = []
        for index, message in enumerate(messages):
            if not isinstance(message, Mapping):
                raise BadRequest(f"`messages[{index}]` must be an object.", param=f"messages[{index}]")
            mark, text = self._turn(message, index)
            if text.strip():
                self.turns.append((mark, text))

    def _turn(self, message: Mapping[str, Any], index: int) -> tuple[str, str]:
        role = message.get("role")
        if isinstance(role, str) and role in _RESULTS:
            return "TOOL", self._result(message, index)
        if not isinstance(role, str) or role not in _ROLES:
            where = f"messages[{index}].role"
            raise BadRequest(f"`{where}` must be one of: {', '.join((*_ROLES, *_RESULTS))}.", param=where)
        text = self._escape(_Content(message, index, self._attachments).text)
        if role == "assistant":
            return _ROLES[role], "\n".join(filter(None, (text, *self._calls(message, f"messages[{index}]"))))
        name = message.get("name")
        named = role == "user" and isinstance(name, str) and _NAME.fullmatch(name)
        return f"{_ROLES[role]} ({name})" if named else _ROLES[role], text

    def _escape(self, text: str) -> str:
        return escape_marks(escape_tags(text) if self._tagged else text)

    def _calls(self, message: Mapping[str, Any], where: str) -> list[str]:
        calls = message.get("tool_calls") or []
        if not isinstance(calls, list | tuple):
            raise BadRequest(f"`{where}.tool_calls` must be a list.", param=f"{where}.tool_calls")
        texts = [self._call(call, f"{where}.tool_calls[{k}]") for k, call in enumerate(calls)]
        if legacy := message.get("function_call"):
            texts.append(self._call({"function": legacy}, f"{where}.function_call"))
        return texts

    def _call(self, call: Any, where: str) -> str:
        body = (call.get("function") or call.get("custom")) if isinstance(call, Mapping) else None
        name = body.get("name") if isinstance(body, Mapping) else None
        if not isinstance(name, str) or not isinstance(body, Mapping):
            raise BadRequest(f"`{where}` must name the function that it calls.", param=where)
        call_id = call.get("id")
        call_id = call_id if isinstance(call_id, str) else ""
        self._called[call_id] = name
        arguments = {"input": body["input"]} if "input" in body else body.get("arguments")
        try:
            return call_text(name, arguments, call_id)
        except (TypeError, ValueError, RecursionError):
            raise BadRequest(f"The arguments of `{where}` are not JSON.", param=where) from None

    def _result(self, message: Mapping[str, Any], index: int) -> str:
        text = self._escape(_Content(message, index, self._attachments, note=True).text)
        call_id = message.get("tool_call_id")
        call_id = call_id if isinstance(call_id, str) else ""
        name = message.get("name")
        return result_text(
            text,
            call_id=call_id,
            name=name if isinstance(name, str) and name else self._called.get(call_id, ""),
            error=message.get("is_error") is True,
        )
