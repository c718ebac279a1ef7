"""What a developer is told whose key may not do something: OpenAI's shape, the right status, a clear message."""

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from custom_handlers.core.models import PRICE_PER_TOKEN
from simulator.client import Simulator
from tests.gateway.administration.conftest import Developer, Make
from tests.harness import WITHOUT_TLS, Server

TINY_BUDGET = "BUDGET=0.00001"  # ten tokens at the default price: the first answer uses it up


def refusal(response: httpx.Response, status: int, kind: str) -> str:
    """The message of an error in OpenAI's shape."""
    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert set(error) >= {"message", "type", "param", "code"}
    assert (error["type"], str(error["code"])) == (kind, str(status))
    assert "Traceback" not in response.text
    return str(error["message"])


def ask_until_refused(developer: Developer) -> httpx.Response:
    """LiteLLM books the spend of an answer shortly after it was given."""
    for _ in range(20):
        response = developer.ask()
        if response.status_code != 200:
            return response
        time.sleep(0.25)
    raise AssertionError("never refused")


def test_budget_used_up(developer: Callable[..., Developer], simulator: Simulator) -> None:
    spender = developer("spender", TINY_BUDGET)
    assert spender.ask().status_code == 200
    message = refusal(ask_until_refused(spender), 422, "budget_exceeded")
    assert "Budget has been exceeded" in message
    simulator.clear()
    for request in ({"stream": True}, {"model": "stackspot-code"}):
        refusal(spender.ask(**request), 422, "budget_exceeded")
    assert simulator.requests("/v1/agent/") == [], "nothing reaches StackSpot any more"


def test_parallel_calls_at_the_edge_of_a_budget(developer: Callable[..., Developer], make: Make) -> None:
    """Sixteen at once where there is room for one: how much more than the budget is spent. Measured: one call more."""
    key = developer("edge", "BUDGET=0.0009")
    cost = key.ask("word " * 500, max_tokens=50).json()["usage"]["total_tokens"] * PRICE_PER_TOKEN
    assert 0.00045 < cost < 0.0009
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: key.ask("word " * 500, max_tokens=50), range(16)))
    passed = [answer for answer in answers if answer.status_code == 200]
    assert 1 <= len(passed) <= 8
    refusal(next(answer for answer in answers if answer.status_code != 200), 422, "budget_exceeded")
    refusal(ask_until_refused(key), 422, "budget_exceeded")


def test_a_replaced_key_is_no_new_budget(developer: Callable[..., Developer], make: Make) -> None:
    first = developer("rotator", TINY_BUDGET)
    assert first.ask().status_code == 200
    ask_until_refused(first)
    for _ in range(100):
        if re.search(r"^rotator +- +0\.0", make("keys").stdout, re.MULTILINE):
            break
        time.sleep(1)
    second = developer("rotator", "ROTATE=1")
    refusal(second.ask(), 422, "budget_exceeded")


def test_the_teams_budget_used_up(developer: Callable[..., Developer], make: Make) -> None:
    assert make("team", "NAME=poor", TINY_BUDGET).returncode == 0
    assert developer("poor1", "TEAM=poor").ask().status_code == 200
    message = refusal(ask_until_refused(developer("poor2", "TEAM=poor")), 422, "budget_exceeded")
    assert "Team=poor" in message


def test_too_many_requests(developer: Callable[..., Developer]) -> None:
    hasty = developer("hasty", "RPM=2")
    assert [hasty.ask().status_code for _ in range(2)] == [200, 200]
    message = refusal(hasty.ask(), 429, "throttling_error")
    assert "Limit type: requests. Current limit: 2" in message


def test_too_many_tokens(developer: Callable[..., Developer]) -> None:
    wordy = developer("wordy", "TPM=60")
    message = refusal(ask_until_refused(wordy), 429, "throttling_error")
    assert "Limit type: tokens. Current limit: 60" in message


def test_expired(developer: Callable[..., Developer], make: Make) -> None:
    late = developer("late", "EXPIRES=2s")
    time.sleep(2.5)
    assert "Expired Key" in refusal(late.ask(), 401, "expired_key")
    assert "expired 20" in make("keys").stdout


@pytest.mark.parametrize("key", ["sk-nobody-ever-made-this-one", "no-key-at-all"])
def test_unknown(team_gateway: Server, key: str) -> None:
    response = Developer(team_gateway, key).ask()
    assert response.status_code == 401
    error = response.json()["error"]
    assert str(error["code"]) == "401"
    assert key not in response.text


@pytest.mark.parametrize("model", ["stackspot-ai-chat", "stackspot", "stackspot-ai-assistant", "stackspot-assistant"])
def test_a_model_that_is_not_allowed(developer: Callable[..., Developer], simulator: Simulator, model: str) -> None:
    coder = developer(f"coder-{model}", "MODELS=stackspot-ai-code")
    simulator.clear()
    for path, body in (
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "Hi"}]}),
        ("/v1/messages", {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 9}),
        ("/v1/responses", {"input": "Hi"}),
        ("/v1/completions", {"prompt": "Hi"}),
    ):
        response = coder.post(path, {"model": model, **body})
        assert response.status_code == 403, (path, response.text)
        assert f"The requested model '{model}' is not available for this API key" in response.text
    assert simulator.requests("/v1/agent/") == []


BOTH = {"stackspot-ai-code", "stackspot-code"}


@pytest.mark.parametrize("name", sorted(BOTH))
@pytest.mark.parametrize("by", ["make key", "team", "management API"])
def test_both_names_of_a_model_are_the_same_model(
    developer: Callable[..., Developer], make: Make, team_gateway: Server, name: str, by: str
) -> None:
    """Whichever of the two is allowed, and whether to a key, to its team, or in the UI, which calls the same API."""
    who = f"{by.replace(' ', '-')}-{name}".lower()
    if by == "make key":
        coder = developer(who, f"MODELS={name}")
    elif by == "team":
        assert make("team", f"NAME=team-{who}", f"MODELS={name}").returncode == 0
        coder = developer(who, f"TEAM=team-{who}")
    else:
        admin = {"Authorization": f"Bearer {team_gateway.key}"}
        made = httpx.post(
            f"{team_gateway.url}/key/generate",
            headers=admin,
            json={"key_alias": who, "models": [name]},
            verify=WITHOUT_TLS,
        )
        coder = Developer(team_gateway, made.json()["key"])
    text = {"messages": [{"role": "user", "content": "Hi"}]}
    for model in BOTH:
        for path, body in (
            ("/v1/chat/completions", text),
            ("/v1/messages", {**text, "max_tokens": 9}),
            ("/v1/responses", {"input": "Hi"}),
            ("/v1/completions", {"prompt": "Hi"}),
        ):
            response = coder.post(path, {"model": model, **body})
            assert response.status_code == 200, (path, model, response.text)
        assert coder.get(f"/v1/models/{model}").status_code == 200
    assert coder.ask(model="stackspot").status_code in (401, 403)
    if by != "team":  # such a key bears all six names itself, and its team narrows them when it calls
        assert {each["id"] for each in coder.get("/v1/models").json()["data"]} == BOTH


def test_embeddings_and_images_say_that_there_are_none(developer: Callable[..., Developer]) -> None:
    curious = developer("curious")
    for path, body in (("/v1/embeddings", {"input": "x"}), ("/v1/images/generations", {"prompt": "x"})):
        response = curious.post(path, {"model": "stackspot", **body})
        assert response.status_code == 400, response.text
        assert "StackSpot" in response.json()["error"]["message"]
