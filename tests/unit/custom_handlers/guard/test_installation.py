"""Where the guard cannot be put in front of LiteLLM, nothing starts."""

from types import SimpleNamespace
from typing import Any

import pytest

from custom_handlers.config.request_limits import RequestLimits
from custom_handlers.guard.asgi import Guard
from custom_handlers.guard.installation import NotInstalledError, install


async def app(*_: Any) -> None: ...


def test_it_is_installed_once_whatever_is_loaded_again() -> None:
    proxy = SimpleNamespace(middleware_stack=app)
    install(proxy, RequestLimits())
    install(proxy, RequestLimits(max_tools=3))
    assert isinstance(proxy.middleware_stack, Guard)
    assert proxy.middleware_stack.app is app


@pytest.mark.parametrize("proxy", [None, SimpleNamespace(), SimpleNamespace(middleware_stack=None)], ids=str)
def test_an_app_of_another_kind_stops_the_start(proxy: Any) -> None:
    with pytest.raises(NotInstalledError, match="does not start"):
        install(proxy, RequestLimits())
