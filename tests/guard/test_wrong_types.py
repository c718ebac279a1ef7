"""Whatever stands in whatever place: the request is prepared, or refused with a 400 that names the place."""

import copy
import re

import pytest

from custom_handlers.guard.asgi import PREPARE
from custom_handlers.guard.refusal import Refusal
from tests.gateway.calling import ROUTES
from tests.guard.places import WRONG, places


@pytest.mark.parametrize("route", ROUTES)
def test_every_place_of_a_request_with_every_wrong_type(route: str) -> None:
    refused = 0
    for name, body_with in places(route):
        for wrong in WRONG:
            body = copy.deepcopy(body_with(wrong)) | {"model": "stackspot"}
            try:
                PREPARE[route](body)
            except Refusal as refusal:
                refused += 1
                assert refusal.status == 400, (name, wrong)
                assert refusal.param, (name, wrong)
                assert f"`{refusal.param}`" in refusal.message, (name, wrong)
                assert re.fullmatch(r"`[^`]+` .*\.", refusal.message, re.DOTALL), refusal.message
    assert refused > 50
