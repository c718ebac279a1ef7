"""LiteLLM takes three seconds of CPU to import, and every worker of a test run imports every file of tests."""

from importlib import import_module
from typing import Any


def lazily(module: str) -> Any:
    """The module, imported by the worker that first asks for something of it."""
    return _Lazy(module)


class _Lazy:
    __slots__ = ("_module",)  # what is set here would not be set there

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)  # pytest asks each thing that it finds whether it wraps a fixture
        return getattr(import_module(self._module), name)
