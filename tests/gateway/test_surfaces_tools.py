"""Which tools the model is shown on each surface: those that can be called, and no others."""

from typing import Any

import pytest

from simulator.client import Simulator
from tests.gateway.asking import prompt_of, refusal_of
from tests.gateway.calling import CHAT, MESSAGES, RESPONSES, Caller
from tests.gateway.tooling import CALLED, LOOK, NOW, calls, tool, tools

ALLOWED_ROUTES = (CHAT, RESPONSES)
CALL = '<tool_call>{"name": "now", "arguments": {}}</tool_call>'


def allowed(route: str, mode: str, *names: str) -> dict[str, Any]:
    if route == CHAT:
        named = [{"type": "function", "function": {"name": name}} for name in names]
        return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": named}}
    return {"type": "allowed_tools", "mode": mode, "tools": [{"type": "function", "name": name} for name in names]}


@pytest.mark.parametrize("route", ALLOWED_ROUTES)
def test_only_allowed_tools_are_shown(caller: Caller, simulator: Simulator, route: str) -> None:
    prompt = prompt_of(caller, simulator, route, tools=tools(route), tool_choice=allowed(route, "auto", "now"))
    assert "## now" in prompt
    assert "## look" not in prompt


@pytest.mark.parametrize("route", ALLOWED_ROUTES)
@pytest.mark.parametrize("stream", [False, True])
def test_a_tool_that_is_not_allowed_is_never_called(
    caller: Caller, simulator: Simulator, route: str, stream: bool
) -> None:
    simulator.answer('<tool_call>{"name": "look", "arguments": {"at": "x"}}</tool_call>', CALL)
    choice = allowed(route, "required", "now")
    reply = caller.ask(route, stream=stream, tools=tools(route), tool_choice=choice)
    assert [call.name for call in calls(reply)] == ["now"]
    assert reply.finish == CALLED[route]


@pytest.mark.parametrize("route", ALLOWED_ROUTES)
def test_the_mode_required_demands_a_call(caller: Caller, simulator: Simulator, route: str) -> None:
    simulator.answer("No.", CALL)
    reply = caller.ask(route, tools=tools(route), tool_choice=allowed(route, "required", "now", "look"))
    assert [call.name for call in calls(reply)] == ["now"]


@pytest.mark.parametrize("route", ALLOWED_ROUTES)
@pytest.mark.parametrize(
    ("mode", "names", "place"),
    [("auto", ["nowhere"], ".tools[0]"), ("auto", [], ".tools"), ("perhaps", ["now"], ".mode")],
)
def test_allowed_tools_that_make_no_sense_are_refused(
    caller: Caller, simulator: Simulator, route: str, mode: str, names: list[str], place: str
) -> None:
    choice = allowed(route, mode, *names)
    failure = refusal_of(caller, simulator, route, tools=tools(route), tool_choice=choice)
    assert str(failure.param).endswith(place)


def test_allowed_tools_reach_into_a_namespace(caller: Caller, simulator: Simulator) -> None:
    space = {"type": "namespace", "name": "fs", "description": "Files", "tools": tools(RESPONSES)}
    choice = {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "now"}]}
    prompt = prompt_of(caller, simulator, RESPONSES, tools=[space], tool_choice=choice)
    assert "fs__now" in prompt
    assert "fs__look" not in prompt


SENT_BY_DEFAULT = ("web_search", "web_search_preview", "web_search_2025_08_26", "image_generation", "tool_search")
HOSTED = ("file_search", "code_interpreter", "mcp", "computer_use_preview", "computer")


@pytest.mark.parametrize("kind", [*SENT_BY_DEFAULT, "local_shell", "shell", "apply_patch"])
def test_hosted_tools_that_agents_send_beside_their_own_are_left_out(
    caller: Caller, simulator: Simulator, kind: str
) -> None:
    prompt = prompt_of(caller, simulator, RESPONSES, tools=[{"type": kind}, *tools(RESPONSES)])
    assert "## now" in prompt
    assert kind not in prompt
    assert "tool" not in prompt_of(caller, simulator, RESPONSES, tools=[{"type": kind}], tool_choice="auto")


@pytest.mark.parametrize("kind", HOSTED)
def test_hosted_tools_that_an_answer_needs_are_refused(caller: Caller, simulator: Simulator, kind: str) -> None:
    failure = refusal_of(caller, simulator, RESPONSES, tools=[*tools(RESPONSES), {"type": kind}])
    assert kind in failure.message
    assert failure.param == "tools[2]"


@pytest.mark.parametrize("kind", [*SENT_BY_DEFAULT, *HOSTED])
def test_a_demand_for_a_hosted_tool_is_refused(caller: Caller, simulator: Simulator, kind: str) -> None:
    failure = refusal_of(caller, simulator, RESPONSES, tools=tools(RESPONSES), tool_choice={"type": kind})
    assert failure.param == "tool_choice"
    assert kind in failure.message


def test_a_demand_for_any_call_is_refused_when_only_hosted_tools_are_there(
    caller: Caller, simulator: Simulator
) -> None:
    for route, hosted, choice in (
        (RESPONSES, {"type": "web_search"}, "required"),
        (MESSAGES, {"type": "web_search_20250305", "name": "web_search"}, {"type": "any"}),
        (MESSAGES, {"type": "web_search_20250305", "name": "web_search"}, {"type": "tool", "name": "web_search"}),
    ):
        failure = refusal_of(caller, simulator, route, tools=[hosted], tool_choice=choice)
        assert "tool_choice" in failure.message


ANTHROPICS_OWN: list[dict[str, Any]] = [
    {"type": "web_search_20250305", "name": "web_search", "max_uses": 5},
    {"type": "web_fetch_20250910", "name": "web_fetch"},
    {"type": "code_execution_20250825", "name": "code_execution"},
    {"type": "computer_20250124", "name": "computer", "display_width_px": 1, "display_height_px": 1},
    {"type": "bash_20250124", "name": "bash"},
    {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool"},
    {"type": "memory_20250818", "name": "memory"},
    {"type": "tool_search_tool_regex_20251119", "name": "tool_search_tool_regex"},
    {"type": "mcp_toolset", "mcp_server_name": "somewhere"},
    {"type": "mcp", "server_label": "somewhere"},
    {"type": "file_search", "vector_store_ids": ["x"]},
    {"type": "code_interpreter", "container": {"type": "auto"}},
    {"googleSearch": {}},
]


@pytest.mark.parametrize("hosted", ANTHROPICS_OWN, ids=lambda hosted: str(hosted.get("type")))
def test_tools_of_the_vendor_s_are_left_out_on_messages(
    caller: Caller, simulator: Simulator, hosted: dict[str, Any]
) -> None:
    prompt = prompt_of(caller, simulator, MESSAGES, tools=[hosted, *tools(MESSAGES)])
    assert prompt.count("\n## ") == 2
    assert "litellm" not in prompt
    assert prompt_of(caller, simulator, MESSAGES, tools=[hosted]) == "Hi"


def deferred(name: str) -> dict[str, Any]:
    return tool(MESSAGES, name, NOW) | {"defer_loading": True}


def test_a_tool_that_holds_a_place_is_offered_once_it_is_referred_to(caller: Caller, simulator: Simulator) -> None:
    offered = [*tools(MESSAGES), deferred("mcp__git__log"), deferred("mcp__git__push")]
    before = prompt_of(caller, simulator, MESSAGES, tools=offered)
    assert "mcp__git" not in before
    searched = [
        {"role": "user", "content": "Search."},
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "t1", "name": "ToolSearch", "input": {"q": "log"}}],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "t1",
                    "content": [{"type": "tool_reference", "tool_name": "mcp__git__log"}],
                }
            ],
        },
    ]
    after = prompt_of(caller, simulator, MESSAGES, searched, tools=offered)
    assert "## mcp__git__log" in after
    assert "`mcp__git__log` can be called" in after
    assert "mcp__git__push" not in after
    assert "defer_loading" not in after
    simulator.answer('<tool_call>{"name": "mcp__git__log", "arguments": {}}</tool_call>')
    reply = caller.ask(MESSAGES, prompt=[*searched, {"role": "user", "content": "Go on."}], tools=offered)
    assert [call.name for call in calls(reply)] == ["mcp__git__log"]


def test_a_tool_that_a_search_of_codex_s_found_can_be_called(caller: Caller, simulator: Simulator) -> None:
    found = tool(RESPONSES, "found", LOOK)
    history = [
        {"role": "user", "content": "Search."},
        {"type": "tool_search_call", "call_id": "c", "execution": "client", "arguments": {"query": "q"}},
        {"type": "tool_search_output", "call_id": "c", "execution": "client", "tools": [found]},
    ]
    assert "## found" in prompt_of(caller, simulator, RESPONSES, history, tools=tools(RESPONSES))


def test_no_two_calls_at_once_where_the_client_forbids_them(caller: Caller, simulator: Simulator) -> None:
    simulator.answer(f"{CALL}\n{CALL}")
    choice = {"type": "auto", "disable_parallel_tool_use": True}
    reply = caller.ask(MESSAGES, tools=tools(MESSAGES), tool_choice=choice)
    assert len(calls(reply)) == 1


def test_a_custom_tool_s_grammar_is_shown_to_the_model(caller: Caller, simulator: Simulator) -> None:
    grammar = {"syntax": "lark", "definition": 'start: "x"+'}
    for route, patch in (
        (CHAT, {"type": "custom", "custom": {"name": "patch", "format": {"type": "grammar", "grammar": grammar}}}),
        (RESPONSES, {"type": "custom", "name": "patch", "format": {"type": "grammar", **grammar}}),
    ):
        assert 'start: "x"+' in prompt_of(caller, simulator, route, tools=[patch])
