"""What is LiteLLM's is replaced once, and stays of its kind."""

from types import SimpleNamespace
from typing import Any

import pytest

from custom_handlers.litellm_adapter.replacing import replace


class Owner:
    def method(self, number: int) -> int:
        return number

    @staticmethod
    def static(number: int) -> int:
        return number


def one_more(own: Any) -> Any:
    return lambda *given: own(*given) + 1


@pytest.fixture
def owner() -> Any:
    return type("Fresh", (Owner,), {"method": Owner.method, "static": staticmethod(Owner.static)})


def test_a_method_and_a_static_method_stay_what_they_are(owner: Any) -> None:
    replace(owner, "method", one_more)
    replace(owner, "static", one_more)
    assert (owner().method(1), owner().static(1), owner.static(1)) == (2, 2, 2)


def test_a_second_time_changes_nothing() -> None:
    module = SimpleNamespace(function=lambda number: number)
    for _ in range(3):
        replace(module, "function", one_more)
    assert module.function(1) == 2


def test_what_is_not_there_is_a_mistake() -> None:
    with pytest.raises(AttributeError, match="gone"):
        replace(SimpleNamespace(), "gone", one_more)
