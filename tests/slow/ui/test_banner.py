"""What a unit of spend is, in LiteLLM's banner; that a browser shows it is in test_admin_ui.py."""

from typing import Any

import pytest

from custom_handlers.core.models import PRICE_PER_TOKEN
from gateway.banner import SENTENCE, publish
from gateway.management import Gateway

NEVER_SET = {"enabled": False, "message": "", "severity": "info"}
OURS = {"enabled": True, "message": SENTENCE, "severity": "info"}
CONTRACT = 0.0000025


class Recorded(Gateway):
    """Three models at one price, and a banner; keeps what is sent."""

    def __init__(self, price: float, banner: dict[str, Any]) -> None:
        super().__init__("http://127.0.0.1:1", "sk-unused")
        model = {"model_info": {"input_cost_per_token": PRICE_PER_TOKEN, "output_cost_per_token": price}}
        self._answers = {"/get/user_banner": banner, "/model/info": {"data": [model] * 3}}
        self.sent: list[Any] = []

    def _call(self, method: str, path: str, **request: Any) -> Any:
        if method == "GET":
            return self._answers[path]
        assert (method, path) == ("PATCH", "/update/user_banner")
        self.sent.append(request["json"])
        return {}


def test_it_goes_up_with_the_default_prices() -> None:
    gateway = Recorded(PRICE_PER_TOKEN, NEVER_SET)
    publish(gateway)
    assert gateway.sent == [OURS]


def test_it_comes_down_with_a_contracts_prices() -> None:
    gateway = Recorded(CONTRACT, OURS)
    publish(gateway)
    assert [(sent["enabled"], sent["message"]) for sent in gateway.sent] == [(False, "")]


@pytest.mark.parametrize(
    ("price", "banner"),
    [
        (PRICE_PER_TOKEN, OURS),
        (PRICE_PER_TOKEN, OURS | {"enabled": False}),
        (PRICE_PER_TOKEN, {"enabled": True, "message": "Maintenance on Sunday", "severity": "warning"}),
        (CONTRACT, {"enabled": True, "message": "Maintenance on Sunday", "severity": "warning"}),
        (CONTRACT, NEVER_SET),
    ],
    ids=["is up", "was switched off by hand", "an operator's own", "an operator's own, other prices", "other prices"],
)
def test_otherwise_it_stays_as_it_is(price: float, banner: dict[str, Any]) -> None:
    gateway = Recorded(price, banner)
    publish(gateway)
    assert gateway.sent == []
