"""The lines of a prompt that say who speaks, and text that has to stay within one line.

    === USER k7q2mx ===
    === USER (bob) k7q2mx ===

Whoever writes a message does not know the mark, so no text can imitate a header. It depends on a secret of the gateway
and on the beginning of the conversation alone: it is the same in every turn and on every replica.
"""

import base64
import hashlib
import hmac
import itertools
import re
import unicodedata
from collections.abc import Iterable, Sequence

from custom_handlers.emulation.lenient_json import well_formed
from custom_handlers.emulation.tool_call_format import INVISIBLE

MARK_LENGTH = 6
LONGEST_NAME = 100

_FIRST_HEADER = re.compile(rf"=== [A-Z]+(?: \([^()\n]*\))? ([a-z2-7]{{{MARK_LENGTH}}}) ===\n")
_BLANKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_INVISIBLE = re.compile(f"[{INVISIBLE}]+")
# What could end an attribute, inline code or a string in which a name stands.
_NOT_IN_NAME = re.compile(r"[<>＜＞﹤﹥`\"\\]")
_NOT_IN_SPEAKER = re.compile(r"[^\w .@'+-]")


def header(role: str, mark: str) -> str:
    """The line that begins a section; `role` may have a speaker's name behind it."""
    return f"=== {role} {mark} ===\n"


def choose_mark(secret: bytes, beginning: Iterable[str], texts: Sequence[str]) -> str:
    """The mark for a conversation that starts with `beginning`; one that occurs in none of `texts`."""
    key = hmac.new(secret, b"prompt headers", hashlib.sha256)
    for text in beginning:
        encoded = text.encode(errors="surrogatepass")
        key.update(len(encoded).to_bytes(8))
        key.update(encoded)
    for number in itertools.count():
        digest = hmac.digest(key.digest(), str(number).encode(), "sha256")
        mark = base64.b32encode(digest)[:MARK_LENGTH].decode().lower()
        if not any(mark in text for text in texts):
            return mark
    raise AssertionError("unreachable")


def mark_in(prompt: str) -> str:
    """The mark of a prompt that render wrote; empty if it has no headers."""
    first = _FIRST_HEADER.match(prompt)
    return first[1] if first else ""


def one_line(text: str, most: int) -> str:
    """`text` in one line of no more than `most` characters."""
    # A little more than what is shown, so that a long text is not searched for the sake of its beginning.
    line = _INVISIBLE.sub("", _BLANKS.sub(" ", text[: most * 4])).strip()
    return line if len(line) <= most else f"{line[: most - 1]}…"


def shown_name(name: str) -> str:
    """A tool's name as the model sees it; empty if there is nothing to see. Most names are shown as they are."""
    if name.isascii() and name.isidentifier() and len(name) <= LONGEST_NAME:
        return name
    line = one_line(unicodedata.normalize("NFC", well_formed(name[: LONGEST_NAME * 4])), LONGEST_NAME)
    return _NOT_IN_NAME.sub("_", line)


def shown_speaker(name: str) -> str:
    """A speaker's name for a header."""
    return _NOT_IN_SPEAKER.sub("_", one_line(name, LONGEST_NAME))
