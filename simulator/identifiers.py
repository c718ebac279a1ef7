"""ULIDs: what StackSpot calls agents, conversations, messages, uploads and executions by (DOC-AG, STKAI)."""

from __future__ import annotations

import random
import re
import time

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ULID = re.compile(rf"[0-7][{ALPHABET}]{{25}}")


def new_ulid() -> str:
    """A fresh ULID: 48 bits of milliseconds, then 80 random bits, in Crockford base 32."""
    number = (time.time_ns() // 1_000_000 << 80) | random.getrandbits(80)
    digits = []
    for _ in range(26):
        number, digit = divmod(number, 32)
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))


def is_ulid(text: str) -> bool:
    """Whether `text` has the form of a ULID, upper case."""
    return _ULID.fullmatch(text) is not None
