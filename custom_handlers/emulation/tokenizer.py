"""Counts tokens as the agents' models do: GPT-4.1 and GPT-5 use `o200k_base`.

LiteLLM ships the file of this vocabulary, so nothing is fetched. Without it LiteLLM's default tokenizer counts.
"""

import os
import threading
from collections.abc import Sequence
from functools import cache
from hashlib import sha1
from typing import Protocol

from custom_handlers.litellm_adapter.tokenizer import LiteLLMTokenizer, vocabulary_folder

_NAME = "o200k_base"
_FILE = sha1(b"https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken", usedforsecurity=False)
# tiktoken frees the interpreter while it works on a stretch, and a long word takes longer than its length says.
_STRETCH = 16_384
_EDGE = 400  # how far a stretch is cut short, so that it ends where a word does
_SAMPLES, _SAMPLE = 64, 1000
_loading = threading.Lock()


class Tokenizer(Protocol):
    def encode(self, text: str) -> list[int]: ...

    def decode(self, tokens: Sequence[int]) -> str: ...


class _O200k:
    def __init__(self) -> None:
        import tiktoken

        folder = vocabulary_folder(_FILE.hexdigest())
        if folder is None:
            raise FileNotFoundError(_NAME)
        with _loading:
            # tiktoken looks there first; an operator's own folder may lack the file, and then it would be fetched.
            before = os.environ.get("TIKTOKEN_CACHE_DIR")
            os.environ["TIKTOKEN_CACHE_DIR"] = str(folder)
            try:
                self._encoding = tiktoken.get_encoding(_NAME)
            finally:
                if before is None:
                    del os.environ["TIKTOKEN_CACHE_DIR"]
                else:
                    os.environ["TIKTOKEN_CACHE_DIR"] = before

    def encode(self, text: str) -> list[int]:
        return self._encoding.encode_ordinary(text)  # what looks like a special token is plain text

    def decode(self, tokens: Sequence[int]) -> str:
        return self._encoding.decode(list(tokens))


@cache
def tokenizer() -> Tokenizer:
    """Takes a second the first time."""
    try:
        return _O200k()
    except Exception:  # a file that is missing or broken must not stop an answer
        return LiteLLMTokenizer()


def count(text: str, most: int | None = None) -> int:
    """Tokens of `text`; past `most` the rest is reckoned from what was counted so far."""
    encode, tokens, at = tokenizer().encode, 0, 0
    while at < len(text):
        end = _end_of_stretch(text, at)
        tokens += len(encode(text[at:end]))
        at = end
        if most is not None and tokens > most:
            return tokens * len(text) // at
    return tokens


def estimate(text: str, samples: int = _SAMPLES) -> int:
    """Tokens of `text`: counted when it is short, otherwise reckoned from so many samples of it."""
    if len(text) <= samples * _SAMPLE:
        return count(text)
    step = len(text) // samples
    # One text for the tokenizer: it gives the interpreter away and has to get it back each time that it is asked.
    taken = "\n".join(text[at : at + _SAMPLE] for at in range(0, step * samples, step))
    return count(taken) * len(text) // len(taken)


def _end_of_stretch(text: str, at: int) -> int:
    """Where a cut makes no token more: between a word and the blank that follows it."""
    end = at + _STRETCH
    if end >= len(text):
        return len(text)
    for place in range(end, end - _EDGE, -1):
        if text[place] in " \n" and text[place - 1].isalpha():
            return place
    return end
