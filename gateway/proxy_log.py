"""What the proxy prints, for `run`: all of it in a file, and on the terminal what its user has to see.

LiteLLM prints 31 KB while it starts. Warnings and errors are shown, in words; with DEBUG everything is.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from gateway.failures import GatewayError

KEPT = 20_000_000  # bytes, in the file and in the one before it
# Advice for a gateway behind a proxy, at every start (docs/operations.md has it).
_ADVICE = ("trusted_proxy_ranges is not set",)
_QUIET = re.compile(r"\b(DEBUG|INFO)\b")
_ACCESS = "stackspot_access"  # the logger of custom_handlers/access_log.py


class ProxyLog:
    """`file` is begun anew when it is large; what was in it is `file`.1 then."""

    def __init__(self, file: Path, show: Callable[[str], None], *, everything: bool = False) -> None:
        self.file, self.ready = file, False
        self._show, self._everything = show, everything
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._out = self._opened()
        except OSError as error:
            raise GatewayError(f"{file} cannot be written: {error.strerror}.") from None
        self._begin = self._out.tell()

    def follow(self, output: IO[bytes]) -> threading.Thread:
        """Reads `output` until its end, in a thread that nobody has to wait for."""
        thread = threading.Thread(target=self._read, args=(output,), daemon=True)
        thread.start()
        return thread

    def of_this_start(self) -> str:
        """What has been printed so far, without LiteLLM's own log lines."""
        with self.file.open("rb") as written:
            written.seek(self._begin)
            lines = written.read().decode(errors="replace").splitlines()
        return "\n".join(line for line in lines if not line.startswith("{"))

    def _read(self, output: IO[bytes]) -> None:
        for line in output:
            # Whatever becomes of file and terminal, somebody has to read: the proxy would wait for it.
            with suppress(OSError, ValueError):
                self._write(line)
            text = line.decode(errors="replace").rstrip("\n")
            told = text if self._everything else said(text, ready=self.ready)
            if told:
                with suppress(OSError, ValueError):
                    self._show(told)

    def _write(self, line: bytes) -> None:
        if self._out.tell() > KEPT:
            self._out.close()
            self.file.replace(self.file.with_name(f"{self.file.name}.1"))
            self._out, self._begin = self._opened(), 0
        self._out.write(line)
        self._out.flush()

    def _opened(self) -> IO[bytes]:
        opened = self.file.open("ab")
        self.file.chmod(0o600)
        return opened


def said(line: str, *, ready: bool) -> str:
    """What the terminal shows of a line: a warning, an error or a line of the access log; and what is no log line at
    all, once the gateway is ready: before, that is LiteLLM's banner.
    """
    try:
        record = json.loads(line)
    except ValueError:
        record = None
    if not isinstance(record, Mapping) or "message" not in record:
        if _ACCESS in line:
            return _printable(line)
        return _printable(line) if ready and line.strip() and not _QUIET.search(line) else ""
    level = str(record.get("level", ""))
    if record.get("component") == _ACCESS:
        return _printable(str(record["message"]))
    if level in ("DEBUG", "INFO", "") or str(record["message"]).startswith(_ADVICE):
        return ""
    more = " (with a traceback in the log)" if record.get("stacktrace") else ""
    return f"{level}: {_printable(' '.join(str(record['message']).split()))}{more}"


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)
