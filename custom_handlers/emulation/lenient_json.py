"""JSON as models write it: in a fence, with a trailing comma, escaped for XML, as Python.

Only flaws with one possible meaning are mended. A wrong escape or a quote too many is none of them: whoever reads past
it runs a call that the model did not mean.
"""

import ast
import html
import json
import re
from collections.abc import Iterator
from typing import Any

_FENCE = re.compile(r"```[\w-]*\s*+")
_MEND = re.compile(r'("(?:[^"\\]|\\.)*+")|,(?=\s*[}\]])|\b(True|False|None)\b', re.DOTALL)
_WORDS = {"True": "true", "False": "false", "None": "null"}
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_BETWEEN = re.compile(r"[\s,;]*")
_SURPLUS = re.compile(r"[\s}\]]*")
_PAIRS = {"{": "}", "[": "]"}
_START = re.compile(r"[{\[]")
_MOST_TRIES = 50
_MOST_READ = 5_000_000  # characters, in all tries
_MOST_VALUES = 1000
# Beyond these the interpreter would be held for too long; what is well-formed JSON is read at any length.
_MOST_PYTHON = 100_000
_MOST_MENDED = 500_000
_INVISIBLE = "\ufeff\u200b\u2060"
_PAIR, _SURROGATE = re.compile("[\ud800-\udbff][\udc00-\udfff]"), re.compile("[\ud800-\udfff]")


class InvalidJSONError(ValueError):
    """Says what cannot be read, in words for the model."""


def read(text: str, *, closed: bool = True) -> list[Any]:
    """The JSON values in `text`, usually one. Missing brackets are added only when `closed`: otherwise the text may be
    cut off. Raises Unreadable.
    """
    text = unfenced(text)
    problems = []
    for attempt in _attempts(text, closed):
        try:
            if values := list(_values(attempt)):
                return values
            problems.append("there is nothing in it")
        except (ValueError, RecursionError) as error:
            problems.append(str(error))
    raise InvalidJSONError(f"it is not valid JSON ({problems[0]})")


def values_within(text: str) -> Iterator[Any]:
    """Objects and lists that stand somewhere in `text`, which may be prose."""
    at, left = 0, _MOST_READ
    for _ in range(_MOST_TRIES):
        if left <= 0 or not (start := _START.search(text, at)):
            return
        at = start.start()
        try:
            value, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            # A bracket that never closes is read to the end, and so is the next one.
            left -= error.pos - at if isinstance(error, json.JSONDecodeError) else len(text) - at
            at += 1
        else:
            at = end
            yield value


def read_python(text: str) -> ast.expr:
    """`text` as a Python expression. Raises Unreadable."""
    if len(text) > _MOST_PYTHON:
        raise InvalidJSONError("it is too long to be read as Python")
    try:
        return ast.parse(unfenced(text).strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise InvalidJSONError(f"it is neither JSON nor Python ({type(error).__name__})") from None


def literal(node: ast.expr) -> Any:
    """The value of a Python literal. Raises Unreadable for anything else."""
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError, MemoryError):
        raise InvalidJSONError("its arguments are not plain values") from None


def dumps(value: Any) -> str:
    """Compact and strict JSON that can be sent as UTF-8. Raises Unreadable for what JSON has no form for."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise InvalidJSONError("it holds a value that JSON has no form for") from None
    return well_formed(text)


def well_formed(text: str) -> str:
    """`text` with U+FFFD for each surrogate without its partner: it could not be sent as UTF-8."""
    if text.isascii():
        return text
    try:
        text.encode()  # many times as fast as a search for them
    except UnicodeEncodeError:
        pass
    else:
        return text
    joined = _PAIR.sub(lambda pair: pair[0].encode("utf-16-le", "surrogatepass").decode("utf-16-le"), text)
    return _SURROGATE.sub("\ufffd", joined)


def unfenced(text: str) -> str:
    text = text.strip().lstrip(_INVISIBLE).strip()
    if fence := _FENCE.match(text):
        text = text[fence.end() :].removesuffix("```").rstrip()
    return text


def _attempts(text: str, closed: bool) -> Iterator[str]:
    if len(text) > _MOST_MENDED:
        yield text
        return
    for plain in (text, html.unescape(text)) if "&" in text else (text,):
        yield plain
        mended = _MEND.sub(lambda match: match[1] or _WORDS.get(match[2], ""), plain)
        yield mended
        if closed:
            yield mended + _missing_brackets(mended)


def _values(text: str) -> Iterator[Any]:
    at = 0
    for _ in range(_MOST_VALUES):
        if _SURPLUS.fullmatch(text, at):
            return
        value, at = _DECODER.raw_decode(text, at)
        yield value
        at = _BETWEEN.match(text, at).end()  # type: ignore[union-attr]
    raise ValueError(f"it holds more than {_MOST_VALUES} values")


def _missing_brackets(text: str) -> str:
    open_ones: list[str] = []
    for bracket in re.findall(r"[{}\[\]]", _STRING.sub("", text)):
        if bracket in _PAIRS:
            open_ones.append(_PAIRS[bracket])
        elif not open_ones or open_ones.pop() != bracket:
            return ""
    return "".join(reversed(open_ones))


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


# Not strict: models put raw line breaks into strings.
_DECODER = json.JSONDecoder(strict=False, parse_constant=_no_constant)
