"""Tokens are counted as `o200k_base` has them: exactly over any length, offline, whatever the text says."""

import os
import time

import pytest
import tiktoken
from hypothesis import given
from hypothesis import strategies as st

from custom_handlers.emulation import tokenizer as module
from custom_handlers.emulation.tokenizer import count, estimate, tokenizer

PROSE = "A descrição não está disponível; o naïve café, 東京 🚀.\n    if x <= 10: return {'a': [1, 2]}\n" * 40
pieces = st.sampled_from(
    ["word", "it's ", "ção", " ", "\n", "\r\n", "\t", "12345", "x_y ", "=" * 9, "東", "🚀", "'s", "//"]
)


def encoding() -> tiktoken.Encoding:
    return tiktoken.get_encoding("o200k_base")


@given(st.lists(pieces, min_size=1, max_size=30).map("".join))
def test_a_long_text_is_counted_exactly(text: str) -> None:
    text = f"{text} and so on " * (40_000 // len(text) + 1)
    assert count(text) == len(encoding().encode_ordinary(text))


def test_what_looks_like_a_special_token_is_text() -> None:
    for text in ("<|endoftext|>", "<|endofprompt|> \ud800", "\x00<|fim_prefix|>"):
        assert count(text) > 1
        assert estimate(text * 20_000) > 20_000


def test_a_sample_is_near(monkeypatch: pytest.MonkeyPatch) -> None:
    assert estimate(PROSE) == count(PROSE)
    assert estimate(PROSE * 200) == pytest.approx(count(PROSE * 200), rel=0.05)


def test_past_the_most_the_rest_is_reckoned() -> None:
    assert count(PROSE, most=10**9) == count(PROSE)
    assert count(PROSE * 200, most=5000) == pytest.approx(count(PROSE * 200), rel=0.1)


def test_an_operators_folder_without_the_file_does_not_matter(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    tokenizer.cache_clear()
    tiktoken.registry.ENCODINGS.pop("o200k_base", None)
    try:
        assert isinstance(tokenizer(), module._O200k)
        assert os.environ["TIKTOKEN_CACHE_DIR"] == str(tmp_path)
    finally:
        tokenizer.cache_clear()


def test_without_the_file_litellm_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "vocabulary_folder", lambda _: None)
    tokenizer.cache_clear()
    try:
        assert count("<|endoftext|> Some words.") > 3
        assert tokenizer().decode(tokenizer().encode("Some words.")) == "Some words."
    finally:
        tokenizer.cache_clear()


def test_one_long_word_takes_linear_time() -> None:
    started = time.process_time()
    count("a" * 4_000_000)
    assert time.process_time() - started < 20
