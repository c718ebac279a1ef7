"""The packages of each client, and where the version that the tests run is locked."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.harness import ROOT

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Client:
    """The first of `names` is the client itself, the others what its how-to imports beside it.

    `environment` is the virtual environment of a Python client; "" is the project's own.
    """

    registry: Literal["npm", "PyPI"]
    names: tuple[str, ...]
    environment: str = ""

    @property
    def package(self) -> str:
        """The package itself, without extras."""
        return self.names[0].partition("[")[0]


def _npm(*names: str) -> Client:
    return Client("npm", names)


def _pypi(*names: str, environment: str = "") -> Client:
    return Client("PyPI", names, environment)


CLIENTS: Mapping[str, Client] = {
    "agno": _pypi("agno", "openai", environment="sdks"),
    "aider": _pypi("aider-chat", environment="aider"),
    "anthropic-python": _pypi("anthropic"),
    "autogen": _pypi("autogen-agentchat", "autogen-ext[openai]", environment="sdks"),
    "claude-agent-sdk": _pypi("claude-agent-sdk", environment="sdks"),
    "claude-code": _npm("@anthropic-ai/claude-code"),
    "cline": _npm("cline"),
    "codex": _npm("@openai/codex"),
    "continue": _npm("@continuedev/cli"),
    "copilot": _npm("@github/copilot"),
    "crewai": _pypi("crewai", environment="crewai"),
    "deepagents": _pypi("deepagents", "langchain-openai", environment="sdks"),
    "dspy": _pypi("dspy", environment="sdks"),
    "google-adk": _pypi("google-adk", "litellm", environment="sdks"),
    "gptme": _pypi("gptme", environment="gptme"),
    "instructor": _pypi("instructor"),
    "langchain": _pypi("langchain-openai"),
    "llm": _pypi("llm"),
    "openai-agents-javascript": _npm("@openai/agents", "zod"),
    "openai-agents-python": _pypi("openai-agents", environment="sdks"),
    "openai-javascript": _npm("openai"),
    "openai-python": _pypi("openai"),
    "opencode": _npm("opencode-ai"),
    "mistral-vibe": _pypi("mistral-vibe", environment="vibe"),
    "openhands": _pypi("openhands-sdk", "openhands-tools", environment="openhands"),
    "pi": _npm("@mariozechner/pi-coding-agent"),
    "pydantic-ai": _pypi("pydantic-ai-slim[openai]"),
    "qwen-code": _npm("@qwen-code/qwen-code"),
    "smolagents": _pypi("smolagents[openai]", environment="sdks"),
    "strands": _pypi("strands-agents[openai]", environment="crewai"),
    "vercel-ai-sdk": _npm("ai", "@ai-sdk/openai-compatible", "zod"),
}

# They make objects and call no tools of the user's.
EXTRACTORS = ("instructor",)
NOT_RUN = {"open-webui": "its package brings gigabytes of machine learning libraries, and it has no headless mode"}


def locked_version(client: Client) -> str:
    """The version that the tests run."""
    if client.registry == "npm":
        return str(json.loads((HERE / "package.json").read_text())["dependencies"][client.package])
    lock = HERE / f"requirements-{client.environment}.lock" if client.environment else ROOT / "requirements-dev.lock"
    found = re.search(rf"^{re.escape(client.package)}==([\w.+!-]+)", lock.read_text(), re.MULTILINE)
    if found is None:
        raise LookupError(f"{lock.name} has no {client.package}.")
    return found[1]
