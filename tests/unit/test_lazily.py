"""The tests' own: a module is imported when it is used, not when pytest looks for tests."""

from types import ModuleType
from typing import Any

import pytest

from tests import lazily


def test_it_is_imported_when_something_of_it_is_asked() -> None:
    assert lazily.lazily("json").dumps([]) == "[]"


def test_pytest_finds_it_without_importing_it(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    imported: list[Any] = []
    monkeypatch.setattr(lazily, "import_module", imported.append)
    module = ModuleType("with_a_lazy_one")
    module.__dict__["lazy"] = lazily.lazily("json")
    request.session._fixturemanager.parsefactories(module, "with_a_lazy_one")
    assert imported == []
