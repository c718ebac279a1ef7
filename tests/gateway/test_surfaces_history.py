"""A conversation's history reaches the model on every surface: nothing of it is lost in silence."""

from typing import Any

import pytest

from simulator.client import Simulator
from tests.gateway.asking import prompt_of, refusal_of
from tests.gateway.calling import CHAT, MESSAGES, PATHS, RESPONSES, Caller

HELLO = {"role": "user", "content": "Hello"}
IMAGE = "aGk="
# Parts of a tool result, and what the model has to be told of each.
ODD_PARTS: dict[str, tuple[Any, str]] = {
    "resource link": ({"type": "resource_link", "uri": "file:///a.py", "name": "a.py"}, "file:///a.py"),
    "resource": ({"type": "resource", "resource": {"uri": "file:///b.py", "text": "the text of b"}}, "the text of b"),
    "blob": ({"type": "resource", "resource": {"uri": "file:///c.bin", "blob": "A" * 999}}, "file:///c.bin"),
    "json": ({"type": "json", "json": {"answer": 42}}, '{"answer": 42}'),
    "json value": ({"type": "json", "value": [1, {"ä": 2}]}, '[1, {"ä": 2}]'),
    "no type": ({"text": "typeless"}, "typeless"),
    "no type, no text": ({"status": "fine"}, '{"status": "fine"}'),
    "unknown type": ({"type": "hologram", "depth": 3}, '"depth": 3'),
    "tool reference": ({"type": "tool_reference", "tool_name": "mcp__a__b"}, "mcp__a__b"),
    "text document": (
        {"type": "document", "title": "Notes", "source": {"type": "text", "media_type": "text/plain", "data": "noted"}},
        "noted",
    ),
    "document of parts": (
        {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "inner"}]}},
        "inner",
    ),
    "search result": (
        {"type": "search_result", "title": "T", "source": "https://s", "content": [{"type": "text", "text": "found"}]},
        "found",
    ),
    "MCP image": ({"type": "image", "data": IMAGE, "mimeType": "image/png"}, "left out"),
    "image": ({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": IMAGE}}, "left out"),
    "image by id": ({"type": "image", "source": {"type": "file", "file_id": "file_1"}}, "left out"),
    "PDF": (
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": IMAGE}},
        "left out",
    ),
    "input_image": ({"type": "input_image", "image_url": f"data:image/png;base64,{IMAGE}"}, "left out"),
    "input_file": ({"type": "input_file", "file_id": "file_1"}, "left out"),
    "audio": ({"type": "audio", "data": IMAGE, "mimeType": "audio/wav"}, "left out"),
    "nested": ([{"type": "text", "text": "deeper"}, [{"type": "text", "text": "down"}]], "deeper\ndown"),
    "text in text": ({"type": "text", "text": {"type": "text", "text": "twice"}}, "twice"),
    "string": ("bare", "bare"),
    "number": (17, "17"),
    "null text": ({"type": "text", "text": None}, "before"),
}


def answered(route: str, content: Any, *, name: str = "look") -> list[dict[str, Any]]:
    """A conversation whose last turn is a tool's result."""
    if route == CHAT:
        call = {"id": "c1", "type": "function", "function": {"name": name, "arguments": "{}"}}
        return [
            HELLO,
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": content},
        ]
    if route == MESSAGES:
        return [
            HELLO,
            {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": name, "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": content}]},
        ]
    return [
        HELLO,
        {"type": "function_call", "call_id": "c1", "name": name, "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": content},
    ]


@pytest.mark.parametrize("route", [CHAT, MESSAGES, RESPONSES])
@pytest.mark.parametrize("name", ODD_PARTS)
def test_a_tool_result_of_any_kind_is_shown_to_the_model(
    caller: Caller, simulator: Simulator, route: str, name: str
) -> None:
    part, told = ODD_PARTS[name]
    content = [{"type": "text", "text": "before"}, part, {"type": "text", "text": "behind"}]
    prompt = prompt_of(caller, simulator, route, answered(route, content))
    assert told in prompt
    assert prompt.index("before") < prompt.index("behind")
    assert IMAGE not in prompt
    assert "A" * 300 not in prompt


@pytest.mark.parametrize("route", [CHAT, MESSAGES, RESPONSES])
@pytest.mark.parametrize(("content", "told"), [({"type": "json", "json": {"a": 1}}, '{"a": 1}'), (7, "7"), (None, "")])
def test_a_result_that_is_no_list_is_shown_to_the_model(
    caller: Caller, simulator: Simulator, route: str, content: Any, told: str
) -> None:
    assert told in prompt_of(caller, simulator, route, answered(route, content))


def test_a_tool_s_error_is_shown_to_the_model(caller: Caller, simulator: Simulator) -> None:
    for content in ("boom", [{"type": "text", "text": "boom"}]):
        history = answered(MESSAGES, content)
        assert "error" not in prompt_of(caller, simulator, MESSAGES, history).partition("boom")[0].lower()
        history[-1]["content"][0]["is_error"] = True
        assert "error" in prompt_of(caller, simulator, MESSAGES, history).partition("boom")[0].lower()


def test_documents_and_search_results_of_a_user_are_shown_to_the_model(caller: Caller, simulator: Simulator) -> None:
    content = [{"type": "text", "text": "Read."}, *(ODD_PARTS[name][0] for name in ("text document", "search result"))]
    prompt = prompt_of(caller, simulator, MESSAGES, [{"role": "user", "content": content}])
    assert "noted" in prompt
    assert "found" in prompt


def test_what_a_vendor_s_tools_did_is_shown_to_the_model(caller: Caller, simulator: Simulator) -> None:
    searched = {"type": "web_search_result", "title": "Title", "url": "https://u", "encrypted_content": "E" * 500}
    content = [
        {"type": "text", "text": "I search."},
        {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "weather"}},
        {"type": "web_search_tool_result", "tool_use_id": "s1", "content": [searched]},
        {"type": "mcp_tool_use", "id": "m1", "name": "remote", "server_name": "s", "input": {"n": 1}},
        {"type": "mcp_tool_result", "tool_use_id": "m1", "content": [{"type": "text", "text": "remotely"}]},
        {"type": "text", "text": "Found."},
    ]
    prompt = prompt_of(caller, simulator, MESSAGES, [HELLO, {"role": "assistant", "content": content}, HELLO])
    for told in ("I search.", "web_search", "weather", "https://u", "remote", "remotely", "Found."):
        assert told in prompt
    assert "EEEE" not in prompt


ITEMS: dict[str, tuple[list[dict[str, Any]], tuple[str, ...]]] = {
    "refusal": (
        [{"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "I cannot."}]}],
        ("I cannot.",),
    ),
    "local shell": (
        [
            {
                "type": "local_shell_call",
                "id": "l",
                "call_id": "c",
                "action": {"type": "exec", "command": ["ls", "-l"]},
            },
            {"type": "local_shell_call_output", "id": "c", "output": "total 0"},
        ],
        ("ls", "total 0"),
    ),
    "shell": (
        [
            {"type": "shell_call", "call_id": "c", "action": {"commands": ["pwd"]}},
            {"type": "shell_call_output", "call_id": "c", "output": [{"stdout": "/home", "stderr": ""}]},
        ],
        ("pwd", "/home"),
    ),
    "apply_patch": (
        [
            {
                "type": "apply_patch_call",
                "call_id": "c",
                "operation": {"type": "create_file", "path": "a", "diff": "+b"},
            },
            {"type": "apply_patch_call_output", "call_id": "c", "status": "failed", "output": "no such file"},
        ],
        ("create_file", "failed", "no such file"),
    ),
    "tool search": (
        [
            {"type": "tool_search_call", "call_id": "c", "arguments": {"query": "calendar"}},
            {"type": "tool_search_output", "call_id": "c", "tools": []},
        ],
        ("calendar",),
    ),
    "custom tool": (
        [
            {"type": "custom_tool_call", "call_id": "c", "name": "patch", "input": "*** Begin"},
            {"type": "custom_tool_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "applied"}]},
        ],
        ("patch", "*** Begin", "applied"),
    ),
    "computer": (
        [
            {"type": "computer_call", "call_id": "c", "action": {"type": "click", "x": 3}},
            {
                "type": "computer_call_output",
                "call_id": "c",
                "output": {"type": "computer_screenshot", "image_url": f"data:image/png;base64,{IMAGE}"},
            },
        ],
        ("click", "left out"),
    ),
    "web search": (
        [{"type": "web_search_call", "id": "w", "status": "completed", "action": {"type": "search", "query": "news"}}],
        ("news",),
    ),
    "malformed web search": ([{"type": "web_search_call", "query": "odd news"}], ("odd news",)),
    "file search": (
        [{"type": "file_search_call", "id": "f", "queries": ["q"], "results": [{"text": "in a file"}]}],
        ("in a file",),
    ),
    "code interpreter": (
        [{"type": "code_interpreter_call", "id": "i", "code": "print(1)", "outputs": [{"type": "logs", "logs": "1"}]}],
        ("print(1)",),
    ),
    "image generation": (
        [{"type": "image_generation_call", "id": "g", "result": "A" * 999, "revised_prompt": "a cat"}],
        ("image_generation_call", "a cat"),
    ),
    "MCP call": (
        [{"type": "mcp_call", "server_label": "s", "name": "fetch", "arguments": "{}", "output": "fetched"}],
        ("fetch", "fetched"),
    ),
    "reasoning": ([{"type": "reasoning", "summary": [], "encrypted_content": "x"}], ()),
    "unknown call": ([{"type": "quantum_call", "state": "both"}], ("both",)),
}


@pytest.mark.parametrize("name", ITEMS)
def test_every_item_of_a_responses_history_is_shown(caller: Caller, simulator: Simulator, name: str) -> None:
    items, told = ITEMS[name]
    prompt = prompt_of(caller, simulator, RESPONSES, [HELLO, *items, {"role": "user", "content": "Go on."}])
    for text in (*told, "Hello", "Go on."):
        assert text in prompt
    assert IMAGE not in prompt
    assert "A" * 300 not in prompt


STORED: dict[str, dict[str, Any]] = {
    "previous_response_id": {"previous_response_id": "resp_1"},
    "input[1]": {"input": [HELLO, {"type": "item_reference", "id": "msg_1"}, HELLO]},
    "conversation": {"conversation": "conv_1"},
}


@pytest.mark.parametrize("place", STORED)
def test_a_history_that_is_not_in_the_request_is_refused(caller: Caller, simulator: Simulator, place: str) -> None:
    failure = refusal_of(caller, simulator, RESPONSES, **STORED[place])
    assert failure.param == place
    for hint in ("store: false", "openai.chat(", "auto_previous_response_id"):
        assert hint in failure.message


@pytest.mark.parametrize(
    ("place", "value"), [("background", True), ("prompt", {"id": "pmpt_1"}), ("conversation", {"id": "conv_1"})]
)
def test_what_needs_a_memory_is_refused(caller: Caller, place: str, value: Any) -> None:
    body = {"model": "stackspot", "input": "Hi"}
    refused = caller.post(PATHS[RESPONSES], json=body | {place: value})
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, place)
    assert caller.post(PATHS[RESPONSES], json=body | {place: None}).status_code == 200


@pytest.mark.parametrize("route", [CHAT, MESSAGES, RESPONSES])
def test_two_calls_with_one_id_keep_their_order(caller: Caller, simulator: Simulator, route: str) -> None:
    first, second = answered(route, "result one", name="one"), answered(route, "result two", name="two")
    if route == CHAT:
        second[1]["tool_calls"] = first[1]["tool_calls"] + second[1]["tool_calls"]
        history = [HELLO, second[1], first[2], second[2]]
    elif route == MESSAGES:
        pairs = zip(first[1:], second[1:], strict=True)
        history = [HELLO, *({**a, "content": a["content"] + b["content"]} for a, b in pairs)]
    else:
        history = [HELLO, first[1], second[1], first[2], second[2]]
    prompt = prompt_of(caller, simulator, route, history)
    places = [prompt.index(text) for text in ('"one"', '"two"', "result one", "result two")]
    assert places == sorted(places)


@pytest.mark.parametrize("route", [CHAT, MESSAGES, RESPONSES])
def test_a_result_without_its_call_is_shown_to_the_model(caller: Caller, simulator: Simulator, route: str) -> None:
    history = answered(route, "an orphan")
    assert "an orphan" in prompt_of(caller, simulator, route, [history[0], history[2]])


@pytest.mark.parametrize("route", [CHAT, MESSAGES, RESPONSES])
def test_an_answer_that_was_begun_reaches_the_model(caller: Caller, simulator: Simulator, route: str) -> None:
    begun = [HELLO, {"role": "assistant", "content": "Once upon"}]
    assert "Once upon" in prompt_of(caller, simulator, route, begun)
