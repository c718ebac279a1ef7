"""What `clients configure` writes: the files of a client's how-to, with all models where a file holds several."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from custom_handlers.core.models import ALIASES
from gateway.clients import KEY, MODEL, blocks, filled, find
from gateway.failures import InputError
from gateway.merging import merge_json, merge_toml, merge_yaml

CONFIGURABLE = ("aider", "claude-code", "codex", "continue", "opencode", "qwen-code")
# Where a client looks in place of the folder in its how-to.
MOVED_BY = {"~/.codex/": "CODEX_HOME", "~/.claude/": "CLAUDE_CONFIG_DIR", "~/.config/": "XDG_CONFIG_HOME"}
CLAUDE_SETTINGS = "~/.claude/settings.json"
_EXPORT = re.compile(r"^export (\w+)=(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Target:
    """A file, and how what it has becomes what it should have."""

    path: Path
    merge: Callable[[str], str]


@dataclass(frozen=True)
class Plan:
    targets: list[Target]
    exports: list[str]  # what stays in the environment: the key above all


def plan(name: str, gateway: str, environ: Mapping[str, str]) -> Plan:
    """What to write for a client. Raises InputError."""
    client = find(name)
    if client not in CONFIGURABLE:
        raise InputError(
            f"{client} is not configured by a file without your key in it: `clients show {client}` says what to do. "
            f"Files are written for {', '.join(CONFIGURABLE)}."
        )
    found = list(blocks(filled(client, gateway=gateway)))
    targets = [Target(_place(block.file, environ), _merge(block.language, block.text)) for block in found if block.file]
    exports = [pair for block in found for pair in _EXPORT.findall(block.text)]
    if client == "claude-code":
        variables = {variable: value for variable, value in exports if value != KEY}
        targets.append(Target(_place(CLAUDE_SETTINGS, environ), _merge("json", json.dumps({"env": variables}))))
        exports = [(variable, value) for variable, value in exports if value == KEY]
    return Plan(targets, [f"export {variable}={value}" for variable, value in exports])


def _place(file: str, environ: Mapping[str, str]) -> Path:
    for folder, variable in MOVED_BY.items():
        if file.startswith(folder) and environ.get(variable):
            return Path(environ[variable]) / file.removeprefix(folder)
    return Path(environ["HOME"], file.removeprefix("~/")) if environ.get("HOME") else Path(file).expanduser()


def _merge(language: str, text: str) -> Callable[[str], str]:
    if language == "json":
        settings = every_model(json.loads(text))
        return lambda old: merge_json(old, settings)
    if language == "toml":
        return lambda old: merge_toml(old, text) if old.strip() else text
    several = _every_item(text)
    # A list of models is the user's own file, with a name of its own; plain settings are what the client is told.
    return lambda old: merge_yaml(old, several, over=several == text) if old.strip() else several


def every_model(settings: Any) -> Any:
    """An entry for the model becomes one for each model, the first as it is and the others with their own names."""
    if isinstance(settings, dict):
        return {name: value for entry in settings.items() for name, value in _copies(*entry)}
    if isinstance(settings, list):
        return [copy for item in settings for _, copy in _copies(_id(item), item)]
    return settings


def _id(item: Any) -> str:
    return str(item.get("id", "")) if isinstance(item, dict) else ""


def _copies(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    yield name, every_model(value)
    if isinstance(value, dict) and name.rpartition("/")[2] == MODEL:
        for model in others():
            copy = json.loads(json.dumps(value).replace(f'"{MODEL}"', f'"{model}"'))
            if "name" in copy:
                copy["name"] += f" ({model})"
            yield name.removesuffix(MODEL) + model, copy


def others() -> list[str]:
    return [alias for alias in ALIASES if alias != MODEL]


def _every_item(text: str) -> str:
    found = re.search(r"^  - .*\n(?:    .*\n)+", text, re.MULTILINE)
    if not found:
        return text
    copies = [
        re.sub(r"(- name: .*)", rf"\1 ({model})", found[0]).replace(f"model: {MODEL}\n", f"model: {model}\n")
        for model in others()
    ]
    return text[: found.end()] + "".join(copies) + text[found.end() :]
