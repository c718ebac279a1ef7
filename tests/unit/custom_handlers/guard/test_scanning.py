"""What the scanner counts is what a parser finds, wherever the text is cut."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from custom_handlers.guard.scanning import Scanner

TEXTS = st.text(alphabet=st.sampled_from('ab"\\\n,:[]{}é😀'), max_size=8)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


def counted(value: Any, depth: int = 0) -> tuple[int, int, int]:
    """How many values stand in brackets, how many names there are, how deep it goes."""
    if not isinstance(value, dict | list):
        return 0, 0, depth
    inner = [counted(item, depth + 1) for item in (value.values() if isinstance(value, dict) else value)]
    values = len(inner) + sum(found[0] for found in inner)
    names = (len(value) if isinstance(value, dict) else 0) + sum(found[1] for found in inner)
    return values, names, max([depth + 1, *(found[2] for found in inner)])


@given(VALUES, st.data())
def test_it_counts_what_there_is(value: Any, data: st.DataObject) -> None:
    text = json.dumps(value, ensure_ascii=data.draw(st.booleans())).encode()
    scanner = Scanner()
    start = 0
    while start < len(text):
        end = start + data.draw(st.integers(1, len(text)))
        scanner.feed(text[start:end])
        start = end
    values, names, deepest = counted(value)
    assert (scanner.names, scanner.deepest) == (names, deepest)
    empty = text.count(b"[]") + text.count(b"{}")  # brackets with nothing in them count as one value; in texts, too
    assert values <= scanner.values <= values + empty


def test_brackets_in_texts_do_not_count() -> None:
    scanner = Scanner()
    scanner.feed(json.dumps({"a": '[[[[{{{{ \\" , : \\\\'}).encode())
    assert (scanner.values, scanner.names, scanner.deepest) == (1, 1, 1)
