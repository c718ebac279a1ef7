"""Our errors to LiteLLM's: the class and the status that callers see, in-process and through the proxy."""

from typing import Any

import pytest

from custom_handlers.core.errors import (
    AuthenticationError,
    BadGatewayError,
    BadRequestError,
    CallerTimeoutError,
    ConfigurationError,
    ContextWindowExceededError,
    InternalServerError,
    InvalidResponseError,
    PermissionDeniedError,
    RateLimitError,
    ServiceUnavailableError,
    StackSpotError,
    UnknownModelError,
    UpstreamTimeoutError,
)
from tests.lazily import lazily

exceptions = lazily("litellm.exceptions")
adapter = lazily("custom_handlers.litellm_adapter.exceptions")


def test_a_context_overflow_without_numbers() -> None:
    assert "maximum context length" in ContextWindowExceededError(None, None).message
    assert "None" not in ContextWindowExceededError(100, None).message


@pytest.mark.parametrize("numbers", [(100, 250), (None, None)])
def test_a_context_overflow_is_reported_in_the_words_that_coding_agents_look_for(numbers: tuple[Any, Any]) -> None:
    raised: Any = adapter.to_litellm(ContextWindowExceededError(*numbers), model="m", through_proxy=True)
    assert "prompt is too long" in raised.message
    assert "maximum context length" in raised.message
    assert raised.code == "context_length_exceeded"
    if numbers[0]:
        assert "prompt is too long: 250 tokens > 100" in raised.message
        assert "maximum context length is 100 tokens" in raised.message


@pytest.mark.parametrize(
    ("error", "in_process", "status", "through_proxy"),
    [
        (BadRequestError("no", param="n"), "BadRequestError", 400, None),
        (UnknownModelError("no", param="model"), "BadRequestError", 400, None),
        (ContextWindowExceededError(1, 2), "ContextWindowExceededError", 400, None),
        (AuthenticationError("no"), "AuthenticationError", 401, 502),
        (PermissionDeniedError("no"), "PermissionDeniedError", 403, 502),
        (RateLimitError("no"), "RateLimitError", 429, None),
        (CallerTimeoutError("no"), "Timeout", 408, None),
        (UpstreamTimeoutError("no"), "Timeout", 504, None),
        (ServiceUnavailableError("no"), "ServiceUnavailableError", 503, None),
        (InternalServerError("no"), "InternalServerError", 500, None),
        (BadGatewayError("no"), "BadGatewayError", 502, None),
        (InvalidResponseError("no"), "BadGatewayError", 502, None),
        (StackSpotError("no"), "BadGatewayError", 502, None),
    ],
)
def test_litellms_classes(error: StackSpotError, in_process: str, status: int, through_proxy: int | None) -> None:
    raised: Any = adapter.to_litellm(error, model="stackspot-ai-code", through_proxy=False)
    assert issubclass(type(raised), getattr(exceptions, in_process))
    assert (raised.status_code, raised.model, raised.llm_provider) == (status, "stackspot-ai-code", "stackspot_ai")
    assert raised.param == error.param
    assert error.message in raised.message
    raised = adapter.to_litellm(error, model="stackspot-ai-code", through_proxy=True)
    assert raised.status_code == (through_proxy or status)
    assert issubclass(type(raised), getattr(exceptions, "BadGatewayError" if through_proxy else in_process))
    assert error.message in raised.message


def test_an_unknown_model_is_a_value_error() -> None:
    raised = adapter.to_litellm(UnknownModelError("no"), model="m", through_proxy=False)
    assert isinstance(raised, ValueError)


@pytest.mark.parametrize(("seconds", "header"), [(7.0, "7"), (0.2, "1"), (3.7, "4"), (0.0, "0")])
def test_retry_after_is_passed_on_in_whole_seconds_never_too_few(seconds: float, header: str) -> None:
    raised: Any = adapter.to_litellm(RateLimitError("no", retry_after=seconds), model="m", through_proxy=True)
    assert raised.response.headers["retry-after"] == header


def test_clients_are_asked_not_to_repeat_a_call_whose_answer_is_no_use() -> None:
    raised: Any = adapter.to_litellm(InvalidResponseError("no", final=True), model="m", through_proxy=True)
    assert (raised.status_code, raised.response.headers["x-should-retry"]) == (502, "false")
    raised = adapter.to_litellm(InvalidResponseError("no"), model="m", through_proxy=True)
    assert "x-should-retry" not in raised.response.headers


def test_no_retry_after_is_made_up() -> None:
    raised: Any = adapter.to_litellm(RateLimitError("no"), model="m", through_proxy=True)
    assert "retry-after" not in raised.response.headers


def test_configuration_mistakes_are_reported_together() -> None:
    error = ConfigurationError(["one is wrong.", "two is missing."])
    assert isinstance(error, ValueError)
    assert str(error).splitlines()[1:] == ["  - one is wrong.", "  - two is missing."]
