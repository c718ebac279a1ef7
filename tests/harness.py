"""What the tests start: the same processes as `make demo`."""

from scripts.processes import (
    AGENTS,
    ALIASES,
    ALL_NAMES,
    BIN,
    ROOT,
    Account,
    Server,
    clean_environment,
    free_port,
    process,
    running_gateway,
    running_simulator,
    wait_until_ready,
)

__all__ = [
    "AGENTS",
    "ALIASES",
    "ALL_NAMES",
    "BIN",
    "ROOT",
    "Account",
    "Server",
    "clean_environment",
    "free_port",
    "process",
    "running_gateway",
    "running_simulator",
    "wait_until_ready",
]
