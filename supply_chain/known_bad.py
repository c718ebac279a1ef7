"""Looks for releases that are known to be malicious in every lock, and in what is installed here.

`python -m supply_chain.known_bad`; status 1 if there is one. The list is known_bad.toml.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

from packaging.utils import canonicalize_name

from supply_chain.locks import ROOT, Pin, all_locks, read

LIST = Path(__file__).with_name("known_bad.toml")


@cache
def known() -> dict[tuple[str, str], frozenset[str]]:
    """The bad versions by ecosystem and name."""
    found: dict[tuple[str, str], frozenset[str]] = {}
    for release in tomllib.loads(LIST.read_text())["release"]:
        key = release["ecosystem"], release["name"]
        found[key] = found.get(key, frozenset()) | frozenset(release["versions"])
    return found


def is_bad(pin: Pin) -> bool:
    return pin.version in known().get((pin.ecosystem, pin.name), ())


def installed() -> Iterator[Pin]:
    for distribution in metadata.distributions():
        yield Pin("pypi", canonicalize_name(distribution.metadata["Name"]), distribution.version)


def mistakes() -> list[str]:
    """A sentence for each bad release."""
    found = [
        f"{path.relative_to(ROOT)} has {pin.name} {pin.version}, a malicious release"
        for path in all_locks()
        for pin in read(path)
        if is_bad(pin)
    ]
    return found + [f"{pin.name} {pin.version} is installed, a malicious release" for pin in installed() if is_bad(pin)]


def main() -> int:
    if found := mistakes():
        print(*found, f"{LIST.relative_to(ROOT)} has the sources.", sep="\n", file=sys.stderr)
        return 1
    print(f"{len(known())} packages have had malicious releases; none of those is in any of {len(all_locks())} locks")
    return 0


if __name__ == "__main__":
    sys.exit(main())
