"""Which numbers are personal, and which are code."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_handlers.core.masking import masked_text
from custom_handlers.core.personal_data import mask_text
from tests.sampling import every, thorough

# Made up; the check digits are right.
NUMBERS = {
    "CPF": ("529.982.247-25", "529.982.247/25", "52998224725", "529 982 247 25", "529982247-25", "529.982.247\u201125"),
    "CNPJ": (
        *("11.222.333/0001-81", "11222333000181", "11222333/0001-81", "11 222 333 0001 81"),
        *("12.ABC.345/01DE-35", "12ABC34501DE35", "12ABC345/01DE-35", "12.abc.345/01de-35", "12abc34501de35"),
    ),
    "PHONE": (
        *("(11) 98765-4321", "(011) 3333-4444", "11 98765-4321", "11 3333-4444", "98765-4321", "11987654321"),
        *("+55 11 98765-4321", "+5511987654321", "5511987654321", "+55 (21) 3333-4444"),
    ),
    "CEP": ("01310-100", "01.310-100", "CEP 01310100", 'cep": "01310100'),
}
WRITTEN = [(kind, number) for kind, numbers in NUMBERS.items() for number in numbers]
# Each was taken for a personal number by LiteLLM's own patterns, or looks like one.
CODE = (
    "12345678901",  # eleven digits, other check digits
    "11111111111",
    "00000000000",
    "99999999999999",
    "12ABC34501DE36",
    "ABCDEFGHIJKLMN",
    "20261126",  # a day
    "20240115123456_create_users.rb",
    "1732640000",  # seconds and milliseconds of Unix
    "1732640000123",
    "3.14159265358979",
    "0.52998224725",
    "52998224725.5",
    "550e8400-e29b-41d4-a716-446655440000",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "x52998224725",
    "529982247250",
    "192.168.100.20:8080",
    "2020-2024",
    "94105-12345-678",
    "sk-52998224725abcdef",
    "12 1234.5678 98765 4321",
    "v1.108.14",
)


@pytest.mark.parametrize(("kind", "number"), WRITTEN)
@pytest.mark.parametrize("around", ["{}", "Meu numero: {}.", '{{"x": "{}"}}', "a,{},b", "\n{}\n", "_{}_", "<b>{}</b>"])
def test_a_personal_number_is_replaced(kind: str, number: str, around: str) -> None:
    text = masked_text(around.format(number))
    assert f"[{kind}_REDACTED]" in text
    assert re.sub(r"\D", "", text) == ""


@pytest.mark.parametrize("code", CODE)
@pytest.mark.parametrize("around", ["{}", "x = {};", '"{}"', "({}, {})"])
def test_code_stays(code: str, around: str) -> None:
    text = around.format(code, code)
    assert masked_text(text) == text


@thorough
def test_one_bare_number_in_a_hundred_has_check_digits_by_chance() -> None:
    """What the documentation says of identifiers of eleven digits, for those that are no mobile number."""
    found = sum("CPF" in masked_text(str(number)) for number in range(20_000_000_000, 20_000_100_000))
    assert found == 1000


def test_words_that_lead_to_a_number() -> None:
    assert masked_text("cpf52998224725 CNPJ12ABC34501DE35 CEP:01310100") == (
        "cpf[CPF_REDACTED] CNPJ[CNPJ_REDACTED] CEP:[CEP_REDACTED]"
    )


def numbers_in_noise() -> st.SearchStrategy[str]:
    noise = st.text(alphabet="01259.-/()+ aAcCpPeE:\n", max_size=12)
    return st.lists(st.one_of(noise, st.sampled_from([number for _, number in WRITTEN])), max_size=8).map("".join)


@given(numbers_in_noise(), st.integers(1, 40))
def test_where_the_reading_pauses_makes_no_difference(text: str, piece: int) -> None:
    assert read(text, piece) == masked_text(text)


def read(text: str, piece: int) -> str:
    reading = mask_text(text, piece)
    while True:
        try:
            next(reading)
        except StopIteration as end:
            return str(end.value)


@given(numbers_in_noise())
def test_what_was_read_holds_nothing_more(text: str) -> None:
    once = masked_text(text)
    assert masked_text(once) == once


@pytest.mark.parametrize(
    "piece", every(4, ["1", "1 ", "11 ", "123 456 789 01 ", "12345-", "+55 ", "(11) ", "A1", "0" * 14 + "\n"])
)
def test_the_work_grows_with_the_text_and_no_faster(piece: str) -> None:
    """Counted in pauses and in what is looked for between them, not in seconds."""
    lengths = [1 << 16, 1 << 18]
    pauses = [sum(1 for _ in mask_text((piece * length)[:length])) for length in lengths]
    assert pauses[1] == 4 * pauses[0]
