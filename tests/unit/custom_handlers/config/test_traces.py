"""Where traces go."""

from typing import Any

import pytest

from custom_handlers.config.traces import ENDPOINT, callback_mistakes, read_traces


@pytest.mark.parametrize("address", ["http://collector:4318", "https://otel.example.com/otlp", "http://[::1]:4318"])
def test_an_address_switches_them_on(address: str) -> None:
    mistakes: list[str] = []
    assert read_traces({ENDPOINT: address}, mistakes)
    assert mistakes == []


@pytest.mark.parametrize(
    "address", ["collector:4318", "grpc://collector:4317", "http://", "http://a b", "http://a:0", "1"]
)
def test_what_is_no_address_is_a_mistake(address: str) -> None:
    mistakes: list[str] = []
    read_traces({ENDPOINT: address}, mistakes)
    assert len(mistakes) == 1
    assert ENDPOINT in mistakes[0]


@pytest.mark.parametrize("environ", [{}, {ENDPOINT: ""}, {ENDPOINT: " "}])
def test_they_are_off_otherwise(environ: dict[str, str]) -> None:
    mistakes: list[str] = []
    assert not read_traces(environ, mistakes)
    assert mistakes == []


@pytest.mark.parametrize("name", ["callbacks", "success_callback", "failure_callback"])
@pytest.mark.parametrize("given", ["otel", ["otel"], ["prometheus", "otel"]])
def test_litellms_own_export_is_a_mistake_unless_it_stands_for_ours(name: str, given: Any) -> None:
    [mistake] = callback_mistakes({name: given}, {})
    assert mistake.startswith(f"`otel` among `{name}`")
    assert callback_mistakes({name: given}, {ENDPOINT: "http://collector:4318"}) == []


@pytest.mark.parametrize("settings", [None, [], {}, {"callbacks": ["prometheus"]}, {"callbacks": None}])
def test_other_callbacks_are_none(settings: Any) -> None:
    assert callback_mistakes(settings, {}) == []
