"""Reads answers of the three surfaces, streamed or not, into one form that can be compared."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Reply:
    """`calls` are names and arguments; `finish` says why it ended, in the surface's words; `usage` is of both."""

    text: str = ""
    calls: list[tuple[str, Any]] = field(default_factory=list)
    finish: str = ""
    usage: tuple[int, int] = (0, 0)


def read_reply(path: str, body: str, *, stream: bool) -> Reply:
    """The reply in `body`, which came from `path`."""
    if "/chat/completions" in path:
        return _chat_stream(events(body)) if stream else _chat(json.loads(body))
    if "/messages" in path:
        return _messages_stream(events(body)) if stream else _message(json.loads(body))
    if not stream:
        return _response(json.loads(body))
    return _response(next(event["response"] for event in events(body) if event.get("type") == "response.completed"))


def events(body: str) -> Iterator[dict[str, Any]]:
    """The JSON objects of a stream."""
    for line in body.splitlines():
        data = line.removeprefix("data: ") if line.startswith("data: ") else ""
        if data and data != "[DONE]":
            event = json.loads(data)
            assert "error" not in event, event
            yield event


def _chat(answer: dict[str, Any]) -> Reply:
    [choice] = answer["choices"]
    message, usage = choice["message"], answer["usage"]
    calls = [call["function"] for call in message.get("tool_calls") or []]
    return Reply(
        message.get("content") or "",
        [(call["name"], json.loads(call["arguments"])) for call in calls],
        choice["finish_reason"],
        (usage["prompt_tokens"], usage["completion_tokens"]),
    )


def _chat_stream(chunks: Iterator[dict[str, Any]]) -> Reply:
    reply, calls = Reply(), dict[int, dict[str, str]]()
    for chunk in chunks:
        for choice in chunk["choices"]:
            delta = choice.get("delta") or {}
            reply.text += delta.get("content") or ""
            reply.finish = choice.get("finish_reason") or reply.finish
            for piece in delta.get("tool_calls") or []:
                call = calls.setdefault(piece["index"], {"name": "", "arguments": ""})
                call["name"] += piece["function"].get("name") or ""
                call["arguments"] += piece["function"].get("arguments") or ""
        if usage := chunk.get("usage"):
            reply.usage = (usage["prompt_tokens"], usage["completion_tokens"])
    reply.calls = [(call["name"], json.loads(call["arguments"])) for _, call in sorted(calls.items())]
    return reply


def _message(answer: dict[str, Any]) -> Reply:
    blocks, usage = answer["content"], answer["usage"]
    return Reply(
        "".join(block["text"] for block in blocks if block["type"] == "text"),
        [(block["name"], block["input"]) for block in blocks if block["type"] == "tool_use"],
        answer["stop_reason"],
        (usage["input_tokens"], usage["output_tokens"]),
    )


def _messages_stream(events: Iterator[dict[str, Any]]) -> Reply:
    reply, blocks = Reply(), dict[int, dict[str, str]]()
    for event in events:
        match event["type"]:
            case "content_block_start":
                block = event["content_block"]
                blocks[event["index"]] = {"type": block["type"], "name": block.get("name", ""), "json": ""}
            case "content_block_delta":
                reply.text += event["delta"].get("text", "")
                blocks[event["index"]]["json"] += event["delta"].get("partial_json", "")
            case "message_delta":
                reply.finish = event["delta"].get("stop_reason") or reply.finish
                usage = event.get("usage") or {}
                reply.usage = (usage.get("input_tokens", 0), usage.get("output_tokens", 0))
    used = [block for block in blocks.values() if block["type"] == "tool_use"]
    reply.calls = [(block["name"], json.loads(block["json"] or "{}")) for block in used]
    return reply


def _response(answer: dict[str, Any]) -> Reply:
    items, usage = answer["output"], answer["usage"]
    texts = [part["text"] for item in items if item["type"] == "message" for part in item["content"]]
    calls = [item for item in items if item["type"] == "function_call"]
    return Reply(
        "".join(texts),
        [(call["name"], json.loads(call["arguments"])) for call in calls],
        answer["status"],
        (usage["input_tokens"], usage["output_tokens"]),
    )
