"""What stands between a call's tags, in all the forms that models use, as names and arguments."""

import ast
import re
from collections.abc import Collection, Mapping
from typing import Any

from custom_handlers.emulation.lenient_json import InvalidJSONError, literal, read, read_python
from custom_handlers.emulation.parser.markers import SPACE
from custom_handlers.emulation.parser.tagged_calls import PATCH, read_headed

_NAMES = ("name", "tool", "function")
_ARGUMENTS = ("arguments", "parameters")
_BESIDE = {*_NAMES, "id", "type", "index"}
_PYTHON_CALL = re.compile(r"\s*(?:```[\w-]*\s*)?[\[(\s]*[A-Za-z_][\w.]*\s*\(")
_PYTHON_DICT = re.compile(r"\s*(?:```[\w-]*\s*)?[\[{\s]*'")

_PLACEHOLDER = re.compile(r"[:\[{,]\s{0,9}(?:\.\.\.|…|<[\w -]{1,40}>)\s{0,9}(?:[,}\]]|\Z)|\A\s{0,9}(?:\.\.\.|…)")
_CALLISH = re.compile(
    r"[\[{]|```|<(?:function|invoke|antml:|parameter|arg_key|｜|\|)|\*\*\* Begin Patch|call:[\w.:/-]+\{"
    r"|function\s*<｜tool"
)
_WORD = re.compile(r"[\w.:/-]*")
_MOST_WORD = 200
_MOST_MARK = 20


def callish(start: str, names: Collection[str], *, more: bool) -> bool | None:
    """Does what stands behind an opening tag start like a call, or like prose about tags? None: it is too short to
    say, and there may be `more` to come.
    """
    start = start.lstrip(SPACE)
    if not start:
        return None if more else True
    if _CALLISH.match(start):
        return True
    word = _WORD.match(start)[0]  # type: ignore[index]
    behind = start[len(word) :].lstrip(SPACE)
    undecided = len(word) < _MOST_WORD if not behind else len(behind) < _MOST_MARK and behind[0] in "<`*"
    if more and undecided and (word or start[0] in "<`*"):
        return None
    if _known(word, names) and (not behind or behind.startswith(("(", "{", "`", "</"))):
        return True
    return bool(word) and behind.startswith(("<arg_key", "<|", "<｜"))


def _known(word: str, names: Collection[str]) -> bool:
    return word in names or word.rpartition(".")[2] in names


def placeholder(body: str) -> bool:
    """Is `body` a pattern of a call, as explanations have it: {"name": ..., "arguments": <json>}?"""
    return bool(_PLACEHOLDER.search(body, 0, 2000))


def read_calls(body: str, names: Collection[str], *, closed: bool) -> list[tuple[str, Any]]:
    """Name and arguments of each call in `body`, in order; text that is no JSON is itself. `names` are the tools that
    there are.

    `closed` says that the end marker was there. Raises Unreadable when any of it is no call.
    """
    body = body.strip(SPACE)
    if PATCH.fullmatch(body) and len(patchers := [name for name in names if "patch" in name.lower()]) == 1:
        return [(patchers[0], body)]
    if headed := read_headed(body, names, closed=closed):
        return headed
    if _PYTHON_CALL.match(body):
        return _python_calls(read_python(body))
    values = [literal(read_python(body))] if _PYTHON_DICT.match(body) else read(body, closed=closed)
    return [call for value in values for call in _calls(value)]


def _calls(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, list) and value:
        return [call for item in value for call in _calls(item)]
    if isinstance(value, Mapping) and isinstance(function := value.get("function"), Mapping):
        return _calls(function)
    key = next((key for key in _ARGUMENTS if key in value), None) if isinstance(value, Mapping) else None
    if not isinstance(value, Mapping) or not (name := next((value[key] for key in _NAMES if key in value), None)):
        raise InvalidJSONError('it is not an object with "name" and "arguments"')
    if not isinstance(name, str) or (key is None and value.keys() - _BESIDE):
        raise InvalidJSONError('it must hold "name", a string, and "arguments", an object')
    return [(name, _arguments(value[key] if key else None))]


def _arguments(value: Any) -> Any:
    if value is None:
        return {}
    if not isinstance(value, Mapping | list | str):
        raise InvalidJSONError('"arguments" is not an object')
    return value


def _python_calls(node: ast.expr) -> list[tuple[str, Any]]:
    if isinstance(node, ast.List | ast.Tuple):
        return [call for item in node.elts for call in _python_calls(item)]
    if not isinstance(node, ast.Call):
        raise InvalidJSONError("it is not a call")
    named = {keyword.arg: literal(keyword.value) for keyword in node.keywords if keyword.arg}
    placed = [literal(argument) for argument in node.args]
    if len(placed) == 1 and isinstance(placed[0], dict) and not node.keywords:
        placed, named = [], placed[0]
    if placed or len(named) < len(node.keywords):
        raise InvalidJSONError("its arguments have no names")
    return [(ast.unparse(node.func), named)]
