"""Calls that are no JSON as a whole: names before arguments, and parameters between tags.

    read_file<arg_key>path</arg_key><arg_value>a.py</arg_value>         GLM 4.5 and later, between <tool_call> tags
    functions.read_file:0<|tool_call_argument_begin|>{"path": "a.py"}   Kimi K2
    function<｜tool▁sep｜>read_file                                      DeepSeek V3, V3.1
    call:read_file{path:<|"|>a.py<|"|>}                                 Gemma
    <parameter=path>a.py</parameter>                                    Qwen3-Coder; <parameter name="path">: Claude,
                                                                        MiniMax, DeepSeek V3.2; <param name="path">:
                                                                        MiniCPM5
A parameter's value is text: what it means is for the tool's schema to say.
"""

import json
import re
from collections.abc import Collection
from typing import Any

from custom_handlers.emulation.lenient_json import InvalidJSONError, read, unfenced

_DSML = "｜DSML｜ ?"
_WORD = "param(?:eter)?"
_HEADS = [
    re.compile(r"\s*(?:<\|tool_call_begin\|>)?\s*([\w.:/-]+?)(?::\d+)?\s*<\|tool_call_argument_begin\|>"),
    re.compile(r"\s*(?:function\s*)?<｜tool▁sep｜>\s*([\w.:/-]+)"),
    re.compile(r"\s*([\w.:/-]+)\s*<｜tool▁sep｜>"),
]
_GEMMA = re.compile(r"\s*call:([\w.:/-]+)\s*(\{.*\})\s*", re.DOTALL)
_GEMMA_TOKEN = re.compile(
    r'<\|"\|>(.*?)<\|"\|>|("(?:[^"\\]|\\.)*+")|([{,]\s*)([^\s{}\[\],:"<][^{}\[\],:"<]*?)\s*:', re.DOTALL
)
_NAME = re.compile(r"[\s\u200b-\u200d\u2060\ufeff]*([\w.:/-]{1,200})")
_ARG = re.compile(
    r"\s*<arg_key>([^<]{1,200})</arg_key>\s*<arg_value>()(.*?)</arg_value>(?=\s*(?:<arg_key>|\Z))", re.DOTALL
)
_PARAMETER = re.compile(
    rf"\s*<(?:antml:|{_DSML})?{_WORD}(?:=|\s+name=)[\"']?([^\"'<>]+?)[\"']?(\s[^<>]*)?>(.*?)"
    rf"</(?:antml:|{_DSML})?{_WORD}>(?=\s*(?:<(?:antml:|{_DSML})?param|\Z))",
    re.DOTALL,
)
_BEGUN = re.compile(rf"\n<(?:antml:|{_DSML})?{_WORD}[=\s][^<>\n]*>|<arg_key>[^<]{{1,200}}</arg_key>\s*<arg_value>")
_ENDED = re.compile(rf"</(?:antml:|{_DSML})?{_WORD}>|</arg_value>")
_CHILD = re.compile(r"\s*<([A-Za-z_][\w.-]*)>()(.*?)</\1>", re.DOTALL)
PATCH = re.compile(r"\s*\*\*\* Begin Patch\b.*\*\*\* End Patch\s*", re.DOTALL)


def read_named(name: str, body: str, *, closed: bool) -> list[tuple[str, Any]]:
    """A call whose name stands before its arguments, which are parameters between tags, or JSON. Raises Unreadable."""
    if not body.strip():
        return [(name, {})]
    if not body.lstrip().startswith("<"):
        values = read(body, closed=closed)
        return [(name, values[0] if len(values) == 1 else values)]
    return [(name, _pairs(_PARAMETER, body, closed))]


def read_child_tags(name: str, body: str) -> list[tuple[str, Any]]:
    """A call as Cline and Roo Code have models write them: <read_file><path>a.py</path></read_file>."""
    return [(name, _pairs(_CHILD, body, True))]


def read_headed(body: str, names: Collection[str], *, closed: bool) -> list[tuple[str, Any]] | None:
    """The call in `body` if it begins with its name in one of the known ways, else None. Raises Unreadable."""
    for head in _HEADS:
        if found := head.match(body):
            return read_named(found[1], unfenced(body[found.end() :]), closed=closed)
    if gemma := _GEMMA.fullmatch(body):
        return [(gemma[1], read(_GEMMA_TOKEN.sub(_as_json, gemma[2]), closed=False)[0])]
    if not (found := _NAME.match(body)) or not closed:
        return None
    name, rest = found[1], body[found.end() :]
    if "<arg_key>" in rest:
        return [(name, _pairs(_ARG, rest, closed))]
    if name in names and (not rest.strip() or rest[0].isspace()) and rest.lstrip()[:1] in ("", "{", "`", "<"):
        return read_named(name, unfenced(rest), closed=closed)
    return None


def _pairs(pattern: re.Pattern[str], body: str, closed: bool) -> dict[str, Any]:
    pairs: dict[str, Any] = {}
    at = 0
    while found := pattern.match(body, at):
        key, attributes, value = found[1].strip(), found[2] or "", found[3]
        if len(_BEGUN.findall(value)) > len(_ENDED.findall(value)):
            raise InvalidJSONError(f"its parameter `{key[:100]}` does not end")
        if key in pairs:
            raise InvalidJSONError(f"it gives `{key[:100]}` twice")
        pairs[key] = read(value)[0] if 'string="false"' in attributes else _value(value)
        at = found.end()
    if body[at:].strip() or not closed:
        raise InvalidJSONError("its parameters are not complete")
    return pairs


def _value(text: str) -> str:
    """Line breaks right behind the opening tag and before the closing one are layout, as in Qwen's template."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == "\n" else text


def _as_json(token: re.Match[str]) -> str:
    if token[1] is not None:
        return json.dumps(token[1], ensure_ascii=False)
    return token[2] or f"{token[3]}{json.dumps(token[4], ensure_ascii=False)}:"
