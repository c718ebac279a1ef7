"""The command line of the gateway, on the host and in its container: `python -m gateway --help`.

cli                   the program; __main__ starts it, make hands it what was typed behind `make`
keys, teams, usage    virtual keys, teams, and what was used
admins                who signs in to the admin UI by name
forget                deletes what is stored about a developer
consumption, periods  what was used in the days of a time zone
whoami                what a developer's own key may do, and what is left of its budget
clients               how to point each client at the gateway; configure writes that into a client's files (configuring:
                      which and what, merging: without losing what they have)
env_file, compose     .env with new secrets; backup, restore and upgrade of the Docker stack
status                what runs, and how StackSpot's limit is shared at this moment; health ends a gateway that hangs
doctor                what is wrong, and what to do about it
run, demo             the gateway without Docker, with real credentials or simulated agents
completion            for shells
management            LiteLLM's management API; options, tables: what comes in and goes out
spelling              the two ways to type a command
dotenv, environment, names, addresses   what is set: from where, what is handed on, misspelt names, where the gateway is
processes, ports, locks, failures       starting things, and how a command fails
install, progress     virtual environments; what a long command is doing
project               where the files are

What administers a running gateway imports click, httpx, python-dotenv and the standard library alone (.venv-admin,
and the stock image); run, demo, processes' callers and database/ need the whole installation.
"""

import sys
from types import TracebackType

_report = sys.excepthook


def _interrupted_quietly(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Ctrl-C while a command is still importing what it needs: nobody's mistake, and no traceback."""
    if not issubclass(kind, KeyboardInterrupt):
        _report(kind, error, trace)


sys.excepthook = _interrupted_quietly
