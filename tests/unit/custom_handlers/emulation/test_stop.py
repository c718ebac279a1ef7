"""Stop texts cut exactly, long answers end near their limit, long prompts are refused before they are sent."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custom_handlers.core.errors import ContextWindowExceededError
from custom_handlers.emulation.context_window import check_context
from custom_handlers.emulation.stop import MaxTokens, StopSequences
from custom_handlers.emulation.tokenizer import count, tokenizer

PROSE = "The quick brown fox jumps over the lazy dog; naïve café, 東京 🚀.\n    if x <= 10: return {'a': [1, 2]}\n" * 40


def watched(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lengths of the texts that are counted from now on."""
    counted: list[int] = []
    encode = tokenizer().encode

    def counting(text: str) -> list[int]:
        counted.append(len(text))
        return encode(text)

    monkeypatch.setattr(tokenizer(), "encode", counting)
    return counted


def cut(stops: list[str], *pieces: str) -> tuple[str, bool]:
    cutter = StopSequences(stops)
    return "".join([*map(cutter.feed, pieces), cutter.finish()]), cutter.found


class TestStop:
    @pytest.mark.parametrize(
        ("stops", "text", "left"),
        [
            (["STOP"], "one STOP two", "one "),
            (["\n\n", "two"], "one two\n\nthree", "one "),
            (["abcd", "bc"], "xabcd", "xa"),  # bc is complete first
            (["b", "ab"], "xab", "x"),  # both end here: nothing of either is sent
            (["aab"], "aaab", "a"),
            ([""], "all", "all"),
            (["STOP"], "one STO", "one STO"),
        ],
    )
    def test_cuts_before_the_first_that_is_complete(self, stops: list[str], text: str, left: str) -> None:
        assert cut(stops, text) == cut(stops, *text) == (left, left != text)

    def test_nothing_is_held_back_without_need(self) -> None:
        cutter = StopSequences(["STOP"])
        assert cutter.feed("to S") == "to "
        assert cutter.feed("ee ST") == "See "
        assert cutter.feed("OP more") == ""
        assert cutter.feed("more") == ""

    @settings(max_examples=3 * settings().max_examples)
    @given(
        st.lists(st.text("ab\n", min_size=1, max_size=4), max_size=3), st.lists(st.text("ab\n", max_size=5), max_size=8)
    )
    def test_the_pieces_make_no_difference(self, stops: list[str], pieces: list[str]) -> None:
        text = "".join(pieces)
        left, found = cut(stops, *pieces)
        assert (left, found) == cut(stops, text)
        ends = [(text.index(stop) + len(stop), text.index(stop)) for stop in stops if stop in text]
        assert (left, found) == ((text[: min(ends)[1]], True) if ends else (text, False))


class TestMaxTokens:
    @pytest.mark.parametrize("most", [1, 7, 50, 400, 1200])
    @pytest.mark.parametrize("size", [1, 3, 40, 10_000])
    def test_cuts_within_a_few_per_cent(self, most: int, size: int) -> None:
        limit = MaxTokens(most)
        text = "".join(limit.feed(PROSE[at : at + size]) for at in range(0, len(PROSE), size))
        assert limit.reached
        assert PROSE.startswith(text)
        assert 0.97 * most - 1 <= count(text) <= 1.03 * most + 1

    @pytest.mark.parametrize("most", range(1, 20))
    def test_no_character_is_cut_in_two(self, most: int) -> None:
        text = "🚀東👩‍💻é" * 5
        assert text.startswith(MaxTokens(most).feed(text))

    def test_what_fits_is_not_touched(self) -> None:
        limit = MaxTokens(count(PROSE) + 20)
        assert "".join(map(limit.feed, PROSE)) == PROSE
        assert not limit.reached

    def test_special_tokens_and_lone_surrogates_are_plain_text(self) -> None:
        text = "<|endoftext|> \ud800" * 3
        assert MaxTokens(10_000).feed(text) == text
        limit = MaxTokens(4)
        assert text.startswith(limit.feed(text))
        assert limit.reached

    def test_a_long_answer_is_counted_about_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        counted = watched(monkeypatch)
        limit = MaxTokens(1000)
        for at in range(0, len(PROSE), 3):
            limit.feed(PROSE[at : at + 3])
        assert limit.reached
        assert sum(counted) < 5 * 4000


class TestContext:
    def test_a_short_prompt_is_not_even_counted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tokenizer(), "encode", None)
        check_context("é" * 500, 1000)
        check_context(PROSE * 100, None)

    def test_both_numbers_are_reported(self) -> None:
        tokens = count(PROSE)
        check_context(PROSE, tokens)
        with pytest.raises(ContextWindowExceededError) as refused:
            check_context(PROSE, tokens - 1)
        assert (refused.value.limit, refused.value.tokens) == (tokens - 1, tokens)

    def test_far_below_the_limit_a_sample_is_enough(self, monkeypatch: pytest.MonkeyPatch) -> None:
        prompt = PROSE * 200
        tokenizer()
        counted = watched(monkeypatch)
        check_context(prompt, len(prompt))
        assert sum(counted) < len(prompt) // 5

    def test_at_two_thirds_of_it_some_more_samples_are(self, monkeypatch: pytest.MonkeyPatch) -> None:
        prompt = PROSE * 200
        limit = count(prompt) * 3 // 2
        counted = watched(monkeypatch)
        check_context(prompt, limit)
        assert len(prompt) // 20 < sum(counted) < len(prompt) // 2

    def test_far_above_it_no_more_is_counted_than_the_limit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        prompt = PROSE * 200
        counted = watched(monkeypatch)
        with pytest.raises(ContextWindowExceededError) as refused:
            check_context(prompt, 10_000)
        assert sum(counted) < len(prompt) // 5
        assert refused.value.tokens == pytest.approx(200 * count(PROSE), rel=0.1)

    @pytest.mark.parametrize("dear", ["front", "back"])
    def test_only_what_was_counted_is_refused(self, dear: str) -> None:
        """A sample may find more than there is."""
        rare, plain = "東🚀é" * 500, "word " * 4000
        prompt = "".join((rare + plain) if dear == "front" else (plain + rare) for _ in range(40))
        check_context(prompt, count(prompt))

    def test_portuguese_is_counted_as_the_agents_models_count_it(self) -> None:
        sentence = "A configuração do repositório não está disponível; também não há informações sobre a migração. "
        assert count(sentence * 10) < 10 * len(sentence) / 4
        check_context(sentence * 100, count(sentence * 100))

    def test_one_long_word_takes_linear_time(self) -> None:
        started = time.process_time()
        count("a" * 400_000)
        assert time.process_time() - started < 2
