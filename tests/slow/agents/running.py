"""Runs a client as its how-to in `clients/` says: headless, offline, with a throwaway home."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.clients import Block, blocks, filled
from tests.harness import ROOT
from tests.slow.agents import work
from tests.slow.agents.installing import MODULES

SECONDS = 200

# Nothing listens there: whatever a client wants from outside fails at once.
_NOWHERE = "http://127.0.0.1:9"
_OFFLINE = {
    **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), _NOWHERE),
    **dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost"),
}
# What a test needs that is of no use to others: nobody watches, nothing is updated.
_IN_TESTS: dict[str, dict[str, str]] = {
    "aider": {"AIDER_GIT": "false", "AIDER_ANALYTICS": "false", "AIDER_SHOW_RELEASE_NOTES": "false"},
    "claude-code": {"DISABLE_AUTOUPDATER": "1"},
    # Otherwise it leaves a daemon behind, which later runs would use.
    "cline": {"CLINE_NO_AUTO_UPDATE": "1", "CLINE_SESSION_BACKEND_MODE": "local"},
    "opencode": {"OPENCODE_DISABLE_AUTOUPDATE": "1", "OPENCODE_DISABLE_MODELS_FETCH": "1"},
    "qwen-code": dict.fromkeys(_OFFLINE, ""),  # it ignores NO_PROXY, see its how-to
}
# A machine that runs tests seldom allows a sandbox in its sandbox.
_UNBOXED = ("--sandbox workspace-write", "--dangerously-bypass-approvals-and-sandbox")


@dataclass(frozen=True)
class Place:
    """Where a client runs: the programs it may find, its home and the folder it works in."""

    programs: Path
    home: Path
    folder: Path
    python: Path = Path(sys.executable).parent

    @classmethod
    def new(
        cls,
        base: Path,
        programs: Mapping[str, Path],
        *,
        python: Path = Path(sys.executable).parent,
        modules: Path = MODULES,
    ) -> "Place":
        """`programs` by their names, those in the folder `python`, and `modules` for programs in JavaScript."""
        place = cls(base / "bin", base / "home", base / "work", python)
        for folder in (place.programs, place.home, place.folder):
            folder.mkdir(parents=True)
        for name, target in programs.items():
            (place.programs / name).symlink_to(target)
        (place.folder / "node_modules").symlink_to(modules)
        work.prepare(place.folder)
        return place

    def environment(self, client: str, key: str, task: str) -> dict[str, str]:
        path = [str(self.programs), str(self.python), os.environ["PATH"]]
        return {
            "HOME": str(self.home),
            "PATH": os.pathsep.join(path),
            "LANG": "C.UTF-8",
            "TERM": "dumb",
            "STACKSPOT_GATEWAY_KEY": key,
            "TASK": task,
            "TESTS": work.TESTS,
            "FILES": " ".join(work.EDITED),
            **_OFFLINE,
            **_IN_TESTS.get(client, {}),
        }


def run_as_told(
    client: str,
    place: Place,
    *,
    gateway: str,
    key: str,
    context: int = 272_000,
    task: str = work.TASK,
    add: Callable[[Place], None] = lambda _: None,
) -> str:
    """Do all that the how-to of `client` says, but for the size of the context; what it printed.

    `add` comes before the client, to what the how-to wrote.
    """
    parts = list(blocks(filled(client, gateway=gateway).replace("272000", str(context))))
    for part in parts:
        if part.file:
            path = place.home / part.file[2:] if part.file.startswith("~/") else place.folder / part.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(part.text)
    add(place)
    script = "".join(part.text for part in sorted(filter(_is_run, parts), key=_order))
    return run_script(client, place, script, key=key, task=task)


def run_configured(
    client: str, place: Place, *, gateway: str, key: str, instead: tuple[str, str] = ("", ""), task: str = work.TASK
) -> str:
    """Let `clients configure` write the files of `client`, and run it as its how-to says; what both printed.

    `instead` is a change to the client's command.
    """
    environ = {**place.environment(client, key, task), "GATEWAY_URL": gateway, "GATEWAY_ENV_FILE": os.devnull}
    command = [sys.executable, "-m", "gateway", "clients", "configure", client, "--yes"]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True)
    exports = re.findall(r"^  (export .*)$", done.stdout, re.MULTILINE)
    runs = [part.text for part in blocks(filled(client, gateway=gateway)) if "$TASK" in part.text]
    script = "\n".join((*exports, *runs)).replace(*instead)
    return done.stdout + run_script(client, place, script, key=key, task=task)


def run_script(client: str, place: Place, script: str, *, key: str, task: str) -> str:
    """What a client printed, whose commands are `script`."""
    command = [shutil.which("bash") or "bash", "-c", "set -e\n" + script.replace(*_UNBOXED)]
    done = subprocess.run(
        command,
        cwd=place.folder,
        env=place.environment(client, key, task),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=SECONDS,
        check=False,
    )
    output = done.stdout.decode(errors="replace")
    assert done.returncode == 0, output
    return output


def _is_run(part: Block) -> bool:
    return part.language == "sh" and (part.label.startswith(("Environment", "Once")) or "$TASK" in part.text)


def _order(part: Block) -> int:
    return 2 if "$TASK" in part.text else 1 if part.label.startswith("Once") else 0
