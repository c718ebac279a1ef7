"""StackSpot's failures to our errors: every status, every body, and no word of the upstream's own."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from custom_handlers.core.errors import (
    AuthenticationError,
    BadGatewayError,
    BadRequestError,
    ContextWindowExceededError,
    InvalidResponseError,
    PermissionDeniedError,
    RateLimitError,
    ServiceUnavailableError,
    StackSpotError,
    UpstreamTimeoutError,
)
from custom_handlers.http import error_mapping
from custom_handlers.http.error_mapping import Service, from_response
from tests.lazily import lazily
from tests.sampling import first
from tests.unit.custom_handlers.reading import any_json

adapter = lazily("custom_handlers.litellm_adapter.exceptions")
SECRET = "s3cret-words"
OVERFLOW = "INFERENCE_6001_LLM_MODEL_BAD_REQUEST"
LIMIT = "INFERENCE_3008_CHAT_RATE_LIMIT_EXCEEDED"

bodies = st.one_of(
    st.just(b""),
    st.just(f"<html><title>{SECRET}</title></html>".encode()),
    st.binary(max_size=20).map(lambda junk: junk + SECRET.encode() + junk),
    any_json.map(lambda value: json.dumps([SECRET, value]).encode()),
    st.dictionaries(st.sampled_from(["type", "code", "details", "message", "error"]), st.just(SECRET) | any_json).map(
        lambda fields: json.dumps({"detail": SECRET, **fields}).encode()
    ),
    st.sampled_from([16, 32]).map(lambda width: json.dumps({"details": SECRET}).encode(f"utf-{width}")),
)


def refusal(status: int, body: Any = b"", service: Service = Service.AGENTS, **headers: str) -> StackSpotError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = httpx.Headers({name.replace("_", "-"): v for name, v in headers.items()})
    return from_response(status, fields, raw, service)


def assert_the_same(error: StackSpotError, other: StackSpotError) -> None:
    assert (type(error), error.message, error.retryable) == (type(other), other.message, other.retryable)


def overflow(sentence: str, **more: Any) -> StackSpotError:
    return refusal(400, {"type": "BadRequestError", "code": OVERFLOW, "details": sentence, **more})


@given(st.integers(100, 599), bodies, st.dictionaries(st.sampled_from(["retry-after", "location", "date"]), st.text()))
@example(500, f'{{"code": "{SECRET}"}}'.encode(), {})
@example(400, b'{"error": ' + b"[" * 100_000, {})
@example(
    400, json.dumps({"code": OVERFLOW, "details": f"limit of {'9' * 9000} tokens resulted in 1 tokens"}).encode(), {}
)
@example(
    400, json.dumps({"code": OVERFLOW, "details": f"limit of . tokens resulted in , tokens {SECRET}"}).encode(), {}
)
def test_no_body_raises_and_none_is_quoted(status: int, body: bytes, headers: dict[str, str]) -> None:
    error = from_response(status, headers, body)
    mapped = [
        error,
        *(adapter.to_litellm(error, model="stackspot-ai-code", through_proxy=proxy) for proxy in (True, False)),
    ]
    for each in mapped:
        assert SECRET not in str(each) + repr(each) + repr(vars(each))
        assert len(str(each)) < 400


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "details",
    first(
        [
            "limit of 1 tokens " * 500_000,
            "limit of " + "1" * 4_000_000,
            "resulted in 1 tokens " * 500_000,
            "limit of 1," * 500_000,
        ]
    ),
)
def test_the_cost_of_looking_for_numbers_is_linear(details: str) -> None:
    assert not isinstance(overflow(details), ContextWindowExceededError)


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (204, BadGatewayError, False),
        (301, BadGatewayError, False),
        (302, BadGatewayError, False),
        (307, BadGatewayError, False),
        (400, BadRequestError, False),
        (401, AuthenticationError, False),
        (402, BadGatewayError, False),
        (403, PermissionDeniedError, False),
        (404, PermissionDeniedError, False),
        (405, BadGatewayError, False),
        (408, UpstreamTimeoutError, True),
        (413, BadRequestError, False),
        (418, BadGatewayError, False),
        (422, BadRequestError, False),
        (429, RateLimitError, True),
        (500, BadGatewayError, True),
        (501, BadGatewayError, True),
        (502, BadGatewayError, True),
        (503, ServiceUnavailableError, True),
        (504, UpstreamTimeoutError, True),
        (520, BadGatewayError, True),
        (599, BadGatewayError, True),
    ],
)
def test_every_status(status: int, kind: type[StackSpotError], retryable: bool) -> None:
    error = refusal(status)
    assert (type(error), error.retryable) == (kind, retryable)
    assert status == 429 or str(status) in error.message


def test_hints() -> None:
    assert "client key" in refusal(401).message
    assert "shared" in refusal(403).message
    assert "redirect" in refusal(302).message


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        (LIMIT, True),
        ("CODEBUDDY_1044_X", True),
        ("INFERENCE_UPLOAD_NOT_FOUND", False),
        ("inference_3008_x", False),
        (f"{LIMIT} ", False),
        (f"{LIMIT}\n", False),
        ("A_1_" + "B" * 100, False),
        (3008, False),
        (None, False),
    ],
)
def test_stackspots_code_is_reported_if_it_is_one(code: Any, shown: bool) -> None:
    error = refusal(429, {"type": "TooManyRequests", "code": code, "details": SECRET})
    assert error.code == (code if shown else None)
    assert error.message.endswith(f" ({code})") == shown


@pytest.mark.parametrize(
    ("sentence", "numbers"),
    [
        (
            "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 300123 tokens.",
            (272000, 300123),
        ),
        ("the configured LIMIT OF 272,000 TOKENS.\nYour messages\nresulted in 1.300.123 tokens", (272000, 1300123)),
        ("limit of 1 tokens limit of 2 tokens resulted in 3 tokens", (1, 3)),
    ],
)
def test_a_context_overflow_carries_both_numbers(sentence: str, numbers: tuple[int, int]) -> None:
    error = overflow(sentence)
    assert isinstance(error, ContextWindowExceededError)
    assert (error.limit, error.tokens, error.param, error.code) == (*numbers, "messages", OVERFLOW)
    assert all(str(number) in error.message for number in (*numbers, OVERFLOW))


def test_the_key_apis_context_overflow_carries_both_numbers() -> None:
    sentence = "This model's maximum context length is 100 tokens. However, your messages resulted in 200 tokens."
    body = {"error": {"message": sentence, "type": "invalid_request_error", "code": "context_length_exceeded"}}
    error = refusal(400, body)
    assert isinstance(error, ContextWindowExceededError)
    assert (error.limit, error.tokens) == (100, 200)
    assert isinstance(refusal(400, {"error": {**body["error"], "message": "too long"}}), ContextWindowExceededError)


@pytest.mark.parametrize(
    "body",
    [
        {"code": OVERFLOW, "details": "content filter"},  # 6001 wraps any refusal by the model's vendor
        {"code": OVERFLOW, "details": None},
        {"code": LIMIT, "details": "limit of 1 tokens resulted in 2 tokens"},
        {"details": "limit of 1 tokens resulted in 2 tokens"},
    ],
)
def test_other_refusals_are_no_context_overflow(body: dict[str, Any]) -> None:
    assert type(refusal(400, body)) is BadRequestError


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("-1", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("99999999", None),
        ("", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", None),
    ],
)
def test_retry_after(status: int, header: str, seconds: float | None) -> None:
    assert refusal(status, retry_after=header).retry_after == seconds


def test_an_error_in_place_of_an_answer() -> None:
    mapped = error_mapping.in_answer({"type": "error", "code": LIMIT, "details": SECRET})
    assert (type(mapped), mapped.code) == (InvalidResponseError, LIMIT)
    mapped = error_mapping.in_answer({"code": OVERFLOW, "details": "limit of 1 tokens resulted in 2 tokens"})
    assert isinstance(mapped, ContextWindowExceededError)
    assert type(error_mapping.in_answer({"message": SECRET})) is InvalidResponseError


def test_in_the_token_endpoint_a_refusal_means_the_credentials() -> None:
    for status in (400, 401, 403, 404, 422):
        mapped = refusal(status, service=Service.TOKEN)
        assert type(mapped) is AuthenticationError
        assert "STACKSPOT_CLIENT_SECRET" in mapped.message
    for status in (429, 500, 503, 504):
        assert_the_same(refusal(status, service=Service.TOKEN), refusal(status))


def test_in_the_key_api_a_refusal_means_the_key() -> None:
    mapped = refusal(401, service=Service.KEY_API)
    assert type(mapped) is AuthenticationError
    assert "STACKSPOT_API_KEY" in mapped.message
    for status in (403, 404):
        mapped = refusal(status, service=Service.KEY_API)
        assert type(mapped) is PermissionDeniedError
        assert "key API" in mapped.message
        assert "agent" not in mapped.message
    for status in (400, 429, 500):
        assert_the_same(refusal(status, service=Service.KEY_API), refusal(status))


def test_refusals_of_files() -> None:
    for status in (403, 404):
        mapped = refusal(status, service=Service.UPLOAD)
        assert type(mapped) is PermissionDeniedError
        assert "enterprise accounts" in mapped.message
    for status in (400, 401, 403, 404, 422):
        assert type(refusal(status, service=Service.STORAGE)) is BadGatewayError
    for status in (401, 429, 500):
        assert_the_same(refusal(status, service=Service.UPLOAD), refusal(status))
    for status in (429, 500, 503):
        assert_the_same(refusal(status, service=Service.STORAGE), refusal(status))


def test_transport_failures_are_reported_by_their_kind_only() -> None:
    failed = httpx.ConnectError(f"https://{SECRET}/ refused")
    for error, retryable in ((error_mapping.from_transport(failed), True), (error_mapping.broken_off(failed), False)):
        assert (error.status, error.retryable) == (502, retryable)
        assert "ConnectError" in error.message
        assert SECRET not in error.message
    assert isinstance(error_mapping.broken_off(failed), InvalidResponseError)
