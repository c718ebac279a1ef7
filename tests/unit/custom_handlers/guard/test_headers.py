"""Headers: what LiteLLM sees of a request's, and a client of an answer's."""

import pytest

from custom_handlers.guard import headers
from custom_handlers.guard.rejection import RejectedError


def test_only_the_listed_pass() -> None:
    kept = [(b"authorization", b"Bearer x"), (b"user-agent", b"claude-cli"), (b"x-litellm-timeout", b"90")]
    dropped = [
        (b"x-litellm-num-retries", b"3"),
        (b"cookie", b"a=b"),
        (b"x-stainless-os", b"Linux"),
        (b"x-pass-a", b"b"),
    ]
    assert headers.sift([*kept, *dropped]) == kept


def test_a_trace_goes_on_when_it_is_one() -> None:
    good = (b"traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    assert headers.sift([good]) == [good]
    for value in (b"", b"my words", good[1] + b"-words", good[1].upper(), good[1] + b"\n"):
        assert headers.sift([(b"traceparent", value)]) == []
    assert headers.sift([(b"tracestate", b"vendor=words"), (b"baggage", b"a=b")]) == []


@pytest.mark.parametrize("value", ["abc", "", "-1", "0", "nan", "inf", "1e9", "é"])
def test_a_time_limit_that_is_none_is_reported(value: str) -> None:
    with pytest.raises(RejectedError, match="x-litellm-timeout must be a number of seconds") as caught:
        headers.sift([(b"x-litellm-timeout", value.encode("latin-1"))])
    assert caught.value.status == 400


def test_a_client_learns_when_to_repeat_but_not_litellms_version() -> None:
    told = [(b"llm_provider-retry-after", b"7"), (b"LLM_provider-x-should-retry", b"false")]
    found = headers.of_answer([*told, (b"x-litellm-version", b"1.108.11"), (b"server", b"uvicorn")])
    assert found == [*told, (b"retry-after", b"7"), (b"x-should-retry", b"false")]
    own = [(b"retry-after", b"60"), (b"llm_provider-retry-after", b"7")]
    assert headers.of_answer(own) == own
