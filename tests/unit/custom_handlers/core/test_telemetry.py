"""What is told reaches all who listen, and no listener can cost anybody an answer."""

from collections.abc import Iterator

import pytest

from custom_handlers.core import errors, telemetry

HAPPENING = telemetry.CorrectionAsked(telemetry.BAD_JSON)


@pytest.fixture
def heard() -> Iterator[list[telemetry.Happening]]:
    found: list[telemetry.Happening] = []
    unsubscribe = telemetry.subscribe(found.append)
    yield found
    unsubscribe()


def test_all_who_listen_are_told_until_they_do_not_want_to_be(heard: list[telemetry.Happening]) -> None:
    other: list[telemetry.Happening] = []
    unsubscribe = telemetry.subscribe(other.append)
    telemetry.tell(HAPPENING)
    unsubscribe()
    telemetry.tell(HAPPENING)
    assert (heard, other) == ([HAPPENING, HAPPENING], [HAPPENING])


def test_a_listener_that_fails_is_named_without_what_it_says(
    heard: list[telemetry.Happening], caplog: pytest.LogCaptureFixture
) -> None:
    def fails(happening: telemetry.Happening) -> None:
        raise OSError("/private/path")

    unsubscribe = telemetry.subscribe(fails)
    telemetry.tell(HAPPENING)
    unsubscribe()
    telemetry.tell(HAPPENING)
    assert heard == [HAPPENING, HAPPENING]
    assert caplog.messages == ["CorrectionAsked could not be counted or logged (OSError)."]


def test_an_outcome_is_one_of_a_few_words() -> None:
    assert errors.outcome_of(errors.RateLimitError("")) == "rate_limit"
    assert errors.outcome_of(errors.ContextWindowExceededError(1, 2)) == "context_window_exceeded"
    assert errors.outcome_of(KeyError("whatever a client sent")) == "internal_server"
    found = errors.error_outcomes()
    assert len(set(found)) == len(found) == 12
    assert {errors.outcome_of(error) for error in (errors.UpstreamTimeoutError(""), errors.BadGatewayError(""))} < {
        *found
    }
