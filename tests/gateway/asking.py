"""What the tests of the surfaces share: the prompt that a request leads to, and refusals that name a place."""

from typing import Any

from simulator.client import Simulator
from tests.gateway.calling import MESSAGES, Caller, Failure


def prompt_of(caller: Caller, simulator: Simulator, route: str, prompt: Any = "Hi", **fields: Any) -> str:
    """What StackSpot is asked for a request that is answered."""
    simulator.clear()
    reply = caller.ask(route, prompt=prompt, **fields)
    assert reply.status == 200, reply.raw
    (record,) = simulator.requests("/v1/agent/")
    return str(record["body"]["user_prompt"])


def refusal_of(caller: Caller, simulator: Simulator, route: str, prompt: Any = "Hi", **fields: Any) -> Failure:
    """The 400 that a request gets, streamed or not, before StackSpot is asked."""
    simulator.clear()
    told = []
    for stream in (False, True):
        reply = caller.ask(route, prompt=prompt, stream=stream, **fields)
        assert (reply.status, reply.streamed) == (400, False), reply.raw
        assert reply.failure
        told.append(reply.failure)
    assert told[0] == told[1]
    assert told[0].type == "invalid_request_error"
    assert simulator.requests("/v1/agent/") == []
    if route == MESSAGES:
        assert reply.body["type"] == "error"
    return told[0]
