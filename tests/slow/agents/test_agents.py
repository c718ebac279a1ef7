"""Every client does real work through the gateway, as its how-to says: with a clean model and with a flawed one."""

import pytest

from gateway.clients import names
from simulator.client import Simulator
from simulator.model.malformed import OBEDIENT
from simulator.model.transcript import Transcript
from tests.harness import Server
from tests.slow.agents import orders, work
from tests.slow.agents.packages import CLIENTS, EXTRACTORS, NOT_RUN
from tests.slow.agents.running import Place, run_as_told

AGENTS = [name for name in names() if name not in (*NOT_RUN, *EXTRACTORS)]
# Their requests differ little from those of the SDKs below them: one model is enough.
FRAMEWORKS = {name for name, client in CLIENTS.items() if client.environment not in ("", "aider")}
# DSPy has calls written in a form of its own, which the flawed model does not spoil.
CLEANLY = [name for name in AGENTS if name not in FRAMEWORKS or name == "dspy"]

# Longer than usual: the first test of a run may have to install the clients.
pytestmark = [pytest.mark.agents, pytest.mark.timeout(480)]


@pytest.mark.parametrize(
    ("model", "client"),
    [
        *(("coder", name) for name in CLEANLY),
        *(("coder-flawed", name) for name in AGENTS if name != "dspy"),
    ],
)
def test_the_client_does_the_work(client: str, model: str, place: Place, gateway: Server, simulator: Simulator) -> None:
    simulator.model(model)
    output = run_as_told(client, place, gateway=gateway.url, key=gateway.key)
    try:
        work.check(place.folder)
    except AssertionError as problem:
        raise AssertionError(f"{problem}\n\n{output[-6000:]}") from None
    prompts = [asked["body"]["user_prompt"] for asked in simulator.requests("/v1/agent/")]
    if client == "aider":  # writes its edits as text
        return
    turns = {sum(call.result is not None for call in Transcript(prompt).calls) for prompt in prompts}
    assert max(turns) >= 4, "fewer than four tool turns"
    asked_again = [prompt for prompt in prompts if "The message above cannot be used:" in prompt]
    assert len(asked_again) == (model == "coder-flawed")


@pytest.mark.parametrize("client", EXTRACTORS)
def test_the_client_makes_an_object_of_a_text(client: str, place: Place, gateway: Server, simulator: Simulator) -> None:
    simulator.rule(orders.ANSWER, when=orders.ASKED_AGAIN)
    simulator.rule(orders.FLAWED, when=orders.TASK)
    orders.check(run_as_told(client, place, gateway=gateway.url, key=gateway.key, task=orders.TASK))
    assert len(simulator.requests("/v1/agent/")) == 2


@pytest.mark.parametrize("client", ["claude-code", "codex", "openai-javascript"])
def test_what_the_model_only_quotes_drafts_or_repeats_is_not_done(
    client: str, place: Place, gateway: Server, simulator: Simulator
) -> None:
    simulator.model("coder-loose")
    output = run_as_told(client, place, gateway=gateway.url, key=gateway.key)
    work.check(place.folder)
    assert OBEDIENT not in output
    prompts = [asked["body"]["user_prompt"] for asked in simulator.requests("/v1/agent/")]
    made = [str(call) for call in Transcript(prompts[-1]).calls]
    assert len(made) == 6
    assert len(set(made)) == len(made), "a call was made twice"
