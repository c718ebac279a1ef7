"""With masking on, no personal number reaches StackSpot, from whatever place of a request, on every surface."""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from simulator.client import Simulator
from tests.gateway.calling import CHAT, COMPLETIONS, MESSAGES, PATHS, RESPONSES, Caller
from tests.harness import Account, Server, running_gateway

CPF, CPF_DIGITS, CNPJ, PHONE, CEP = "529.982.247-25", 52998224725, "12.ABC.345/01DE-35", "(11) 98765-4321", "01310-100"
PERSONAL = f"CPF {CPF} ou {CPF_DIGITS}, CNPJ {CNPJ} ou 12ABC34501DE35, tel. {PHONE}, CEP {CEP}"
MASKED = "CPF [CPF_REDACTED] ou [CPF_REDACTED], CNPJ [CNPJ_REDACTED] ou [CNPJ_REDACTED], tel. [PHONE_REDACTED], CEP"
# No part of any of them may arrive.
PARTS = ("529.982", "529982", "998224725", "ABC.345", "ABC34501", "98765-4321", "98765", "01310")
CODE = "ids = [12345678901, 98765432100123, 0.52998224725]; at = 1732640000123  # 20261126"
PARAMETERS = {"type": "object", "properties": {"cpf": {"type": "string", "description": PERSONAL}}}
CALL_ID = "call_1"


@pytest.fixture(scope="module")
def masking_server(account: Account, simulator_server: Server, logs: Path) -> Iterator[Server]:
    environ = account.for_gateway(simulator_server.url)
    environ |= {"STACKSPOT_MASK_PERSONAL_DATA": "true", "STACKSPOT_UPLOADS": "true", "LITELLM_LOG": "DEBUG"}
    environ |= {"STACKSPOT_RESPONSES_MINUTES": "30"}
    with running_gateway(environ, logs / "masking-gateway.log") as server:
        yield server


@pytest.fixture
def masking(masking_server: Server, simulator: Simulator) -> Caller:
    return Caller(masking_server, ())


def chat() -> dict[str, Any]:
    function = {"name": "find", "description": PERSONAL, "parameters": PARAMETERS}
    called = {"name": "find", "arguments": json.dumps({"cpf": CPF_DIGITS, "text": PERSONAL, CPF: 1})}
    call = {"id": CALL_ID, "type": "function", "function": called}
    return {
        "messages": [
            {"role": "system", "content": PERSONAL},
            {"role": "developer", "content": [{"type": "text", "text": PERSONAL}]},
            {"role": "user", "name": CPF, "content": [{"type": "text", "text": PERSONAL}]},
            {"role": "assistant", "content": PERSONAL, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": CALL_ID, "content": json.dumps({"cpf": CPF_DIGITS, "note": PERSONAL})},
            {"role": "user", "content": PERSONAL},
        ],
        "tools": [{"type": "function", "function": function}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": PARAMETERS}},
        "user": CPF,
        "metadata": {"who": PERSONAL},
        "stop": [CPF],
        "max_tokens": 50,
    }  # fmt: skip


def messages() -> dict[str, Any]:
    source = {"type": "text", "media_type": "text/plain", "data": PERSONAL}
    result = [{"type": "text", "text": PERSONAL}, {"type": "json", "json": {"cpf": CPF_DIGITS}}]
    return {
        "system": [{"type": "text", "text": PERSONAL}],
        "messages": [
            {"role": "user", "content": [{"type": "document", "title": CPF, "context": PERSONAL, "source": source}]},
            {"role": "assistant", "content": [
                {"type": "text", "text": PERSONAL},
                {"type": "tool_use", "id": CALL_ID, "name": "find", "input": {"cpf": CPF_DIGITS, CPF: [PERSONAL]}},
            ]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": CALL_ID, "content": result}]},
        ],
        "tools": [{"name": "find", "description": PERSONAL, "input_schema": PARAMETERS}],
        "metadata": {"user_id": CPF},
        "max_tokens": 50,
    }  # fmt: skip


def responses() -> dict[str, Any]:
    return {
        "instructions": PERSONAL,
        "input": [
            {"role": "developer", "content": PERSONAL},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": PERSONAL}]},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": PERSONAL}]},
            {"type": "reasoning", "id": "r1", "summary": [{"type": "summary_text", "text": PERSONAL}]},
            {"type": "function_call", "call_id": "c1", "name": "find", "arguments": json.dumps({"cpf": CPF_DIGITS})},
            {"type": "function_call_output", "call_id": "c1", "output": PERSONAL},
            {"type": "custom_tool_call", "call_id": "c2", "name": "write", "input": PERSONAL},
            {"type": "custom_tool_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": PERSONAL}]},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": PERSONAL}]},
        ],
        "tools": [
            {"type": "function", "name": "find", "description": PERSONAL, "parameters": PARAMETERS},
            {"type": "custom", "name": "write", "description": PERSONAL},
        ],
        "metadata": {"who": CPF},
    }


BODIES: dict[str, Callable[[], dict[str, Any]]] = {
    CHAT: chat,
    MESSAGES: messages,
    RESPONSES: responses,
    COMPLETIONS: lambda: {"prompt": PERSONAL, "suffix": None, "user": CPF},
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("route", BODIES)
def test_no_number_reaches_stackspot(
    masking: Caller, masking_server: Server, simulator: Simulator, route: str, stream: bool
) -> None:
    simulator.answer(json.dumps({"cpf": "none"}))
    body = {"model": "stackspot", **BODIES[route](), "stream": stream}
    response = masking.post(PATHS[route], json=body)
    assert response.status_code == 200, response.text
    received = json.dumps(simulator.requests(), ensure_ascii=False)
    assert MASKED in received
    assert [part for part in PARTS if part in received] == []
    log = masking_server.output()
    assert [part for part in PARTS if part in log] == []


@pytest.mark.parametrize("route", BODIES)
def test_code_with_long_numbers_survives(masking: Caller, simulator: Simulator, route: str) -> None:
    assert masking.ask(route, prompt=CODE).status == 200
    assert CODE in simulator.requests("/v1/agent/")[-1]["body"]["user_prompt"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("route", BODIES)
def test_an_answer_is_not_changed(masking: Caller, simulator: Simulator, route: str, stream: bool) -> None:
    """What StackSpot says of its own is the developer's to read; on its way back it is masked like all else."""
    simulator.answer(PERSONAL)
    assert masking.ask(route, stream=stream).text == PERSONAL


def test_what_is_kept_is_masked_and_what_comes_back_of_an_answer(masking: Caller, simulator: Simulator) -> None:
    simulator.answer(f"It is {CPF}.", "Yes.")
    first = masking.post(PATHS[RESPONSES], json={"model": "stackspot", "input": PERSONAL}).json()
    path = f"{PATHS[RESPONSES]}/{first['id']}/input_items"
    assert masking.http.get(path).json()["data"][0]["content"][0]["text"].startswith(MASKED)
    again = {"model": "stackspot", "input": "Sure?", "previous_response_id": first["id"]}
    assert masking.post(PATHS[RESPONSES], json=again).status_code == 200
    prompt = simulator.requests("/v1/agent/")[-1]["body"]["user_prompt"]
    assert "It is [CPF_REDACTED]." in prompt
    assert [part for part in PARTS if part in prompt] == []


def test_a_file_that_is_uploaded_stays_as_it_is(masking: Caller, simulator: Simulator) -> None:
    text = PERSONAL.encode() * 9
    url = f"data:text/plain;base64,{base64.b64encode(text).decode()}"
    content = [
        {"type": "text", "text": f"Who is {CPF}?"},
        {"type": "file", "file": {"filename": "a.txt", "file_data": url}},
    ]
    assert masking.ask(CHAT, prompt=[{"role": "user", "content": content}]).status == 200
    [upload] = simulator.uploads()
    assert simulator.uploaded(upload["id"]) == text
    assert "529.982" not in simulator.requests("/v1/agent/")[-1]["body"]["user_prompt"]


def test_without_the_setting_nothing_is_changed(caller: Caller, simulator: Simulator) -> None:
    assert caller.ask(CHAT, prompt=PERSONAL).status == 200
    assert simulator.requests("/v1/agent/")[-1]["body"]["user_prompt"] == PERSONAL
