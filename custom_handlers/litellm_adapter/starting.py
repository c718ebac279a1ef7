"""LiteLLM's command with an import that costs half as much.

Prisma's client for LiteLLM's schema has 33,000 types, made anew at each start. They are for type checkers: at run time
they stand in annotations, which nobody evaluates, and in `cast`, which ignores them. And while two million objects are
made that stay for good, each look for garbage among them is in vain.
"""

from __future__ import annotations

import gc
import importlib.abc
import importlib.machinery
import os
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any, NoReturn

TYPES = "prisma.types"
# Clients keep a connection for the next request: the OpenAI SDK's pool for 5 s, which is uvicorn's default as well, so
# that now and then a request was lost on one that had just been closed; nginx for 60 s. A server should outlast them.
IDLE_SECONDS = 75


class _Untyped(importlib.abc.Loader):
    """Every name that is asked of the module is `Any`."""

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        def any_type(name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(f"module {TYPES!r} has no attribute {name!r}")
            return Any

        vars(module)["__getattr__"] = any_type


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != TYPES or importlib.machinery.PathFinder.find_spec(fullname, path) is None:
            return None  # the client may not have been generated
        return importlib.machinery.ModuleSpec(fullname, _Untyped(), origin=TYPES)


def spare_types() -> None:
    """Whoever imports Prisma's client from now on gets it without its types."""
    if not any(isinstance(each, _Finder) for each in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


def import_proxy() -> None:
    spare_types()
    collects = gc.isenabled()
    gc.disable()
    try:
        from litellm.proxy import proxy_cli, proxy_server  # noqa: F401
    finally:
        gc.freeze()
        if collects:
            gc.enable()


def run(arguments: Sequence[str]) -> NoReturn:
    from litellm.proxy.proxy_cli import run_server

    sys.argv = ["litellm", *arguments]
    os.environ.setdefault("KEEPALIVE_TIMEOUT", str(IDLE_SECONDS))
    run_server()
    sys.exit(0)
