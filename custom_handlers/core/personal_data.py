"""Finds personal numbers of Brazil in a text: CPF, CNPJ, telephone numbers and postal codes (CEP).

A number that is written with all its marks counts as it is. A bare one counts when its check digits are right, or when
it is a mobile number with an area code that exists: other long numbers are code, and stay.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence

SLICE = 32 * 1024  # characters that are read without a pause
_LONGEST = 64  # more than any number with its marks, and what is looked at behind it
_DASH = r"[-\u2010-\u2015\u2212]"
_BLANK = r"[ \u00a0]"
# The area codes in use.
_AREA = "(?:1[1-9]|2[12478]|3[1-578]|4[1-9]|5[1345]|6[1-9]|7[134579]|8[1-9]|9[1-9])"
_LABEL = "|".join(rf"(?<=[cC][eE][pP][^0-9A-Za-z\n]{{{between}}}[0-9]{{8}})" for between in range(7))
# Everything stands behind one first character, as a search that begins with a set of characters is ten times as fast.
# All alternatives are bounded, and so the search is linear for any text.
_NUMBER = re.compile(
    rf"""
    [0-9(+](?:
      (?:(?<=[(+])|(?<![0-9A-Za-z].)|(?<=[cC][pP][fF].)|(?<=[cC][nN][pP][jJ].))
      (?:
        (?P<PHONE>
          (?<=\+)55[ .-]?\(?0?{_AREA}\)?[ .-]?9?[0-9]{{4}}[ .-]?[0-9]{{4}}
          |(?<=5)5{_AREA}9[0-9]{{8}}
          |(?<=\()0?{_AREA}\){_BLANK}?9?{_BLANK}?[0-9]{{4}}(?:{_BLANK}|{_DASH}|\.)?[0-9]{{4}}
          |[0-9]{{1,2}}(?:(?<=0{_AREA})|(?<={_AREA})){_BLANK}9?{_BLANK}?[0-9]{{4}}{_DASH}[0-9]{{4}}(?!{_DASH}[0-9])
          |(?<=9)[0-9]{{4}}{_DASH}[0-9]{{4}}(?!{_DASH}[0-9])
        )
        |(?P<CPF>(?<=[0-9])[0-9]{{2}}\.[0-9]{{3}}\.[0-9]{{3}}(?:{_DASH}|/)[0-9]{{2}})
        |(?P<CEP>(?<![0-9]-.)(?<=[0-9])[0-9]\.?[0-9]{{3}}{_DASH}[0-9]{{3}}(?!{_DASH}[0-9]))
        |(?P<LABELLED>(?<=[0-9])[0-9]{{7}}(?:{_LABEL}))
        |(?<=[0-9])(?<![0-9]\..)(?P<BARE>
          [0-9]{{2}}(?:{_BLANK}|\.)?[0-9]{{3}}(?:{_BLANK}|\.)?[0-9]{{3}}(?:{_BLANK}|{_DASH}|[./])?[0-9]{{2}}
          |[0-9](?:{_BLANK}|\.)?[0-9]{{3}}(?:{_BLANK}|\.)?[0-9]{{3}}(?:{_BLANK}|/)?
            [0-9]{{4}}(?:{_BLANK}|{_DASH})?[0-9]{{2}}
        )(?!\.[0-9])
      )
      |[0-9](?<=(?:(?<![0-9A-Za-z])(?<![0-9]\.)|(?<=[cC][nN][pP][jJ]))(?P<WORD>[0-9A-Za-z]{{14}}))(?!\.[0-9])
      |[0-9](?<=(?<![0-9A-Za-z])(?P<SLASHED>[0-9A-Za-z]{{8}}/[0-9A-Za-z]{{4}}{_DASH}[0-9]{{2}}))
      |[0-9](?<=(?<![0-9A-Za-z])
        (?P<CNPJ>[0-9A-Za-z]{{2}}\.[0-9A-Za-z]{{3}}\.[0-9A-Za-z]{{3}}/[0-9A-Za-z]{{4}}{_DASH}[0-9]{{2}}))
    )
    (?![0-9A-Za-z])
    """,
    re.VERBOSE,
)
_MARKS = re.compile("[^0-9A-Za-z]")
_MOBILE = re.compile(rf"(?:55)?{_AREA}9[0-9]{{8}}")
_CPF_WEIGHTS = (range(10, 1, -1), range(11, 1, -1))
_CNPJ_WEIGHTS = ((5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2), (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2))


def placeholder(kind: str) -> str:
    """What stands in place of a number."""
    return f"[{kind}_REDACTED]"


def mask_text(text: str, piece: int = SLICE) -> Generator[None, None, str]:
    """`text` with a placeholder for each number; pauses after each `piece`."""
    kept: list[str] = []
    at = taken = 0
    while at < len(text):
        end = at + piece
        while at < end:
            found = _NUMBER.search(text, at, end + _LONGEST)
            if not found or found.start() >= end:
                at = end
            elif kind := _kind(found):
                start = max(taken, _start(found))
                kept += [text[taken:start], placeholder(kind)]
                at = taken = found.end()
            else:
                at = found.start() + 1
        yield
    return "".join([*kept, text[taken:]]) if kept else text


def kind_of_bare(text: str, *, named: str = "") -> str | None:
    """What the digits and letters of `text` are, alone; `named` is the member of an object that holds them."""
    number = _MARKS.sub("", text).upper()
    if len(number) == len("00000000") and number.isdecimal() and "cep" in named.casefold():
        return "CEP"
    if len(number) == len("00000000000") and _has_check_digits(number, _CPF_WEIGHTS):
        return "CPF"
    if len(number) == len("00000000000000") and _has_check_digits(number, _CNPJ_WEIGHTS):
        return "CNPJ"
    return "PHONE" if _MOBILE.fullmatch(number) else None


def _kind(found: re.Match[str]) -> str | None:
    groups = found.groupdict()
    for kind in ("PHONE", "CPF", "CNPJ", "CEP"):
        if groups[kind]:
            return kind
    if groups["LABELLED"]:
        return "CEP"
    return kind_of_bare(groups["WORD"] or groups["SLASHED"] or found[0])


def _start(found: re.Match[str]) -> int:
    """Where the number begins: some alternatives find it by its last digits."""
    return min(found.start(name) if found[name] else found.start() for name in ("WORD", "SLASHED", "CNPJ"))


def _has_check_digits(number: str, weights: Sequence[Sequence[int]]) -> bool:
    """Whether the last two characters follow from the others: a letter counts as its ASCII code minus 48.

    Numbers of one repeated digit would fit, and are not given to anybody.
    """
    values = [ord(character) - ord("0") for character in number]
    if len(set(values)) == 1 or not number[-2:].isdecimal() or not number.isascii():
        return False
    for at, each in zip((-2, -1), weights, strict=True):
        rest = sum(value * weight for value, weight in zip(values[:at], each, strict=True)) % 11
        if values[at] != (0 if rest < 2 else 11 - rest):
            return False
    return True
