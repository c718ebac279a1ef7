"""Picks, among the tools that a client offers, those for a job, and fills in their arguments by their schemas."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator.model.schema_filler import SchemaFiller
from simulator.model.transcript import Call

_SHELLS = (
    *("bash", "exec_command", "execute", "execute_command", "run_command", "run_commands", "run_shell_command"),
    *("shell", "terminal"),
)
_READERS = ("read", "read_file", "read_files", "view")
_EDITORS = ("edit", "editor", "edit_file", "str_replace", "replace")
_LISTERS = ("list_files", "list_directory", "ls")
_TESTERS = ("run_tests",)
_VERBS = ("str_replace", "replace", "edit")  # of an editor that can do several things
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

    def answering(self, text: str) -> Call | None:
        """What some frameworks want called at the end, with or without the last words."""
        return self._call(("final_answer", "complete"), answer=text)

    def _call(self, wanted: tuple[str, ...], **values: str) -> Call | None:
        for name, schema in self.tools.items():
            if name.lower() in wanted:
                return Call(name, SchemaFiller(schema, values, _VERBS).arguments())
        return None


def folder_in(listing: str) -> str:
    """The folder that a listing names, or nothing."""
    found = _FOLDER.search(listing)
    return found[1] if found else ""


def _place(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _for_sed(text: str) -> str:
    return re.sub(r"([\\/&.*\[\]^$])", r"\\\1", text)
