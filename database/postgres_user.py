"""Postgres refuses to run as root: who runs it then, and how that user reaches its program and its data."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gateway.progress import note

CANDIDATES = ("postgres", "nobody")
READ, PASS = stat.S_IROTH, stat.S_IXOTH


@dataclass(frozen=True)
class SystemUser:
    """Another user, as `subprocess` wants to be told of one."""

    uid: int
    gid: int


def user_for(owner: int | None) -> SystemUser | None:
    """Whom to run the server as, given who owns its data (None: no data yet). None: as we are."""
    if os.geteuid() != 0:
        return None
    if owner:
        return SystemUser(owner, pwd.getpwuid(owner).pw_gid)
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    found = next(known[name] for name in CANDIDATES if name in known)
    return SystemUser(found.pw_uid, found.pw_gid)


def let_pass(*folders: Path) -> None:
    """Lets every user through folders and those above them. Nothing becomes listable or readable by that."""
    closed = {place for folder in folders for place in (folder, *folder.parents) if not place.stat().st_mode & PASS}
    for place in closed:
        place.chmod(place.stat().st_mode | PASS)
    if closed:
        outermost = min(closed, key=lambda place: len(place.parts))
        note(f"Postgres cannot run as root: other users may now pass through {outermost}, not list what is in it.")


def let_read(folders: Iterable[Path]) -> None:
    """Makes installed programs readable by every user, as they are unless the umask was strict."""
    for folder in folders:
        for place in (folder, *folder.rglob("*")):
            mode = place.stat().st_mode
            wanted = mode | READ | (PASS if mode & stat.S_IXUSR else 0)
            if mode != wanted:
                place.chmod(wanted)
