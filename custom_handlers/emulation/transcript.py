"""The turns of a conversation as text, each result with the call that it answers."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from custom_handlers.core.errors import BadRequestError
from custom_handlers.emulation.content import RESULTS, Attachments, content_text
from custom_handlers.emulation.role_headers import one_line, shown_name, shown_speaker
from custom_handlers.emulation.tool_call_format import call_text, escape_tags, result_text

_ROLES = {"system": "SYSTEM", "developer": "SYSTEM", "user": "USER", "assistant": "ASSISTANT"}


@dataclass(frozen=True, slots=True)
class Turn:
    """What one message says. `speaker` is a name that a user's message has, or empty."""

    role: str
    text: str
    speaker: str = ""

    @property
    def title(self) -> str:
        return f"{self.role} ({self.speaker})" if self.speaker else self.role


def read_turns(messages: Sequence[Any], attachments: Attachments, *, tools: bool) -> list[Turn]:
    """The turns that say something. With `tools`, or if tools were used before, tags in texts are escaped.

    Raises BadRequestError, naming the place, for what cannot be read, and when the last calls wait for a result.
    """
    tagged = tools or any(
        isinstance(m, Mapping) and (m.get("tool_calls") or m.get("function_call") or m.get("role") in RESULTS)
        for m in messages
    )
    log = _CallLog()
    turns = []
    for index, message in enumerate(messages):
        if not isinstance(message, Mapping):
            raise BadRequestError(f"`messages[{index}]` must be an object.", param=f"messages[{index}]")
        turn = _turn(message, index, attachments, log, tagged=tagged)
        if turn.text and not turn.text.isspace():
            turns.append(turn)
    log.check()
    return turns


def _turn(message: Mapping[str, Any], index: int, attachments: Attachments, log: "_CallLog", *, tagged: bool) -> Turn:
    role = message.get("role")
    if not isinstance(role, str) or (role not in _ROLES and role not in RESULTS):
        where = f"messages[{index}].role"
        raise BadRequestError(f"`{where}` must be one of: {', '.join((*_ROLES, *RESULTS))}.", param=where)
    text = content_text(message, index, attachments)
    if tagged:
        text = escape_tags(text)
    if role in RESULTS:
        call_id, name = log.answered(_text(message, "tool_call_id"), _text(message, "name"))
        failed = message.get("is_error") is True
        return Turn("TOOL", result_text(text, call_id=call_id, name=name, error=failed))
    asked = _calls(message, f"messages[{index}]") if role == "assistant" else []
    log.asked(asked)
    if asked:
        text = "\n".join([*([text] if text else []), *(call.text for call in asked)])
    name = _text(message, "name") if role == "user" else ""
    return Turn(_ROLES[role], text, shown_speaker(name) if name else "")


def _text(message: Mapping[str, Any], key: str) -> str:
    value = message.get(key)
    return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True)
class _Call:
    where: str
    id: str
    name: str
    text: str


def _calls(message: Mapping[str, Any], where: str) -> list[_Call]:
    calls = message.get("tool_calls") or []
    if not isinstance(calls, list | tuple):
        raise BadRequestError(f"`{where}.tool_calls` must be a list.", param=f"{where}.tool_calls")
    found = [_call(call, f"{where}.tool_calls[{k}]") for k, call in enumerate(calls)]
    if functions_api := message.get("function_call"):
        found.append(_call({"function": functions_api}, f"{where}.function_call"))
    return found


def _call(call: Any, where: str) -> _Call:
    body = (call.get("function") or call.get("custom")) if isinstance(call, Mapping) else None
    name = body.get("name") if isinstance(body, Mapping) else None
    if not isinstance(name, str) or not isinstance(body, Mapping):
        raise BadRequestError(f"`{where}` must name the function that it calls.", param=where)
    call_id = _text(call, "id")
    arguments = {"input": body["input"]} if "input" in body else body.get("arguments")
    try:
        return _Call(where, call_id, name, call_text(shown_name(name), arguments, call_id))
    except (TypeError, ValueError, RecursionError):
        raise BadRequestError(f"The arguments of `{where}` are not JSON.", param=where) from None


class _CallLog:
    """Which calls of the latest message that made any still wait for their result."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}  # of all calls so far, by id
        self._waiting: dict[int, _Call] = {}
        self._found: dict[tuple[str | None, str | None], deque[int]] = {}

    def asked(self, calls: Sequence[_Call]) -> None:
        """A message other than a result, with the `calls` that it makes: those before it are given up."""
        if not calls and not self._waiting:
            return
        self._names.update((call.id, call.name) for call in calls)
        self._waiting = dict(enumerate(calls))
        self._found = {}
        for number, call in self._waiting.items():
            for key in ((call.id, call.name), (call.id, None), (None, call.name), (None, None)):
                self._found.setdefault(key, deque()).append(number)

    def answered(self, call_id: str, name: str) -> tuple[str, str]:
        """Id and name of the call that a result with this id and name is of. Some clients leave out either, or give
        two calls the same id: then the first that waits is meant.
        """
        keys: list[tuple[str | None, str | None]] = [(call_id, name), (call_id, None)]
        if not call_id or call_id not in self._names:
            keys += [(None, name), (None, None)]
        for key in keys:
            waiting = self._found.get(key, ())
            while waiting:
                if call := self._waiting.pop(waiting.popleft(), None):
                    return call.id or call_id, shown_name(call.name)
        return call_id, shown_name(name or self._names.get(call_id, ""))

    def check(self) -> None:
        """Raises BadRequestError if the conversation ends while calls wait."""
        for call in self._waiting.values():
            which = f"call `{one_line(call.id, 100)}` of" if call.id else "call of"
            raise BadRequestError(
                f"The result of `{call.where}` ({which} `{shown_name(call.name)}`) is missing: send it as a message of "
                "role `tool` before the model is asked again.",
                param=call.where,
            )
