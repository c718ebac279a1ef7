"""What stands between a call's tags, in all the forms that models use, as names and arguments."""

import ast
import re
from collections.abc import Mapping
from typing import Any

from custom_handlers.emulation.lenient_json import Unreadable, literal, read, read_python

_NAMES = ("name", "tool", "tool_name", "function")
_ARGUMENTS = ("arguments", "parameters", "args", "input")
_BESIDE = {*_NAMES, "id", "type", "index"}
_PYTHON_CALL = re.compile(r"\s*(?:```[\w-]*\s*)?[\[(\s]*[A-Za-z_][\w.]*\s*\(")
_PYTHON_DICT = re.compile(r"\s*(?:```[\w-]*\s*)?[\[{\s]*'")

# How text starts that can be a call; what stands between tags and does not is prose about tags.
CALLISH = re.compile(rf"\s*(?:[\[{{`\"'&<]|\Z|{_PYTHON_CALL.pattern})")


def read_calls(body: str, *, closed: bool) -> list[tuple[str, Any]]:
    """Name and arguments of each call in `body`, in order; arguments that go by position are a list.

    `closed` says that the end mark was there. Raises Unreadable when any of it is no call.
    """
    if _PYTHON_CALL.match(body):
        return _python_calls(read_python(body))
    values = [literal(read_python(body))] if _PYTHON_DICT.match(body) else read(body, closed=closed)
    return [call for value in values for call in _calls(value, closed)]


def _calls(value: Any, closed: bool) -> list[tuple[str, Any]]:
    if isinstance(value, list) and value:
        return [call for item in value for call in _calls(item, closed)]
    if isinstance(value, Mapping) and isinstance(several := value.get("tool_calls"), list):
        return _calls(several, closed)
    if isinstance(value, Mapping) and isinstance(function := value.get("function"), Mapping):
        return _calls(function, closed)
    key = next((key for key in _ARGUMENTS if key in value), None) if isinstance(value, Mapping) else None
    if not isinstance(value, Mapping) or not (name := next((value[key] for key in _NAMES if key in value), None)):
        raise Unreadable('it is not an object with "name" and "arguments"')
    if not isinstance(name, str) or (key is None and value.keys() - _BESIDE):
        raise Unreadable('it must hold "name", a string, and "arguments", an object')
    return [(name, _arguments(value[key] if key else None, closed))]


def _arguments(value: Any, closed: bool) -> Any:
    if value is None or value == "":
        return {}
    if isinstance(value, str):
        values = read(value, closed=closed)
        value = values[0] if len(values) == 1 else values
    if not isinstance(value, Mapping | list):
        raise Unreadable('"arguments" is not an object')
    return value


def _python_calls(node: ast.expr) -> list[tuple[str, Any]]:
    if isinstance(node, ast.List | ast.Tuple):
        return [call for item in node.elts for call in _python_calls(item)]
    if not isinstance(node, ast.Call):
        raise Unreadable("it is not a call")
    named = {keyword.arg: literal(keyword.value) for keyword in node.keywords if keyword.arg}
    placed = [literal(argument) for argument in node.args]
    if (placed and named) or len(named) != len(node.keywords):
        raise Unreadable("its arguments have no names")
    if len(placed) == 1 and isinstance(placed[0], dict):
        placed, named = [], placed[0]
    return [(ast.unparse(node.func), placed or named)]
