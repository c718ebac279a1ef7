"""The SDKs of OpenAI (Python and JavaScript) and Anthropic work unchanged, and raise their own exceptions."""

import json
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import anthropic
import openai
import pytest

from simulator.client import Simulator
from tests.gateway.conftest import PRIVATE
from tests.gateway.installing import CLIENTS, install_node_modules
from tests.gateway.test_models import streamed_and_not
from tests.harness import ALL_NAMES, Server, clean_environment

every_name = pytest.mark.parametrize("name", ALL_NAMES)
JS_ROUTES = ("chat", "completions", "responses")


class Case(NamedTuple):
    """What goes wrong, and as what the SDKs raise it. `extra` goes into the body."""

    faults: dict[str, Any]
    openai: type[openai.APIError]
    anthropic: type[anthropic.APIError]
    told: str
    extra: dict[str, Any] = {}  # noqa: RUF012 - never changed


TOO_LONG = {
    "type": "BadRequestError",
    "code": "INFERENCE_6001_LLM_MODEL_BAD_REQUEST",
    "details": "limit of 250000 tokens. Your messages resulted in 250001 tokens.",
}
LATER = {"retry_after": "3000", "body": PRIVATE}
CASES = {
    "bad parameter": Case(
        {}, openai.BadRequestError, anthropic.BadRequestError, "`temperature` must be", {"temperature": 1.5}
    ),
    "prompt too long": Case(
        {"status": 400, "body": TOO_LONG}, openai.BadRequestError, anthropic.BadRequestError, "250001 tokens"
    ),
    "agent not shared": Case(
        {"not_shared": True}, openai.InternalServerError, anthropic.InternalServerError, "not shared"
    ),
    "token refused": Case(
        {"status": 401}, openai.InternalServerError, anthropic.InternalServerError, "refused the gateway's credentials"
    ),
    "rate limit": Case({"status": 429, **LATER}, openai.RateLimitError, anthropic.RateLimitError, "request limit"),
    "overloaded": Case(
        {"status": 503, **LATER}, openai.InternalServerError, anthropic.ServiceUnavailableError, "not available"
    ),
    "StackSpot too slow": Case(
        {"status": 504}, openai.InternalServerError, anthropic.GatewayTimeoutError, "timed out", {"timeout": 2}
    ),
    "caller in a hurry": Case(
        {"first_byte_delay": 60}, openai.APIStatusError, anthropic.RequestTimeoutError, "time limit", {"timeout": 0.7}
    ),
    "null answer": Case({"null_message": True}, openai.InternalServerError, anthropic.InternalServerError, "empty"),
    "broken answer": Case({"break_after": 2}, openai.InternalServerError, anthropic.InternalServerError, "StackSpot"),
}
STATUS = {
    "bad parameter": 400,
    "prompt too long": 400,
    "rate limit": 429,
    "overloaded": 503,
    "StackSpot too slow": 504,
    "caller in a hurry": 408,
}
every_case = pytest.mark.parametrize("case", CASES)
BREAKS: dict[str, Any] = {"break_after": 2, "delta_delay": 0.1}


@pytest.fixture(scope="module")
def openai_sdk(gateway_server: Server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{gateway_server.url}/v1", api_key=gateway_server.key, max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def anthropic_sdk(gateway_server: Server) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=gateway_server.url, api_key=gateway_server.key, max_retries=0) as client:
        yield client


def last(simulator: Simulator) -> dict[str, Any]:
    return simulator.requests("/v1/agent/")[-1]


def collect(pieces: Iterable[str], into: list[str]) -> None:
    """So that what came before an exception is there after it."""
    for piece in pieces:
        into.append(piece)


USER: Any = [{"role": "user", "content": "Hi"}]


class TestOpenAI:
    """openai on PyPI."""

    @every_name
    def test_chat(self, openai_sdk: openai.OpenAI, simulator: Simulator, name: str) -> None:
        answer = openai_sdk.chat.completions.create(model=name, messages=USER)
        assert (answer.model, answer.choices[0].finish_reason) == (name, "stop")
        assert answer.choices[0].message.content == last(simulator)["answer"]
        assert answer.usage is not None
        told = {"input": answer.usage.prompt_tokens, "output": answer.usage.completion_tokens}
        assert told == last(simulator)["usage"]

    @every_name
    def test_chat_streamed(self, openai_sdk: openai.OpenAI, simulator: Simulator, name: str) -> None:
        """By the SDK's own accumulator, which checks that the chunks belong together."""
        with openai_sdk.chat.completions.stream(
            model=name, messages=USER, stream_options={"include_usage": True}
        ) as stream:
            answer = stream.get_final_completion()
        assert (answer.model, answer.choices[0].finish_reason) == (name, "stop")
        assert answer.choices[0].message.content == last(simulator)["answer"]
        assert answer.usage is not None
        assert answer.usage.completion_tokens == last(simulator)["usage"]["output"]

    @every_name
    @streamed_and_not
    def test_completions(self, openai_sdk: openai.OpenAI, simulator: Simulator, name: str, stream: bool) -> None:
        if stream:
            text = "".join(
                chunk.choices[0].text or ""
                for chunk in openai_sdk.completions.create(model=name, prompt="Hi", stream=True)
            )
        else:
            text = openai_sdk.completions.create(model=name, prompt="Hi").choices[0].text
        assert text == last(simulator)["answer"]

    @every_name
    def test_responses(self, openai_sdk: openai.OpenAI, simulator: Simulator, name: str) -> None:
        answer = openai_sdk.responses.create(model=name, input="Hi", instructions="Be brief.")
        assert (answer.status, answer.output_text) == ("completed", last(simulator)["answer"])
        assert answer.usage is not None
        assert answer.usage.output_tokens == last(simulator)["usage"]["output"]

    @every_name
    def test_responses_streamed(self, openai_sdk: openai.OpenAI, simulator: Simulator, name: str) -> None:
        with openai_sdk.responses.stream(model=name, input="Hi") as stream:
            answer = stream.get_final_response()
        assert (answer.status, answer.output_text) == ("completed", last(simulator)["answer"])

    def test_models(self, openai_sdk: openai.OpenAI) -> None:
        assert {model.id for model in openai_sdk.models.list()} == set(ALL_NAMES)

    @every_case
    @streamed_and_not
    def test_errors(self, openai_sdk: openai.OpenAI, simulator: Simulator, case: str, stream: bool) -> None:
        faults, kind, _, told, extra = CASES[case]
        simulator.faults(**faults)
        simulator.answer({"writes": [["one", " two"]]})
        with pytest.raises(openai.APIError) as raised:
            list(openai_sdk.chat.completions.create(model="stackspot", messages=USER, stream=stream, extra_body=extra))
        error = raised.value
        assert told in error.message
        if case == "broken answer" and stream:
            # The text had begun, so the status was 200.
            assert (type(error), error.code) == (openai.APIError, "502")
        else:
            assert type(error) is kind
            assert isinstance(error, openai.APIStatusError)
            assert error.status_code == STATUS.get(case, 502)

    @pytest.mark.parametrize("route", ["chat", "completions"])
    def test_a_stream_that_breaks_raises(self, openai_sdk: openai.OpenAI, simulator: Simulator, route: str) -> None:
        simulator.faults(**BREAKS)
        simulator.answer({"pieces": ["one", " two"]})
        text: list[str] = []
        pieces = {
            "chat": lambda: (
                chunk.choices[0].delta.content or ""
                for chunk in openai_sdk.chat.completions.create(model="stackspot", messages=USER, stream=True)
            ),
            "completions": lambda: (
                chunk.choices[0].text
                for chunk in openai_sdk.completions.create(model="stackspot", prompt="Hi", stream=True)
            ),
        }
        with pytest.raises(openai.APIError, match="StackSpot"):
            collect(pieces[route](), text)
        assert text[0] == "one"

    @pytest.mark.parametrize("faults", [BREAKS, {"not_shared": True}], ids=["broken", "refused"])
    def test_a_failed_stream_of_responses_says_so(
        self, openai_sdk: openai.OpenAI, simulator: Simulator, faults: dict[str, Any]
    ) -> None:
        simulator.faults(**faults)
        *_, end = openai_sdk.responses.create(model="stackspot", input="Hi", stream=True)
        assert end.type == "response.failed"
        assert end.response.status == "failed"
        assert end.response.error is not None
        assert "StackSpot" in end.response.error.message

    def test_a_wrong_key(self, gateway: Server) -> None:
        """Without a database LiteLLM answers 400 in place of 401, since it cannot look the key up."""
        with (
            openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="sk-somebody-else", max_retries=0) as client,
            pytest.raises((openai.AuthenticationError, openai.BadRequestError)),
        ):
            client.chat.completions.create(model="stackspot", messages=USER)

    def test_embeddings_and_images_are_refused(self, openai_sdk: openai.OpenAI) -> None:
        with pytest.raises(openai.BadRequestError, match="serves chat only"):
            openai_sdk.embeddings.create(model="stackspot", input="Hi")
        with pytest.raises(openai.BadRequestError, match="serves chat only"):
            openai_sdk.images.generate(model="stackspot", prompt="a picture")
        with pytest.raises(openai.BadRequestError, match="`n` must be 1"):
            openai_sdk.chat.completions.create(model="stackspot", messages=USER, n=2)


class TestAnthropic:
    """anthropic on PyPI."""

    @every_name
    def test_messages(self, anthropic_sdk: anthropic.Anthropic, simulator: Simulator, name: str) -> None:
        answer = anthropic_sdk.messages.create(model=name, max_tokens=100, messages=USER)
        (block,) = answer.content
        assert block.type == "text"
        assert (answer.model, answer.stop_reason, answer.role) == (name, "end_turn", "assistant")
        assert block.text == last(simulator)["answer"]
        told = {"input": answer.usage.input_tokens, "output": answer.usage.output_tokens}
        assert told == last(simulator)["usage"]

    @every_name
    def test_messages_streamed(self, anthropic_sdk: anthropic.Anthropic, simulator: Simulator, name: str) -> None:
        with anthropic_sdk.messages.stream(model=name, max_tokens=100, messages=USER, system="Be brief.") as stream:
            answer = stream.get_final_message()
        (block,) = answer.content
        assert block.type == "text"
        assert (answer.model, answer.stop_reason) == (name, "end_turn")
        assert block.text == last(simulator)["answer"]
        assert answer.usage.output_tokens == last(simulator)["usage"]["output"]

    @every_case
    @streamed_and_not
    def test_errors(self, anthropic_sdk: anthropic.Anthropic, simulator: Simulator, case: str, stream: bool) -> None:
        faults, _, kind, told, extra = CASES[case]
        simulator.faults(**faults)
        simulator.answer({"writes": [["one", " two"]]})
        with pytest.raises(anthropic.APIStatusError) as raised:
            list(
                anthropic_sdk.messages.create(
                    model="stackspot", max_tokens=100, messages=USER, stream=stream, extra_body=extra
                )
            )
        assert told in raised.value.message
        if stream and case != "bad parameter":  # which the guard sees before LiteLLM does
            # LiteLLM sends the status before it asks the handler; the error is an event, which the SDK raises.
            assert type(raised.value) is anthropic.APIStatusError
        else:
            assert type(raised.value) is kind
            assert raised.value.status_code == STATUS.get(case, 502)

    def test_a_stream_that_breaks_raises(self, anthropic_sdk: anthropic.Anthropic, simulator: Simulator) -> None:
        simulator.faults(**BREAKS)
        simulator.answer({"pieces": ["one", " two"]})
        text: list[str] = []
        with (
            anthropic_sdk.messages.stream(model="stackspot", max_tokens=100, messages=USER) as stream,
            pytest.raises(anthropic.APIStatusError, match="StackSpot"),
        ):
            collect(stream.text_stream, text)
        assert text[0] == "one"

    def test_tokens_are_counted(self, anthropic_sdk: anthropic.Anthropic, simulator: Simulator) -> None:
        assert anthropic_sdk.messages.count_tokens(model="stackspot", messages=USER).input_tokens > 0
        assert simulator.requests() == []


class JavaScript:
    """Runs the driver; one process for a list of calls."""

    def __init__(self, server: Server) -> None:
        self._environ = clean_environment({"OPENAI_BASE_URL": f"{server.url}/v1", "OPENAI_API_KEY": server.key})

    def call(self, *calls: dict[str, Any]) -> list[dict[str, Any]]:
        complete = [{"model": "stackspot", "prompt": "Hi", "stream": False, "extra": {}} | call for call in calls]
        node = shutil.which("node") or "node"
        done = subprocess.run(
            [node, str(CLIENTS / "openai_driver.mjs")],
            input=json.dumps(complete),
            capture_output=True,
            text=True,
            timeout=120,
            env=self._environ,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        outcomes: list[dict[str, Any]] = json.loads(done.stdout)
        return outcomes


class TestOpenAIForJavaScript:
    """openai on npm."""

    @pytest.fixture(scope="class", autouse=True)
    def _installed(self) -> None:
        install_node_modules()

    @pytest.fixture
    def javascript(self, gateway: Server) -> JavaScript:
        return JavaScript(gateway)

    def test_all_names_on_all_routes(self, javascript: JavaScript, simulator: Simulator) -> None:
        calls = [
            {"route": route, "model": name, "stream": stream, "prompt": f"Who is {name}?"}
            for name in ALL_NAMES
            for route in JS_ROUTES
            for stream in (False, True)
        ]
        outcomes = javascript.call(*calls)
        records = simulator.requests("/v1/agent/")
        assert len(records) == len(calls) == 36
        for call, outcome, record in zip(calls, outcomes, records, strict=True):
            assert outcome.get("text") == record["answer"], (call, outcome)
            assert outcome["finish"] == ("completed" if call["route"] == "responses" else "stop")
            told = outcome["usage"].get("completion_tokens", outcome["usage"].get("output_tokens"))
            assert told == record["usage"]["output"]

    def test_models(self, javascript: JavaScript) -> None:
        (outcome,) = javascript.call({"route": "models"})
        assert sorted(outcome["names"]) == sorted(ALL_NAMES)

    @every_case
    def test_errors(self, javascript: JavaScript, simulator: Simulator, case: str) -> None:
        faults, kind, _, told, extra = CASES[case]
        simulator.faults(**faults)
        simulator.rule({"writes": [["one", " two"]]}, pattern=".")
        plain, streamed = javascript.call(
            {"route": "chat", "extra": extra}, {"route": "chat", "extra": extra, "stream": True}
        )
        # The SDKs name their exceptions alike, but for 408, which is the general one here too.
        name = "APIError" if kind is openai.APIStatusError else kind.__name__
        assert (plain["error"], plain["status"]) == (name, STATUS.get(case, 502))
        if case == "broken answer":
            assert (streamed["error"], streamed["code"]) == ("APIError", "502")
        else:
            assert (streamed["error"], streamed["status"]) == (name, STATUS.get(case, 502))
        for outcome in (plain, streamed):
            assert told in outcome["message"]

    def test_what_is_not_served(self, javascript: JavaScript) -> None:
        embeddings, two = javascript.call({"route": "embeddings"}, {"route": "chat", "extra": {"n": 2}})
        assert (embeddings["error"], two["error"]) == ("BadRequestError", "BadRequestError")
        assert "serves chat only" in embeddings["message"]
