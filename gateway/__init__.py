"""What the Makefile's targets run: a database without Docker, and keys, teams and usage over LiteLLM's API."""

import sys
from types import TracebackType

_report = sys.excepthook


def _interrupted_quietly(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Ctrl-C while a command is still importing what it needs: nobody's mistake, and no traceback."""
    if not issubclass(kind, KeyboardInterrupt):
        _report(kind, error, trace)


sys.excepthook = _interrupted_quietly
