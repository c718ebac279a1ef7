"""Tools as each route writes them, and the calls that come back, read in one way."""

import json
from typing import Any, NamedTuple

from tests.gateway.calling import CHAT, MESSAGES, RESPONSES, Reply

TOOL_ROUTES = (CHAT, MESSAGES, RESPONSES)
LOOK = {"type": "object", "properties": {"at": {"type": "string"}}, "required": ["at"]}
NOW: dict[str, Any] = {"type": "object", "properties": {}}
CALLED = {CHAT: "tool_calls", MESSAGES: "tool_use", RESPONSES: "completed"}


class Called(NamedTuple):
    id: str
    name: str
    arguments: Any


def tools(route: str) -> list[dict[str, Any]]:
    """`look`, which takes where to look at, and `now`, which takes nothing."""
    return [tool(route, "look", LOOK), tool(route, "now", NOW)]


def tool(route: str, name: str, schema: dict[str, Any]) -> dict[str, Any]:
    function = {"name": name, "description": f"The tool {name}."}
    match route:
        case "chat":
            return {"type": "function", "function": {**function, "parameters": schema}}
        case "messages":
            return {**function, "input_schema": schema}
        case _:
            return {"type": "function", **function, "parameters": schema}


def choice(route: str, kind: str) -> Any:
    """`tool_choice` of `route`: auto, none, required, or the name of a tool."""
    if kind in ("auto", "none", "required"):
        return {"type": "any" if kind == "required" else kind} if route == MESSAGES else kind
    match route:
        case "chat":
            return {"type": "function", "function": {"name": kind}}
        case "messages":
            return {"type": "tool", "name": kind}
        case _:
            return {"type": "function", "name": kind}


def calls(reply: Reply) -> list[Called]:
    """The calls in `reply`, in order; the events of a stream are put together as a client does."""
    if reply.route == RESPONSES:
        items = reply.events[-1].data["response"]["output"] if reply.streamed else reply.body["output"]
        found = [item for item in items if item["type"] == "function_call"]
        if reply.streamed:
            _check_events(reply, found)
        return [Called(item["call_id"], item["name"], json.loads(item["arguments"])) for item in found]
    if reply.route == MESSAGES and not reply.streamed:
        blocks = [block for block in reply.body["content"] if block["type"] == "tool_use"]
        return [Called(block["id"], block["name"], block["input"]) for block in blocks]
    if reply.route == MESSAGES:
        return _from_blocks(reply)
    made = _from_deltas(reply) if reply.streamed else reply.choices[0]["message"].get("tool_calls") or []
    return [Called(call["id"], call["function"]["name"], json.loads(call["function"]["arguments"])) for call in made]


def _from_deltas(reply: Reply) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for choice_ in reply.choices:
        for delta in choice_["delta"].get("tool_calls") or []:
            if delta["index"] == len(made):
                assert delta["id"]
                assert delta["function"]["name"]
                made.append({"id": delta["id"], "function": {**delta["function"]}})
                continue
            assert delta["index"] == len(made) - 1, "a call that is complete is not gone back to"
            assert not delta.get("id")
            assert not delta["function"].get("name")
            made[-1]["function"]["arguments"] += delta["function"]["arguments"]
    return made


def _from_blocks(reply: Reply) -> list[Called]:
    started = [event.data["content_block"] for event in reply.events if event.name == "content_block_start"]
    assert [event.data["index"] for event in reply.events if event.name == "content_block_start"] == list(
        range(len(started))
    )
    texts = [""] * len(started)
    for event in reply.events:
        if event.name == "content_block_delta":
            texts[event.data["index"]] += event.data["delta"].get("partial_json", "")
    return [
        Called(block["id"], block["name"], json.loads(text or "{}"))
        for block, text in zip(started, texts, strict=True)
        if block["type"] == "tool_use"
    ]


def _check_events(reply: Reply, items: list[dict[str, Any]]) -> None:
    """Each call is announced, its arguments come as deltas, and it is told once more when it is complete."""
    for item in items:
        deltas = [
            event.data["delta"]
            for event in reply.events
            if event.data.get("type") == "response.function_call_arguments.delta"
            and event.data["item_id"] == item["id"]
        ]
        assert "".join(deltas) == item["arguments"]
        for kind in ("response.output_item.added", "response.output_item.done"):
            told = [event.data["item"] for event in reply.events if event.data.get("type") == kind]
            assert [one["call_id"] for one in told if one.get("call_id") == item["call_id"]] == [item["call_id"]]


def history(route: str, reply: Reply, results: dict[str, str]) -> list[dict[str, Any]]:
    """What a client adds to its messages: the answer as it got it, and the result of each call by its id."""
    made = calls(reply)
    if route == CHAT:
        told = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": json.dumps(call.arguments)},
            }
            for call in made
        ]
        answer = {"role": "assistant", "content": reply.text or None, "tool_calls": told}
        return [answer, *({"role": "tool", "tool_call_id": c.id, "content": results[c.id]} for c in made)]
    if route == MESSAGES:
        text = [{"type": "text", "text": reply.text}] if reply.text else []
        uses = [{"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments} for call in made]
        given = [{"type": "tool_result", "tool_use_id": c.id, "content": results[c.id]} for c in made]
        return [{"role": "assistant", "content": [*text, *uses]}, {"role": "user", "content": given}]
    items = reply.events[-1].data["response"]["output"] if reply.streamed else reply.body["output"]
    return [*items, *({"type": "function_call_output", "call_id": c.id, "output": results[c.id]} for c in made)]
