"""What is left out for our responses is nothing, and what others need is done as before: with LiteLLM's own code."""

import json
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from typing import Any
from unittest.mock import Mock

import pytest

from custom_handlers.litellm_adapter import starting, unread_work
from custom_handlers.litellm_adapter.unread_work import LIMITS
from tests.lazily import lazily

litellm = lazily("litellm")
SAVINGS, WRITING = "litellm.proxy.spend_tracking.savings", "litellm.proxy.db.db_spend_update_writer"
PRICING = "_request_savings_pricing"
savings, writing = lazily(SAVINGS), lazily(WRITING)
OURS, OTHERS = "stackspot_ai/stackspot-ai-chat", "anthropic/claude-sonnet-4-5"
CACHED = {"prompt_tokens": 2000, "completion_tokens": 5, "total_tokens": 2005, "cache_read_input_tokens": 1000}


@pytest.fixture(autouse=True)
def left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    starting.spare_types()
    # Set, so that they are LiteLLM's own again afterwards.
    for place in (
        f"{WRITING}.compute_savings_spend",
        f"{WRITING}.DBSpendUpdateWriter._enqueue_autorouter_turn_transaction",
        "litellm.main.responses_api_bridge_check",
    ):
        monkeypatch.setattr(place, pkgutil.resolve_name(place))
    for name in ("deployment_callback_on_success", "_increment_deployment_usage"):
        monkeypatch.setattr(litellm.Router, name, getattr(litellm.Router, name))
    unread_work.leave_out()
    unread_work.leave_out()


def asked(provider: str, usage: dict[str, Any], **more: Any) -> dict[str, Any]:
    """As LiteLLM's writer asks for the savings of one answer."""
    model = OURS if provider == "stackspot_ai" else OTHERS.partition("/")[2]
    named = {"model": model, "custom_llm_provider": provider, "usage_object": usage, "compression_saved_tokens": 0}
    unset = {"gateway_injected_cache": False, "routing_decision": None, "model_id": None, "llm_router": lambda: None}
    recorded = {"recorded_autorouter_savings": None, "recorded_autorouter_savings_estimate": None}
    return {**named, **unset, **recorded, "cost_breakdown": None, "billed_at": "2026-01-01T00:00:00+00:00", **more}


@pytest.mark.parametrize("details", [None, {"cached_tokens": 0, "text_tokens": None}])
def test_our_answers_have_saved_nothing_by_litellms_own_reckoning(details: Any) -> None:
    usage = {"prompt_tokens": 90, "completion_tokens": 9, "total_tokens": 99, "prompt_tokens_details": details}
    given = asked("stackspot_ai", usage)
    assert writing.compute_savings_spend(**given) == savings.compute_savings_spend(**given) == (0, 0, 0, 0)


def test_no_price_is_looked_up_for_our_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{SAVINGS}.{PRICING}", lambda *_: pytest.fail("a price was looked up"))
    writing.compute_savings_spend(**asked("stackspot_ai", {"prompt_tokens": 90}))


@pytest.mark.parametrize(
    "more",
    [
        {"compression_saved_tokens": 100},
        {"routing_decision": {"savings_baseline_model": OTHERS}},
        {"recorded_autorouter_savings": 0.25},
        {"recorded_autorouter_savings_estimate": {"version": 1}},
    ],
)
def test_what_may_have_been_saved_is_reckoned_as_ever(more: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up = Mock(wraps=getattr(import_module(SAVINGS), PRICING))
    monkeypatch.setattr(f"{SAVINGS}.{PRICING}", looked_up)
    given = asked("stackspot_ai", CACHED, **more)
    found = writing.compute_savings_spend(**given)
    assert looked_up.called
    assert found == savings.compute_savings_spend(**given)


def test_a_prompt_cache_of_another_provider_saves_what_it_did() -> None:
    given = asked("anthropic", CACHED)
    assert writing.compute_savings_spend(**given) == savings.compute_savings_spend(**given)
    assert writing.compute_savings_spend(**given).prompt_caching > 0


@pytest.fixture
def router(request: pytest.FixtureRequest) -> Iterator[Any]:
    model, limits, cooldowns = request.param
    parameters = {"model": model, "api_key": "none", **limits}
    entry = {"model_name": "m", "litellm_params": parameters, "model_info": {"id": "d"}}
    other = {"model_name": "o", "litellm_params": {"model": OTHERS, "api_key": "none"}, "model_info": {"id": "e"}}
    providers = list(litellm.provider_list)
    litellm.provider_list.append("stackspot_ai")
    yield litellm.Router(model_list=[other, entry], disable_cooldowns=not cooldowns)
    litellm.provider_list[:] = providers
    litellm.logging_callback_manager._reset_all_callbacks()  # the router has added its own


async def counted(router: Any) -> dict[str, Any]:
    """All that LiteLLM has counted after one answer of 7 tokens."""
    parameters = {"metadata": {"model_group": "m", "deployment": "m"}, "model_info": {"id": "d"}}
    kwargs = {"standard_logging_object": {"total_tokens": 7}, "litellm_params": parameters}
    await router.deployment_callback_on_success(kwargs, None, None, None)
    return dict(router.cache.in_memory_cache.cache_dict)


@pytest.mark.parametrize("router", [(OURS, {}, False)], indirect=True)
async def test_nothing_is_counted_without_limits_and_cooldowns(router: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(router, "get_deployment", lambda **_: pytest.fail("a deployment was made"))
    assert await counted(router) == {}


@pytest.mark.parametrize("router", [(OURS, {name: 9}, False) for name in LIMITS], indirect=True)
async def test_with_a_limit_of_its_own_tokens_and_requests_are_counted(router: Any) -> None:
    assert sorted((await counted(router)).values()) == [1, 1, 7], "answers, requests and tokens"


@pytest.mark.parametrize("router", [(OTHERS, {}, False), (OURS, {}, True)], indirect=True)
async def test_for_others_and_with_cooldowns_litellm_does_what_it_did(
    router: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Mock(wraps=router.get_deployment)
    monkeypatch.setattr(router, "get_deployment", made)
    await counted(router)
    assert made.called


@pytest.mark.parametrize(
    ("metadata", "read"),
    [
        ({"routing_decision": {"savings_baseline_model": OTHERS}}, True),
        ({"routing_decision": None, "usage_object": {"total_tokens": 7}}, False),
        ({}, False),
    ],
)
async def test_whether_a_cheaper_model_was_chosen_is_read_where_it_may_be(
    metadata: Any, read: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = Mock(wraps=import_module(WRITING)._SPEND_METADATA_ADAPTER)
    monkeypatch.setattr(f"{WRITING}._SPEND_METADATA_ADAPTER", adapter)
    payload = {"metadata": json.dumps(metadata), "custom_llm_provider": "stackspot_ai"}
    await writing.DBSpendUpdateWriter()._enqueue_autorouter_turn_transaction(payload=payload, prisma_client=Mock())
    assert adapter.validate_json.called is read


def bridged(**asked: Any) -> tuple[bool, str]:
    """Whether LiteLLM would ask the Responses API, and for which model."""
    found, model = litellm.main.responses_api_bridge_check(**asked)
    return found.get("mode") == "responses", model


def test_stackspot_is_not_asked_for_another_api(monkeypatch: pytest.MonkeyPatch) -> None:
    checking = import_module("litellm.responses.bridge_check")
    monkeypatch.setattr(checking, "get_model_info_helper", lambda **_: pytest.fail("a model was looked up"))
    asked = {"model": "stackspot-ai-chat", "custom_llm_provider": "stackspot_ai"}
    assert bridged(**asked, tools=[{"type": "function"}], reasoning_effort="high") == (False, "stackspot-ai-chat")


@pytest.mark.parametrize(
    ("model", "provider", "found"),
    [
        ("responses/gpt-5", "stackspot_ai", (True, "gpt-5")),
        ("responses/gpt-5", "azure", (True, "gpt-5")),
        ("gpt-4o", "openai", (False, "gpt-4o")),
    ],
)
def test_of_others_and_where_it_is_named_litellm_says_which_api(model: str, provider: str, found: Any) -> None:
    assert bridged(model=model, custom_llm_provider=provider) == found


def test_litellm_may_ask_for_the_api_in_another_form() -> None:
    found, model = litellm.main.responses_api_bridge_check("stackspot-ai-chat", custom_llm_provider="stackspot_ai")
    assert (found.get("mode") == "responses", model) == (False, "stackspot-ai-chat")
