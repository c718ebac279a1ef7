"""Texts of others in logs and traces: one short word that says nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_handlers.core.shown import LONGEST, shown


@pytest.mark.parametrize("plain", ["ines-laptop", "stackspot/ai-chat:1.2", "ines@example.com", "-"])
def test_a_word_is_as_it_is(plain: str) -> None:
    assert shown(plain) == plain


def test_what_is_no_word_is_quoted() -> None:
    assert shown("José da Silva") == '"José da Silva"'
    assert shown('a\nkey=b "{}"\x1b') == '"a\\u000akey\\u003db \\u0022\\u007b\\u007d\\u0022\\u001b"'
    assert shown("") == '""'


def test_no_key_is_shown() -> None:
    assert shown("my sk-abcdef0123456789 key") == '"my sk-... key"'


@given(st.text())
def test_it_ends_where_it_ends(text: str) -> None:
    found = shown(text)
    assert "\n" not in found
    assert "=" not in found
    assert '"' not in found[1:-1]
    assert not {"{", "}"} & set(found)
    assert len(found) <= 2 + LONGEST * len("\\u10ffff")
