"""`python -m supply_chain.notices` (`make notices`) writes THIRD_PARTY_NOTICES.txt, from the locks.

The licence of a package that this machine has no need of is not to be had here: it stays what the file says.
"""

from __future__ import annotations

import re
import sys

from supply_chain.licences import licence_of
from supply_chain.locks import ENGINE, ROOT, RUNTIME, STACK, Pin, images, read

FILE = ROOT / "THIRD_PARTY_NOTICES.txt"
UNKNOWN = "see its page"
# Nothing says them in a form that a program could read; from the projects' own pages.
IMAGES = {
    "ghcr.io/berriai/litellm": "MIT, its folder enterprise apart",
    "grafana/grafana": "AGPL-3.0-only",
    "postgres": "PostgreSQL",
    "prom/prometheus": "Apache-2.0",
    "redis": "AGPL-3.0-only, or RSALv2, or SSPLv1",
}
_HEAD = """\
The gateway installs or starts these works of others. None of them is part of this repository. Each has its own licence,
whose text comes with it. `make notices` writes this file from the lock files.
"""
_LINE = re.compile(r"^(?P<what>\S+ \S+): (?P<licence>.+)$", re.MULTILINE)


def text(before: str) -> str:
    """`before` is the file as it is."""
    known = {found["what"].rpartition(" ")[0]: found["licence"] for found in _LINE.finditer(before)}

    def line(pin: Pin) -> str:
        licence = pin.licence or licence_of(pin.name) if pin.ecosystem == "pypi" else pin.licence
        return f"{pin.name} {pin.version}: {licence or known.get(pin.name) or UNKNOWN}"

    stack = [f"{image.name} {image.tag}: {IMAGES[image.name]}" for image in images(STACK.read_text())]
    parts = (
        ("Python packages (requirements.lock)", [line(pin) for pin in read(RUNTIME)]),
        (
            "npm packages (database/prisma-engine, only where Prisma's own engine cannot be had)",
            map(line, read(ENGINE)),
        ),
        ("Images (docker-compose.yml)", stack),
    )
    return _HEAD + "".join(f"\n{title}\n\n" + "\n".join(sorted(set(lines))) + "\n" for title, lines in parts)


def main() -> int:
    FILE.write_text(text(FILE.read_text() if FILE.exists() else ""))
    print(f"{FILE.name}: {len(_LINE.findall(FILE.read_text()))} works of others")
    return 0


if __name__ == "__main__":
    sys.exit(main())
