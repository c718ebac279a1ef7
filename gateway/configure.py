"""`clients configure`: writes a client's files, with a backup, after showing the difference; `--undo` takes it back."""

from __future__ import annotations

import difflib
import os
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import click

from gateway.addresses import gateway_url
from gateway.clients import KEY, complete
from gateway.configuring import Target, plan
from gateway.failures import GatewayError, InputError
from gateway.management import settings
from gateway.merging import UnmergeableError
from gateway.options import Command
from gateway.project import require_host

BEFORE = ".before-stackspot"  # the file as it was
VARIABLE = KEY.removeprefix("$")
NEW = ".new-with-stackspot"  # in place of it, where there was none


@click.command(cls=Command)
@click.argument("name", required=False, metavar="NAME", shell_complete=complete)
@click.option("--yes", is_flag=True, help="Write without asking.")
@click.option("--undo", is_flag=True, help="Bring back what was there before.")
def configure(name: str | None, yes: bool, undo: bool) -> None:
    """Write the configuration of the client NAME.

    The difference is shown first. Other settings stay. A backup is kept beside each file. Your key is not written: the
    client reads it from the environment.
    """
    require_host("clients configure")
    environ = settings()
    planned = plan(name or "", gateway_url(environ), environ)
    changes = [(each.path, *(_undone(each.path) if undo else _done(each))) for each in planned.targets]
    changes = [(path, old, new) for path, old, new in changes if old != new]
    if not changes:
        print("Nothing to undo." if undo else "Nothing to write: it is configured already.")
    else:
        for path, old, new in changes:
            _show(path, old, new)
        if not yes:
            _ask()
        for path, old, new in changes:
            _take_back(path, old, new) if undo else _write(path, old, new)
    if not undo:
        missing = [] if environ.get(VARIABLE) else [f"export {VARIABLE}=sk-...  # your virtual key"]
        if exports := [*missing, *planned.exports]:
            print("\nIn the environment, for the client to read:\n")
            print("\n".join(f"  {line}" for line in exports))


def _done(target: Target) -> tuple[str | None, str | None]:
    old = _read(target.path)
    text = old or ""
    windows = text.count("\n") == text.count("\r\n") > 0
    try:
        new = target.merge(text.replace("\r\n", "\n") if windows else text)
    except UnmergeableError as reason:
        raise GatewayError(
            f"{target.path} cannot be changed: {reason}. Nothing is written; `clients show` says what it needs."
        ) from None
    return old, new.replace("\n", "\r\n") if windows else new


def _undone(path: Path) -> tuple[str | None, str | None]:
    old = _read(path)
    if (before := _beside(path, BEFORE)).exists():
        return old, _read(before)
    return old, None if _beside(path, NEW).exists() else old


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise GatewayError(f"{path} cannot be read: it is no UTF-8 text.") from None
    except OSError as error:
        raise GatewayError(f"{path} cannot be read: {error.strerror}.") from None


def _show(path: Path, old: str | None, new: str | None) -> None:
    names = [str(path) if text is not None else "(no file)" for text in (old, new)]
    before, after = ((text or "").splitlines() for text in (old, new))
    # One line around each change: more of the file, which may hold secrets, is nobody's business.
    print("\n".join(difflib.unified_diff(before, after, names[0], names[1], n=1, lineterm="")))


def _ask() -> None:
    if not sys.stdin.isatty():
        raise InputError("Nothing is written: there is no terminal to ask at, so say --yes.")
    if not click.confirm("Write this?"):
        raise InputError("Nothing is written.")


def _write(path: Path, old: str | None, new: str | None) -> None:
    """The oldest backup stays, so that undoing leads back to what was there before the gateway."""
    path.parent.mkdir(parents=True, exist_ok=True)
    before, fresh = _beside(path, BEFORE), _beside(path, NEW)
    if not before.exists() and not fresh.exists():
        if old is None:
            fresh.touch()
        else:
            shutil.copy2(path, before)
    _replace(path, new or "")
    print(f"Wrote {path}" + (f"; as it was: {before}" if before.exists() else ""))


def _take_back(path: Path, old: str | None, new: str | None) -> None:
    if new is None:
        path.unlink()
        print(f"Removed {path}")
    else:
        _replace(path, new)
        print(f"Brought back {path}")
    for suffix in (BEFORE, NEW):
        _beside(path, suffix).unlink(missing_ok=True)


def _replace(path: Path, text: str) -> None:
    """Whole or not at all, with the rights that the file has; a link to it stays one."""
    real = path.resolve()
    descriptor, temporary = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode())
        if real.exists():
            shutil.copymode(real, temporary)
        os.replace(temporary, real)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
