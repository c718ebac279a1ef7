"""Personal numbers anywhere in a request's JSON."""

import asyncio
from typing import Any

import pytest

from custom_handlers.core.masking import masked, masked_body, masked_parameters

CPF, CPF_NUMBER = "529.982.247-25", 52998224725
GONE = "[CPF_REDACTED]"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"content": [{"type": "text", "text": f"É {CPF}."}]}, {"content": [{"type": "text", "text": f"É {GONE}."}]}),
        ({"input": {"cpf": CPF_NUMBER, "age": 42}}, {"input": {"cpf": GONE, "age": 42}}),
        ({"input": {CPF: {"name": "Ana"}}}, {"input": {GONE: {"name": "Ana"}}}),
        ({"input": {CPF: 1, str(CPF_NUMBER): 2}}, {"input": {GONE: 1, f"{GONE}_": 2}}),
        ({"arguments": f'{{"cpf": {CPF_NUMBER}}}'}, {"arguments": f'{{"cpf":"{GONE}"}}'}),
        ({"arguments": r'{"cpf": "529.982.247\u002d25"}'}, {"arguments": f'{{"cpf":"{GONE}"}}'}),
        ({"arguments": f"{{broken {CPF}"}, {"arguments": f"{{broken {GONE}"}),
        ({"cep": "01310100", "day": "20261126"}, {"cep": "[CEP_REDACTED]", "day": "20261126"}),
        ({"enderecoCep": 13101000}, {"enderecoCep": "[CEP_REDACTED]"}),
        ({"a": {"maximum": CPF_NUMBER, "example": CPF_NUMBER}}, {"a": {"maximum": CPF_NUMBER, "example": GONE}}),
        ([[f"{CPF}"], None, True, 1.5], [[GONE], None, True, 1.5]),
    ],
)  # fmt: skip
def test_it_is_taken_out(value: Any, expected: Any) -> None:
    assert masked(value) == expected


def test_what_holds_nothing_is_the_same_object() -> None:
    value = {"messages": [{"role": "user", "content": "Hi"}], "arguments": '{"a":  1}'}
    assert masked(value) is value


@pytest.mark.parametrize("file", [f"data:text/plain;base64,{CPF_NUMBER}/{'A' * 300}", "/".join(["52998224725"] * 40)])
def test_files_stay(file: str) -> None:
    assert masked({"file_data": file}) == {"file_data": file}


def test_the_parameters_of_a_request_stay() -> None:
    body = {"seed": CPF_NUMBER, "messages": [{"content": CPF}]}
    assert masked_parameters(body) == {"seed": CPF_NUMBER, "messages": [{"content": GONE}]}


def test_others_have_their_turn() -> None:
    async def turns() -> int:
        work = asyncio.create_task(masked_body({"input": ["12345-" * 100_000, *([{"n": 1}] * 10_000)]}))
        count = 0
        while not work.done():
            await asyncio.sleep(0)
            count += 1
        return count

    assert asyncio.run(turns()) > 30
