"""Whatever stands in whatever place: the request is prepared, or refused with a 400 that names the place."""

import re
from typing import Any

import pytest

from custom_handlers.guard.asgi import PREPARE
from custom_handlers.guard.rejection import RejectedError
from tests.gateway.calling import MESSAGES, ROUTES
from tests.unit.custom_handlers.guard.places import WRONG, places


def refusal_of(route: str, body: dict[str, Any]) -> RejectedError | None:
    try:
        PREPARE[route](body)
    except RejectedError as rejected:
        return rejected
    return None


@pytest.mark.parametrize("route", [*ROUTES, "count_tokens"])
def test_every_place_of_a_request_with_every_wrong_type(route: str) -> None:
    refused = 0
    for place in places(MESSAGES if route == "count_tokens" else route):
        for wrong in WRONG:
            if refusal := refusal_of(route, place.holding(wrong)):
                refused += 1
                assert refusal.status == 400, (str(place), wrong)
                assert refusal.param, (str(place), wrong)
                assert f"`{refusal.param}`" in refusal.message, (str(place), wrong)
                assert re.fullmatch(r"`[^`]+` .*\.", refusal.message, re.DOTALL), refusal.message
    assert refused > 50
