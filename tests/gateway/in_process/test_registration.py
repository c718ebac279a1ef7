"""LiteLLM in-process, as in issue A: every name, every way of calling, every error; nothing replaced or printed."""

from typing import Any

import pytest

from simulator.client import Simulator
from tests.gateway.in_process.scripts import Ran, run_script
from tests.harness import ALL_NAMES, Account, Server

CALLS = """
from custom_handlers.stackspot_config import configure_stackspot
import litellm

PUBLIC = ("completion", "acompletion", "text_completion", "responses", "aresponses", "Router")
before = {name: getattr(litellm, name) for name in PUBLIC}
configure_stackspot()
configure_stackspot()
found["replaced"] = [name for name in PUBLIC if getattr(litellm, name) is not before[name]]
found["registered"] = [item["provider"] for item in litellm.custom_provider_map]

NAMES = ("stackspot-ai-chat", "stackspot-ai-code", "stackspot-ai-assistant")
NAMES += ("stackspot", "stackspot-code", "stackspot-assistant")
ASK = {"messages": [{"role": "user", "content": "Hi"}]}

def text(chunks):
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)

async def later(name):
    answer = await litellm.acompletion(model=name, **ASK)
    chunks = await litellm.acompletion(model=name, stream=True, **ASK)
    return {"async": answer.choices[0].message.content, "async stream": text([chunk async for chunk in chunks])}

found["calls"] = {}
for name in NAMES:
    answer = litellm.completion(model=name, temperature=0.7, max_tokens=50, **ASK)
    found["calls"][name] = {
        "sync": answer.choices[0].message.content,
        "sync stream": text(litellm.completion(model=name, temperature=0.7, max_tokens=50, stream=True, **ASK)),
        **asyncio.run(later(name)),
        "with provider": litellm.completion(model="stackspot_ai/" + name, **ASK).choices[0].message.content,
    }
    found.setdefault("usage", {})[name] = [answer.usage.prompt_tokens, answer.usage.completion_tokens]
    found.setdefault("cost", {})[name] = litellm.completion_cost(answer)

def responses_text(response):
    return response.output[0].content[0].text

async def other_ways():
    found["messages"] = (await litellm.anthropic.messages.acreate(model="stackspot", max_tokens=99, **ASK))["content"]
    events = await litellm.anthropic.messages.acreate(model="stackspot", max_tokens=99, stream=True, **ASK)
    found["messages stream"] = "".join([e.decode() if isinstance(e, bytes) else str(e) async for e in events])
    found["aresponses"] = responses_text(await litellm.aresponses(model="stackspot-code", input="Hi"))
    events = [event async for event in await litellm.aresponses(model="stackspot-code", input="Hi", stream=True)]
    found["aresponses stream"] = responses_text(events[-1].response)
    found["atext_completion"] = (await litellm.atext_completion(model="stackspot", prompt="Hi")).choices[0].text

asyncio.run(other_ways())
found["text_completion"] = litellm.text_completion(model="stackspot-assistant", prompt="Hi").choices[0].text
chunks = litellm.text_completion(model="stackspot-assistant", prompt="Hi", stream=True)
found["text_completion stream"] = "".join(chunk.choices[0].text or "" for chunk in chunks)
found["responses"] = responses_text(litellm.responses(model="stackspot-ai-chat", input="Hi"))
events = list(litellm.responses(model="stackspot-ai-chat", input="Hi", stream=True))
found["responses stream"] = responses_text(events[-1].response)

from simulator.client import Simulator
simulator = Simulator(os.environ["SIMULATOR"])
asked = len(simulator.requests())
router = litellm.Router(
    model_list=[{"model_name": "mine", "litellm_params": {"model": "stackspot_ai/stackspot-ai-code"}}]
    + [{"model_name": name, "litellm_params": {"model": name}} for name in NAMES],
    model_group_alias={"yours": "mine"},
)
found["router"] = {name: router.completion(model=name, **ASK).choices[0].message.content for name in (*NAMES, "mine")}
found["router"]["yours"] = asyncio.run(router.acompletion(model="yours", **ASK)).choices[0].message.content
found["paths"] = [request["path"] for request in simulator.requests()[asked:]]
tell()
"""

ERRORS = """
from custom_handlers.stackspot_config import configure_stackspot
from simulator.client import Simulator
import litellm

configure_stackspot()
simulator = Simulator(os.environ["SIMULATOR"])
ASK = {"messages": [{"role": "user", "content": "Hi"}]}

def told(error):
    kinds = [kind.__name__ for kind in type(error).__mro__]
    return {"kinds": kinds, "status": getattr(error, "status_code", None), "message": str(error)}

def ways(**call):
    async def later(stream):
        answer = await litellm.acompletion(stream=stream, **call)
        if stream:
            [chunk async for chunk in answer]
    def now(stream):
        answer = litellm.completion(stream=stream, **call)
        if stream:
            list(answer)
    outcomes = {}
    for stream in (False, True):
        for name, ask in (("sync", now), ("async", lambda stream: asyncio.run(later(stream)))):
            try:
                ask(stream)
                outcome = None
            except Exception as error:
                outcome = told(error)
            outcomes[name + (" stream" if stream else "")] = outcome
    return outcomes

for name in ("stackspot-ai-poet", "stackspot-", "stackspot_ai/gpt-4o"):
    found[name] = ways(model=name, **ASK)
for case, faults in {
    "401": {"status": 401},
    "403": {"not_shared": True},
    "400": {"status": 400},
    "429": {"status": 429, "retry_after": "3000"},
    "503": {"status": 503, "retry_after": "3000"},
    "too long": {"token_limit": 1, "extra_input": 7},
    "null": {"null_message": True},
    "redirect": {"redirect": "http://127.0.0.1:1/"},
}.items():
    simulator.faults(**faults)
    found[case] = ways(model="stackspot-code", **ASK)
simulator.faults(header_delay=60)
found["timeout"] = ways(model="stackspot-code", timeout=0.3, **ASK)
simulator.no_faults()
found["temperature"] = ways(model="stackspot", temperature=2, **ASK)
found["n"] = ways(model="stackspot", n=2, **ASK)
found["messages"] = ways(model="stackspot", messages=[])
for name, call in {
    "embedding": lambda: litellm.embedding(model="stackspot_ai/stackspot-ai-chat", input="Hi"),
    "image": lambda: litellm.image_generation(model="stackspot_ai/stackspot-ai-chat", prompt="Hi"),
}.items():
    try:
        call()
    except Exception as error:
        found[name] = {"sync": told(error)}
tell()
"""


def environment(server: Server, account: Account) -> dict[str, str]:
    return {**account.for_gateway(server.url), "SIMULATOR": server.url}


@pytest.fixture(scope="module")
def calls(simulator_server: Server, account: Account, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    with Simulator(simulator_server.url) as simulator:
        simulator.reset()
    return run_script(CALLS, environment(simulator_server, account), tmp_path_factory.mktemp("calls"))


@pytest.fixture(scope="module")
def errors(simulator_server: Server, account: Account, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    with Simulator(simulator_server.url) as simulator:
        simulator.reset()
        ran = run_script(ERRORS, environment(simulator_server, account), tmp_path_factory.mktemp("errors"))
        simulator.reset()
    return ran


@pytest.mark.parametrize("name", ALL_NAMES)
def test_every_name_answers_in_every_way(calls: Ran, name: str) -> None:
    answers = calls.found["calls"][name]
    assert answers.keys() == {"sync", "sync stream", "async", "async stream", "with provider"}
    assert all(text.startswith("Hello! You asked about “Hi”.") for text in answers.values())
    assert answers["sync"] == answers["sync stream"]
    assert answers["async"] == answers["async stream"] == answers["with provider"]


def test_usage_and_cost(calls: Ran) -> None:
    for name in ALL_NAMES:
        prompt, completion = calls.found["usage"][name]
        assert prompt > 0
        assert completion > 0
        assert calls.found["cost"][name] == pytest.approx((prompt + completion) / 1e6)


@pytest.mark.parametrize("way", ["text_completion", "atext_completion", "responses", "aresponses", "messages"])
def test_litellms_other_calls(calls: Ran, way: str) -> None:
    assert "Hello! You asked about “Hi”." in str(calls.found[way])


@pytest.mark.parametrize("way", ["text_completion stream", "responses stream", "aresponses stream"])
def test_litellms_other_calls_streamed(calls: Ran, way: str) -> None:
    assert "Hello! You asked about “Hi”." in str(calls.found[way])


def test_streamed_messages(calls: Ran) -> None:
    assert "message_start" in calls.found["messages stream"]
    assert "message_stop" in calls.found["messages stream"]


@pytest.mark.parametrize("name", [*ALL_NAMES, "mine", "yours"])
def test_the_router(calls: Ran, name: str) -> None:
    assert calls.found["router"][name].startswith("Hello!")


def test_a_router_asks_the_same_upstream_as_litellm_itself(calls: Ran) -> None:
    """With both agents and a key in the environment that is the agent."""
    assert len(calls.found["paths"]) == len(ALL_NAMES) + 2
    assert all(path.startswith("/v1/agent/") for path in calls.found["paths"])


def test_nothing_of_litellm_is_replaced_and_registering_twice_is_registering_once(calls: Ran) -> None:
    assert calls.found["replaced"] == []
    assert calls.found["registered"] == ["stackspot_ai"]


def test_nothing_is_printed(calls: Ran, errors: Ran) -> None:
    assert calls.printed == ""
    assert errors.printed == ""
    assert (calls.status, errors.status) == (0, 0)


def outcomes(errors: Ran, case: str) -> list[tuple[str, dict[str, Any]]]:
    found = errors.found[case]
    assert all(found.values()), f"{case} was answered"
    return list(found.items())


@pytest.mark.parametrize("name", ["stackspot-ai-poet", "stackspot-", "stackspot_ai/gpt-4o"])
def test_an_unknown_model_is_a_value_error_that_lists_the_valid_names(errors: Ran, name: str) -> None:
    for _, told in outcomes(errors, name):
        assert "ValueError" in told["kinds"]
        assert "BadRequestError" in told["kinds"]
        assert all(valid in told["message"] for valid in ALL_NAMES)


@pytest.mark.parametrize(
    ("case", "kind", "status", "word"),
    [
        ("401", "AuthenticationError", 401, "client key"),
        ("403", "PermissionDeniedError", 403, "shared"),
        ("400", "BadRequestError", 400, "refused the request"),
        ("429", "RateLimitError", 429, "INFERENCE_3008_CHAT_RATE_LIMIT_EXCEEDED"),
        ("503", "ServiceUnavailableError", 503, "not available"),
        ("too long", "ContextWindowExceededError", 400, "8 tokens"),
        ("null", "BadGatewayError", 502, "content filter"),
        ("redirect", "BadGatewayError", 502, "redirect"),
        ("timeout", "Timeout", 408, "time limit"),
        ("temperature", "BadRequestError", 400, "0.0 to 1.0"),
        ("n", "BadRequestError", 400, "`n`"),
        ("messages", "BadRequestError", 400, "messages"),
        ("embedding", "BadRequestError", 400, "no embeddings"),
        ("image", "BadRequestError", 400, "no images"),
    ],
)
def test_errors_are_litellms_own(errors: Ran, case: str, kind: str, status: int, word: str) -> None:
    for way, told in outcomes(errors, case):
        assert told["status"] == status, way
        assert word in told["message"], way
        assert "Traceback" not in told["message"], way
        # LiteLLM itself turns what a stream raises into MidStreamFallbackError, with the status of the original.
        assert kind in told["kinds"] or ("stream" in way and "MidStreamFallbackError" in told["kinds"]), way
