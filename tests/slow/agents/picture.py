"""Makes docs/agent.png, Codex at work through the gateway: `python -m tests.slow.agents.picture`.

It is what the program printed, but for its folder, which is a temporary one, for what is about the machine, and for
the second file, which stands in its place as "...".
"""

import tempfile
from pathlib import Path

from simulator.client import Simulator
from tests.harness import ROOT, Account, running_gateway, running_simulator
from tests.slow.agents import work
from tests.slow.agents.installing import install_npm_clients
from tests.slow.agents.running import Place, run_as_told
from tests.slow.terminal import Command, draw

PICTURE = ROOT / "docs" / "agent.png"
_ABOUT_THE_MACHINE = ("session id:", "reasoning ", "approval:", "sandbox:", "index ", "diff ", "warning:")
_READS, _TESTS = "Now I read what is to be changed.", "Both files are changed; now the tests."


def shortened(printed: str) -> str:
    """One file of the two, and nothing about the machine."""
    lines = printed[printed.index("OpenAI Codex") :].splitlines()
    lines = [line for line in lines if line.strip() and not line.startswith(_ABOUT_THE_MACHINE)]
    second = lines.index(_READS, lines.index(_READS) + 1) - 1
    tests = lines.index(_TESTS) - 1
    return "\n".join((*lines[:second], "...", *lines[tests:]))


def main() -> None:
    account = Account.new()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        base = Path(name)
        with (
            running_simulator(account, base / "simulator.log", "--model", "coder") as simulator,
            running_gateway(account.for_gateway(simulator.url), base / "gateway.log", cold=True) as gateway,
            Simulator(simulator.url),
        ):
            place = Place.new(base / "place", install_npm_clients())
            printed = run_as_told("codex", place, gateway=gateway.url, key=gateway.key)
            work.check(place.folder)
        for folder in (place.folder.resolve(), place.folder):
            printed = printed.replace(str(folder), "~/shop")
    assert gateway.key not in printed
    draw([Command(f'codex exec "{work.TASK.splitlines()[0]} ..."', shortened(printed))], PICTURE)
    print(f"Wrote {PICTURE.relative_to(ROOT)}.")


if __name__ == "__main__":
    main()
