"""A small coding agent: four tools, one task, and the OpenAI interface. It stands for Codex, aider and the like.

The model decides; this only does what it calls for, in one folder, and sends back what came of it.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from gateway.failures import GatewayError

MOST_TURNS = 12
_INSTRUCTIONS = "You are a coding agent. Work on the user's task with the tools, and say at the end what you did."


@dataclass(frozen=True)
class Turn:
    """What the model said and called for, and what the tools gave back."""

    says: str
    calls: tuple[tuple[str, str], ...] = ()
    tokens: int = 0
    cost: float = 0.0  # in units of spend


def work(client: httpx.Client, key: str, model: str, task: str, folder: Path) -> Iterator[Turn]:
    """Each turn of the work in `folder`, until the model calls no more tools.

    Raises httpx.HTTPError when the gateway refuses, and GatewayError when the work does not end.
    """
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": _INSTRUCTIONS},
        {"role": "user", "content": task},
    ]
    for _ in range(MOST_TURNS):
        body = {"model": model, "messages": messages, "tools": _described(), "user": "demo"}
        response = client.post("/v1/chat/completions", headers={"Authorization": f"Bearer {key}"}, json=body)
        response.raise_for_status()
        answer = response.json()
        message, tokens = answer["choices"][0]["message"], answer["usage"]["total_tokens"]
        says, calls = message.get("content") or "", message.get("tool_calls") or []
        messages.append({"role": "assistant", "content": says, **({"tool_calls": calls} if calls else {})})
        done = []
        for call in calls:
            result = call_tool(folder, call["function"]["name"], call["function"]["arguments"])
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})
            done.append((_shown(call["function"]), result))
        yield Turn(says.strip(), tuple(done), tokens, float(response.headers.get("x-litellm-response-cost") or 0))
        if not calls:
            return
    raise GatewayError(f"The coding agent was not ready after {MOST_TURNS} turns.")


def _list_files(folder: Path, path: str = ".") -> str:
    return "\n".join(sorted(each.name for each in _inside(folder, path).iterdir()))


def _read_file(folder: Path, path: str) -> str:
    return _inside(folder, path).read_text()


def _edit_file(folder: Path, path: str, old: str, new: str) -> str:
    file = _inside(folder, path)
    text = file.read_text()
    if text.count(old) != 1:
        return f"{old!r} stands {text.count(old)} times in {path}: it has to be once."
    file.write_text(text.replace(old, new))
    return f"{path} is changed."


def _run_tests(folder: Path) -> str:
    command = [sys.executable, "-B", "run_tests.py"]  # no bytecode, which an agent would take for the project's
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=30, check=False)
    return ran.stdout + ran.stderr


_TOOLS: dict[str, tuple[Callable[..., str], str, tuple[str, ...]]] = {
    "list_files": (_list_files, "List the files of a folder.", ("path",)),
    "read_file": (_read_file, "Read a file.", ("path",)),
    "edit_file": (_edit_file, "Replace a text that stands once in a file.", ("path", "old", "new")),
    "run_tests": (_run_tests, "Run the project's tests.", ()),
}


def _described() -> list[dict[str, Any]]:
    return [
        {
            "type": "function",
            "function": {
                "name": name,
                "description": description,
                "parameters": {
                    "type": "object",
                    "properties": {each: {"type": "string"} for each in parameters},
                    "required": list(parameters),
                },
            },
        }
        for name, (_, description, parameters) in _TOOLS.items()
    ]


def call_tool(folder: Path, name: str, arguments: str) -> str:
    try:
        given = json.loads(arguments)
        return _TOOLS[name][0](folder, **given)
    except (KeyError, TypeError, ValueError, OSError) as error:
        return f"Error: {type(error).__name__}: {error}"


def _inside(folder: Path, path: str) -> Path:
    place = (folder / path).resolve()
    if not place.is_relative_to(folder.resolve()):
        raise ValueError(f"{path} is not in the project.")
    return place


def _shown(function: dict[str, Any]) -> str:
    try:
        given = json.loads(function["arguments"])
    except ValueError:
        given = {}
    return f"{function['name']}({', '.join(map(str, given.values()))})"
