"""Where traces go."""

import pytest

from custom_handlers.config.traces import ENDPOINT, read_traces


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
