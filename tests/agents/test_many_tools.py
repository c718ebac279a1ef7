"""More tools than a client wants to offer at once: it searches them, and an MCP server's results come through."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from simulator.client import Simulator
from tests.agents import mcp_server
from tests.agents.running import Place, run_as_told
from tests.harness import ROOT, Server

pytestmark = [pytest.mark.agents, pytest.mark.timeout(480)]

COMMAND, ARGUMENTS = sys.executable, [str(Path(mcp_server.__file__))]
ERRANDS = " ".join(f'Call `{tool}` with `{{"number": 7}}`.' for tool in ("order", "invoice", "letter"))
TOLD = ("order 7 is at the harbour", "harvest-7.pdf", "Dear sailor, 7 is yours.")


def add_to_claude_code(place: Place) -> None:
    server = {"type": "stdio", "command": COMMAND, "args": ARGUMENTS}
    (place.home / ".claude.json").write_text(json.dumps({"mcpServers": {mcp_server.NAME: server}}))
    settings = place.home / ".claude" / "settings.json"
    settings.parent.mkdir(exist_ok=True)
    settings.write_text(json.dumps({"permissions": {"allow": [f"mcp__{mcp_server.NAME}", "WebFetch"]}}))
