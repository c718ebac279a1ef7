"""Reads what is locked: packages of PyPI and npm, and the images of the Docker stack."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import yaml
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
RUNTIME, ENGINE, STACK = (
    ROOT / "requirements.lock",
    ROOT / "database" / "prisma-engine" / "package-lock.json",
    ROOT / "docker-compose.yml",
)
_PIN = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[A-Za-z0-9.+!-]+)(?: ; (?P<marker>.+))?")
_HASH = re.compile(r"sha256:[0-9a-f]{64}")
_NOT_OURS = {".git", "node_modules", "artifacts", ".data"}


class Pin(NamedTuple):
    """One package of a lock: `hashes` are hexadecimal, `marker` says on which machines it is needed."""

    ecosystem: str
    name: str
    version: str
    marker: str = ""
    hashes: tuple[tuple[str, str], ...] = ()
    licence: str = ""

    @property
    def purl(self) -> str:
        name = self.name.replace("@", "%40")
        return f"pkg:{self.ecosystem}/{name}@{self.version}"


class Image(NamedTuple):
    name: str
    tag: str


def all_locks() -> list[Path]:
    """Every lock file of the repository."""
    found: list[Path] = []
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in _NOT_OURS and not name.startswith(".venv")]
        found += [Path(folder, name) for name in files if name == "package-lock.json" or name.endswith(".lock")]
    return sorted(found)


def read(path: Path) -> list[Pin]:
    return list(npm_pins(path.read_text())) if path.name == "package-lock.json" else list(pip_pins(path.read_text()))


def pip_pins(text: str) -> Iterator[Pin]:
    """The pins of a lock of pip's. Raises ValueError for anything else, a pin without hashes too."""
    for entry in re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)).splitlines():
        head, *hashes = (word.strip() for word in entry.split(" --hash="))
        found = _PIN.fullmatch(head)
        if not found or not hashes or not all(map(_HASH.fullmatch, hashes)):
            raise ValueError(f"not a pin with hashes: {entry[:80]}")
        digests = tuple(sorted(("SHA-256", word.partition(":")[2]) for word in hashes))
        yield Pin("pypi", canonicalize_name(found["name"]), found["version"], found["marker"] or "", digests)


def npm_pins(text: str) -> Iterator[Pin]:
    """The packages of a package-lock.json. Raises ValueError for one without a hash."""
    for place, entry in json.loads(text)["packages"].items():
        if not place or entry.get("link"):
            continue
        name = entry.get("name") or place.rpartition("node_modules/")[2]
        kind, _, digest = str(entry.get("integrity", "")).partition("-")
        if kind != "sha512":
            raise ValueError(f"not a package with its hash: {name}")
        hashes = (("SHA-512", base64.b64decode(digest).hex()),)
        yield Pin("npm", name, entry["version"], hashes=hashes, licence=str(entry.get("license", "")))


def images(text: str) -> list[Image]:
    """The images of a compose file, each once."""
    services = yaml.safe_load(text)["services"].values()
    names = sorted({str(service["image"]) for service in services})
    return [Image(*_split(name)) for name in names]


def _split(name: str) -> tuple[str, str]:
    """A port in the registry's address is no tag, and a digest belongs to the tag."""
    place, slash, last = name.rpartition("/")
    short, _, tag = last.partition(":")
    return place + slash + short, tag
