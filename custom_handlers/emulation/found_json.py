"""Finds the JSON in an answer that should be nothing else, and answers that say no, in a bounded number of tries."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from custom_handlers.emulation.lenient_json import InvalidJSONError, read, values_within

_FENCE = "```"
_LANGUAGE = re.compile(r"[\w-]*+")
_MOST_FENCES = 50
_REFUSAL_WITHIN = 400
_UNABLE = (
    r"(?:I(?:['’]m| am)? (?:can(?:['’]t|not| not)|won['’]t|will not|unable|not able|must decline)"
    r"|n[ãa]o (?:posso|consigo|vou poder|sou capaz|estou autorizad[oa]|[ée] poss[íi]vel)|no puedo|no me es posible)"
)
_SORRY = (
    r"(?:(?:I(?:['’]m| am) (?:very |so |really )?)?sorry|I apologi[sz]e|my apologies|unfortunately|as an ai"
    r"|(?:me )?desculp[ea]|pe[çc]o desculpas|sinto muito|lamento|infelizmente|como (?:um|uma) (?:ia|modelo)|lo siento)"
)
_REFUSAL = re.compile(rf"[\s*_#>\"']*(?:{_UNABLE}|{_SORRY}\b.*?\b{_UNABLE})\b", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Found:
    """A value; `alone`: it is all of the answer, or of a fence in it."""

    value: Any
    alone: bool


def found_in(answer: str) -> Iterator[Found]:
    """JSON values in `answer`: the whole, what stands in fences, what stands in prose."""
    for text in (answer, *_fenced(answer)):
        try:
            # Not closed: an object that is cut off must not pass for a complete one.
            values = read(text, closed=False)
        except InvalidJSONError:
            continue
        if len(values) == 1:
            yield Found(values[0], alone=True)
            if text is answer:
                return
    yield from (Found(value, alone=False) for value in values_within(answer))


def refuses(answer: str) -> bool:
    """Does `answer` say, in English, Portuguese or Spanish, that there will be none?"""
    return bool(_REFUSAL.match(answer[:_REFUSAL_WITHIN]))


def _fenced(text: str) -> Iterator[str]:
    at = 0
    for _ in range(_MOST_FENCES):
        start = text.find(_FENCE, at)
        end = text.find(_FENCE, start + len(_FENCE)) if start >= 0 else -1
        if end < 0:
            return
        yield text[_LANGUAGE.match(text, start + len(_FENCE)).end() : end]  # type: ignore[union-attr]
        at = end + len(_FENCE)
