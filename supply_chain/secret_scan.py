"""Looks for keys and passwords in the files of the repository: `python -m supply_chain.secret_scan [FILE...]`.

detect-secrets finds them; status 1 if there is one. Names of variables are none, nor are the made-up words of
not_secret.toml. The tests are full of made-up passwords: there only what has the form of a real service's key counts.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from detect_secrets.core.scan import scan_file
from detect_secrets.settings import default_settings

from supply_chain.locks import ROOT

LIST = Path(__file__).with_name("not_secret.toml")
_HASHES = (".lock", "package-lock.json")  # by the thousand, and no secrets
_PICTURES = (".png",)
_VARIABLE = re.compile(r"[A-Z]+(_[A-Z]+)+")
_BY_WORDS = {"Secret Keyword", "Basic Auth Credentials", "Base64 High Entropy String", "Hex High Entropy String"}
_MADE_UP = ("tests/", "simulator/")


class Found(NamedTuple):
    file: str
    line: int
    kind: str
    text: str


def tracked() -> list[str]:
    """The files that git has, or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.splitlines() if not name.endswith((*_HASHES, *_PICTURES))]


def scan(names: Iterable[str], root: Path = ROOT) -> Iterator[Found]:
    """What may be a secret in these files."""
    made_up = set(tomllib.loads(LIST.read_text())["words"])
    with default_settings():
        for name in names:
            if not (root / name).is_file():
                continue
            for secret in scan_file(str(root / name)):
                text = str(secret.secret_value)
                if name.startswith(_MADE_UP) and secret.type in _BY_WORDS:
                    continue
                if text not in made_up and not _VARIABLE.fullmatch(text):
                    yield Found(name, secret.line_number, secret.type, text)


def main(names: list[str]) -> int:
    found = list(scan(names or tracked()))
    for each in found:
        print(f"{each.file}:{each.line}: {each.kind}", file=sys.stderr)  # not the text: this output is kept by CI
    if found:
        print(
            f"If that is a secret, revoke it: git keeps it. If it is made up, add it to {LIST.relative_to(ROOT)}.",
            file=sys.stderr,
        )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
