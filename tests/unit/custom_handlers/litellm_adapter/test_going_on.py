"""What LiteLLM's router is told of a failure, and which account answers."""

from types import SimpleNamespace
from typing import Any

import pytest

from custom_handlers import stackspot_config
from custom_handlers.config.config_file import ModelEntry
from custom_handlers.config.settings import read_settings
from custom_handlers.core.errors import InternalServerError
from tests.lazily import lazily
from tests.unit.custom_handlers.config.test_accounts import BOTH

exceptions = lazily("litellm.exceptions")
going_on = lazily("custom_handlers.litellm_adapter.going_on")

FAILURES = ["BadGatewayError", "RateLimitError", "InternalServerError"]


def call(kind: str) -> dict[str, Any]:
    return {
        "litellm_params": {"model_info": {"id": "of-team-b"}},
        "logging_obj": SimpleNamespace(call_type=kind),
    }


@pytest.mark.parametrize("kind", FAILURES)
@pytest.mark.parametrize("surface", ["acompletion", "atext_completion", "anthropic_messages", "aresponses"])
def test_whose_failure_it_is(surface: str, kind: str) -> None:
    failure = getattr(exceptions, kind)("Sorry.", "m", "stackspot_ai")
    marked = going_on.marked(failure, call(surface), stream=False)
    assert (marked, marked.failed_deployment_id) == (failure, "of-team-b")


@pytest.mark.parametrize("kind", FAILURES)
def test_after_a_text_it_is_final_where_litellm_would_go_on(kind: str) -> None:
    failure = getattr(exceptions, kind)("Sorry.", "m", "stackspot_ai")
    text = str(failure)
    marked = going_on.marked(failure, call("aresponses"), stream=True, begun=True)
    assert (marked, str(marked), marked.status_code) == (failure, text, 424)
    assert marked.code == ("429" if kind == "RateLimitError" else "server_error"), "as LiteLLM tells it"


@pytest.mark.parametrize("kind", FAILURES)
def test_before_a_text_it_is_what_it_was(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr("custom_handlers.litellm_adapter.going_on._somebody_else", lambda: True)
    failure = getattr(exceptions, kind)("Sorry.", "m", "stackspot_ai")
    marked = going_on.marked(failure, call("anthropic_messages"), stream=True)
    assert isinstance(marked, exceptions.MidStreamFallbackError)
    assert (str(marked), marked.message, marked.status_code) == (str(failure), failure.message, failure.status_code)
    assert (vars(marked)["failed_deployment_id"], marked.is_pre_first_chunk) == ("of-team-b", True)
    assert going_on.marked(failure, call("acompletion"), stream=True) is failure


def test_the_callers_fault_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("custom_handlers.litellm_adapter.going_on._somebody_else", lambda: True)
    failure = exceptions.BadRequestError("No.", "m", "stackspot_ai")
    for begun in (False, True):
        assert going_on.marked(failure, call("aresponses"), stream=True, begun=begun).status_code == 400


def test_each_account_has_a_client_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [
        ModelEntry("a", "stackspot-ai-chat", {}),
        ModelEntry("b", "stackspot-ai-chat", {"stackspot_account": "team-b"}),
    ]
    monkeypatch.setattr(stackspot_config, "_current", read_settings(BOTH, entries))
    handler = lazily("custom_handlers.handler").StackSpotLLM()
    first, second = handler._client_of(""), handler._client_of("team-b")
    assert (first, second) == (handler._client_of(""), handler._client_of("team-b"))
    assert (first.settings.client_id, second.settings.client_id) == ("client", "client-b")
    assert first.agents.tokens is not second.agents.tokens
    assert first.pacer is not second.pacer
    with pytest.raises(InternalServerError, match=r"the gateway has no account team-c \(stackspot_account\)"):
        handler._client_of("team-c")
