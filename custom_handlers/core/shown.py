"""Texts that somebody else has chosen, as they may stand in a line of the log or in a trace."""

import re

LONGEST = 100
_PLAIN = re.compile(r"[\w.:/@+-]+", re.ASCII)
_KEY = re.compile(r"\bsk-\S+")


def shown(text: str) -> str:
    """`text` as one word: short, printable, without anything that looks like a key; quoted unless it is plain."""
    text = _KEY.sub("sk-...", text)[:LONGEST]
    if _PLAIN.fullmatch(text):
        return text
    # Braces too: LiteLLM's JSON logs take an object in a message for fields of their own.
    return '"' + "".join(c if c.isalnum() or c in " .,:;/@+-_()" else f"\\u{ord(c):04x}" for c in text) + '"'
