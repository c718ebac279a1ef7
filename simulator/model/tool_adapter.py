"""Picks, among the tools that a client offers, those for a job, and fills in their arguments by their schemas."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator.model.transcript import Call

_SHELLS = ("bash", "shell", "exec_command", "run_shell_command", "run_commands", "run_command", "execute_command")
_READERS = ("read", "read_file", "read_files", "view")
_EDITORS = ("edit", "editor", "edit_file", "str_replace", "replace")
_LISTERS = ("list_files", "list_directory", "ls")
_TESTERS = ("run_tests",)

# What a parameter is for, by its name without underscores and in small letters.
_PURPOSES = {
    **dict.fromkeys(("command", "commands", "cmd"), "command"),
    **dict.fromkeys(("path", "filepath", "file", "files", "filename"), "path"),
    **dict.fromkeys(("oldstring", "oldstr", "oldtext", "old"), "old"),
    **dict.fromkeys(("newstring", "newstr", "newtext", "new"), "new"),
    **dict.fromkeys(("description", "explanation", "reason"), "why"),
}
_EMPTY: dict[str, Any] = {"string": "", "integer": 0, "number": 0, "boolean": False, "array": [], "object": {}}
_FOLDER = re.compile(r"folder:(/[^\s\"'\\;$]+)")


@dataclass(frozen=True)
class ToolAdapter:
    """The tools of one client; `patches` says that its shell knows `apply_patch`."""

    tools: Mapping[str, dict[str, Any]]
    patches: bool = False

    def listing(self) -> Call | None:
        """What shows the files of the current folder, and where it is when a shell can say so."""
        return self._call(_SHELLS, command="echo folder:$PWD; ls", why="List the files") or self._call(
            _LISTERS, path=".", why="List the files"
        )

    def reading(self, folder: str, name: str) -> Call | None:
        """What shows a file."""
        return self._call(_READERS, path=_place(folder, name), why=f"Read {name}") or self._call(
            _SHELLS, command=f"cat {shlex.quote(name)}", why=f"Read {name}"
        )

    def editing(self, folder: str, name: str, line: str, old: str, new: str) -> Call | None:
        """What replaces `old`, which stands in `line` of a file, by `new`."""
        if edit := self._call(_EDITORS, path=_place(folder, name), old=old, new=new, why=f"Edit {name}"):
            return edit
        changed = line.replace(old, new)
        command = f"sed -i {shlex.quote(f's/{_for_sed(old)}/{_for_sed(new)}/')} {shlex.quote(name)}"
        if self.patches:
            command = (
                f"apply_patch <<'EOF'\n*** Begin Patch\n*** Update File: {name}\n@@\n"
                f"-{line}\n+{changed}\n*** End Patch\nEOF"
            )
        return self._call(_SHELLS, command=command, why=f"Edit {name}")

    def running(self, command: str) -> Call | None:
        """What runs a command, which is taken to be that of the tests."""
        return self._call(_TESTERS) or self._call(_SHELLS, command=command, why="Run the tests")

    def _call(self, wanted: tuple[str, ...], **values: str) -> Call | None:
        for name, schema in self.tools.items():
            if name.lower() in wanted:
                return Call(name, _arguments(schema, values))
        return None


def folder_in(listing: str) -> str:
    """The folder that a listing names, or nothing."""
    found = _FOLDER.search(listing)
    return found[1] if found else ""


def _arguments(schema: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    properties, required = schema.get("properties") or {}, schema.get("required") or ()
    arguments: dict[str, Any] = {}
    for name, kind in properties.items():
        value = values.get(_PURPOSES.get(name.replace("_", "").lower(), ""))
        if value is not None and (name in required or not _is_optional_remark(name)):
            arguments[name] = _shaped(kind, value, values)
        elif name in required:
            arguments[name] = _filled(kind, values)
    return arguments


def _filled(kind: Mapping[str, Any], values: Mapping[str, str]) -> Any:
    """Something that fits; in lists and objects what is wanted may have its place further in."""
    if choices := kind.get("enum"):
        return choices[0]
    if kind.get("type") == "object":
        return _arguments(kind, values)
    if kind.get("type") == "array" and (items := kind.get("items")):
        item = _filled(items, values)
        return [item] if item or kind.get("minItems") else []
    return _EMPTY.get(kind.get("type", ""), "")


def _is_optional_remark(name: str) -> bool:
    return _PURPOSES.get(name.lower()) == "why"


def _shaped(kind: Mapping[str, Any], value: str, values: Mapping[str, str]) -> Any:
    if kind.get("type") != "array":
        return value
    items = kind.get("items") or {}
    return [_arguments(items, values) if items.get("type") == "object" else value]


def _place(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _for_sed(text: str) -> str:
    return re.sub(r"([\\/&.*\[\]^$])", r"\\\1", text)
