"""What is remembered is what LiteLLM itself would say, also when what it depends on has changed."""

import json
import math
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_handlers.litellm_adapter import starting
from custom_handlers.litellm_adapter.repeated_work import LONGEST, remember
from tests.lazily import lazily

LOGGING, SECRETS = "litellm._logging", "litellm.litellm_core_utils.secret_redaction"
ROUTES, SETTINGS = "litellm.proxy.auth.route_checks", "litellm.proxy.config_resolvers.settings_store"
WRITING, GUARDRAILS = "litellm.proxy.db.db_spend_update_writer", "litellm.proxy.guardrails.usage_tracking"
UTILS = "litellm.proxy.utils"
logs, secrets, routes = lazily(LOGGING), lazily(SECRETS), lazily(ROUTES)
settings, writing, guardrails, utils = lazily(SETTINGS), lazily(WRITING), lazily(GUARDRAILS), lazily(UTILS)
own: dict[str, Any] = {}


@pytest.fixture(scope="module", autouse=True)
def remembered() -> Any:
    """LiteLLM's own functions are in `own`, and in their places again afterwards."""
    starting.spare_types()
    places = [
        (routes.RouteChecks, "_route_matches_pattern"),
        (import_module(SECRETS), "python_redact_string"),
        (import_module(LOGGING), "python_redact_string"),
        (settings.SettingsStore, "_resolution_for"),
        (utils.PrismaClient, "get_request_status"),
        (import_module(WRITING), "json"),
        (import_module(GUARDRAILS), "json"),
    ]
    with pytest.MonkeyPatch.context() as patch:
        for owner, name in places:
            own[name] = getattr(owner, name)
            patch.setattr(owner, name, staticmethod(own[name]) if name == "_route_matches_pattern" else own[name])
        remember()
        remember()
        yield


ROUTE = st.lists(st.sampled_from(["key", "info", "v1", "chat:stream", "x" * 70, "a\nb", "é", ""])).map("/".join)
PATTERN = st.lists(st.sampled_from(["key", "{id}", "{path:path}", "v1", "{model}:stream", "v*"])).map("/".join)


@given(ROUTE, PATTERN)
def test_a_route_fits_what_it_fits_by_litellms_own_reckoning(route: str, pattern: str) -> None:
    for _ in range(2):
        assert routes.RouteChecks._route_matches_pattern(route=route, pattern=pattern) == own["_route_matches_pattern"](
            route, pattern
        )


def test_what_is_no_route_fits_nothing() -> None:
    assert routes.RouteChecks._route_matches_pattern(["/key"], "/key") is False


TEXT = st.lists(
    st.sampled_from(
        ["sk-1234567890abcdef", "Bearer abcdefghijkl", "password=x", "?key=12345678", " POST /v1 ", "e" * LONGEST]
    )
).map("".join)


@given(TEXT, st.sampled_from([None, "message", "master_key"]))
def test_a_secret_is_hidden_wherever_litellm_hides_one(text: str, key: str | None) -> None:
    for _ in range(2):
        assert secrets.python_redact_string(text) == own["python_redact_string"](text)
        assert logs.python_redact_string(text) == own["python_redact_string"](text)
        structured = secrets.python_redact_structured_value(key, text)
    assert ("sk-1234567890abcdef" in structured) is False


def test_a_setting_is_what_was_set_last() -> None:
    store = settings.SettingsStore("general_settings")
    assert store.get("proxy_batch_write_at") is None
    store.load_yaml({"proxy_batch_write_at": 2})
    assert store["proxy_batch_write_at"] == 2
    store.load_yaml({})
    store.apply_db_row("general_settings", {"proxy_batch_write_at": 3, "allow_requests_on_db_unavailable": True})
    assert store["proxy_batch_write_at"] == 3
    store.apply_db_row("general_settings", {"proxy_batch_write_at": 4})
    assert (store["proxy_batch_write_at"], "allow_requests_on_db_unavailable" in store) == (4, False)
    store["proxy_batch_write_at"] = 5
    assert store["proxy_batch_write_at"] == 5
    del store["proxy_batch_write_at"]
    assert "proxy_batch_write_at" not in store


def test_two_stores_do_not_know_of_each_other() -> None:
    one, other = settings.SettingsStore("general_settings"), settings.SettingsStore("general_settings")
    one.load_yaml({"a": 1})
    assert (one.get("a"), other.get("a")) == (1, None)


@pytest.mark.parametrize(
    "metadata",
    [
        {"status": "failure"},
        {"status": "success"},
        {"status": None, "error": "failure"},
        {"nested": {"status": "failure"}},
        {},
        [],
        "failure",
    ],
)
@pytest.mark.parametrize("write", [json.dumps, lambda value: value, lambda value: f"{json.dumps(value)}}}"])
def test_a_requests_status_is_read_as_litellm_reads_it(metadata: Any, write: Any) -> None:
    client, payload = object(), {"metadata": write(metadata)}
    assert utils.PrismaClient.get_request_status(client, payload) == own["get_request_status"](client, payload)


def test_without_metadata_it_is_a_success() -> None:
    assert utils.PrismaClient.get_request_status(object(), {}) == "success"


@pytest.mark.parametrize("place", [writing, guardrails])
@pytest.mark.parametrize("value", [{"a": [1, 2.5, None, True, "é\n"]}, 2**63, "\ud800", [[]] * 3])
def test_what_litellm_wrote_is_read_again(place: Any, value: Any) -> None:
    assert place.json.loads(json.dumps(value)) == value
    assert place.json.dumps(value) == json.dumps(value)


def test_of_an_integer_of_more_than_64_bits_the_size_is_read() -> None:
    assert writing.json.loads(str(2**70 + 1)) == pytest.approx(2**70 + 1)


def test_what_json_alone_can_read_is_read_by_it() -> None:
    assert math.isnan(writing.json.loads("NaN"))
    with pytest.raises(writing.json.JSONDecodeError):
        writing.json.loads("{")
