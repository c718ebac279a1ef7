"""What callers send beside the messages: accepted, or refused with the parameter's name and its range."""

from contextlib import suppress
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from custom_handlers.core import parameters
from custom_handlers.core.errors import BadRequestError
from tests.unit.custom_handlers.reading import any_json


def briefly(value: object) -> str:
    return repr(value)[:20]


def cases(name: str, *values: Any, expected: str = "") -> list[tuple[Any, ...]]:
    return [(name, value, expected) if expected else (name, value) for value in values]


NAMES = ["temperature", "top_p", "presence_penalty", "frequency_penalty", "max_tokens", "n", "stop", "seed", "tools"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *cases("temperature", 0, 0.0, 0.7, 1, 1.0, None),
        *cases("top_p", 0, 0.5, 1),
        *cases("presence_penalty", -2, 0, 2.0),
        *cases("frequency_penalty", -2.0, 0.1, 2),
        *cases("max_tokens", 1, 8192, 5.0, 10**9, None),
        *cases("n", 1, None),
        *cases("stop", "END", ["END"], [], ["x"] * 16, "x" * 1000, None),
        ("seed", "anything"),
        ("logit_bias", {"1": -100}),
    ],
)
def test_what_is_accepted(name: str, value: Any) -> None:
    parameters.check({name: value})


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        *cases("temperature", -0.1, 1.1, 2, "hot", "0.5", True, [], float("nan"), 10**400, expected="0.0 to 1.0"),
        *cases("top_p", -1, 1.01, "1", expected="0.0 to 1.0"),
        *cases("presence_penalty", -2.1, 2.1, {}, expected="-2.0 to 2.0"),
        *cases("frequency_penalty", -3, 3, float("inf"), expected="-2.0 to 2.0"),
        *cases("max_tokens", 0, -1, 1.5, "55", True, float("inf"), 10**400, [], expected="from 1"),
        *cases("n", 0, 2, "1", [], True, float("nan"), 10**400, expected="must be 1"),
        *cases("stop", 1, [1], ["x"] * 17, {"a": "b"}, [None], True, "x" * 1001, ["x" * 1001], expected="16 strings"),
    ],
    ids=briefly,
)
def test_what_is_refused(name: str, value: Any, expected: str) -> None:
    with pytest.raises(BadRequestError, match=expected) as caught:
        parameters.check({name: value})
    assert caught.value.param == name
    assert f"`{name}`" in caught.value.message


@given(st.dictionaries(st.sampled_from(NAMES), any_json | st.integers(-(10**400), 10**400)))
@example({"temperature": -(10**400)})
def test_nothing_but_a_bad_request_is_raised(sent: dict[str, Any]) -> None:
    with suppress(BadRequestError):
        parameters.check(sent)


@pytest.mark.parametrize(
    ("timeout", "seconds"),
    [(None, None), (5, 5.0), (0.5, 0.5), (httpx.Timeout(7.0, connect=1.0), 7.0), (httpx.Timeout(None), None)],
)
def test_the_time_limit(timeout: Any, seconds: float | None) -> None:
    assert parameters.seconds(timeout) == seconds


@pytest.mark.parametrize(
    "timeout", [0, -1, "60", True, float("nan"), float("inf"), 10**400, [], httpx.Timeout(0)], ids=briefly
)
def test_a_time_limit_that_is_none(timeout: Any) -> None:
    with pytest.raises(BadRequestError) as caught:
        parameters.seconds(timeout)
    assert caught.value.param == "timeout"
