"""The errands that clients run with an MCP server's tools, and how each client is told of that server."""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.slow.agents.running import Place

TASK = " ".join(f"Call `{tool}` with `number=7`." for tool in ("order", "invoice", "letter"))
# What only the structured content, the link and the embedded resource say.
TOLD = ("order 7 is at the harbour", "harvest-7.pdf", "Dear sailor, 7 is yours.")

_NAME, _COMMAND, _PROGRAM = "desk", sys.executable, str(Path(__file__).with_name("mcp_server.py"))
_SPARE_TOOLS = 57


def add_server(client: str, spare: int = _SPARE_TOOLS) -> Callable[[Place], None]:
    """Puts the server, with `spare` tools that nobody wants, into the client's configuration."""
    return lambda place: _ADD[client](place, [_PROGRAM, str(spare)])


def _to_claude_code(place: Place, arguments: list[str]) -> None:
    server = {"type": "stdio", "command": _COMMAND, "args": arguments}
    _change(place.home / ".claude.json", {"mcpServers": {_NAME: server}})
    allowed = {"allow": [f"mcp__{_NAME}", "WebFetch"]}
    _change(place.home / ".claude" / "settings.json", {"permissions": allowed})


def _to_codex(place: Place, arguments: list[str]) -> None:
    with (place.home / ".codex" / "config.toml").open("a") as file:
        print(f"\n[mcp_servers.{_NAME}]\ncommand = {json.dumps(_COMMAND)}", file=file)
        print(f"args = {json.dumps(arguments)}\nrequired = true\nstartup_timeout_sec = 60", file=file)


def _to_qwen_code(place: Place, arguments: list[str]) -> None:
    server = {"command": _COMMAND, "args": arguments, "trust": True}
    _change(place.home / ".qwen" / "settings.json", {"mcpServers": {_NAME: server}})


_ADD = {"claude-code": _to_claude_code, "codex": _to_codex, "qwen-code": _to_qwen_code}
CLIENTS = tuple(_ADD)


def _change(path: Path, more: Mapping[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    settings = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**settings, **more}))
