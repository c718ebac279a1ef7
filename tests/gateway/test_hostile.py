"""A request may never choose upstream, credentials or agent (issue A: "Configuration").

Whatever it holds, either it is refused with a 4xx and nothing goes upstream, or what goes upstream is to the byte what
goes there without it. Both upstreams, all routes; the stand-in's journal is the witness.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from simulator.client import Simulator
from tests.gateway.calling import CHAT, COMPLETIONS, MESSAGES, RESPONSES, Caller, Reply
from tests.gateway.conftest import Decoy
from tests.gateway.litellm_surface import own_parameters
from tests.harness import AGENTS, Account
from tests.sampling import every, first

OTHER_AGENT = AGENTS["stackspot-ai-assistant"]
OTHER_INFO = {
    "id": "chosen-by-the-caller",
    "stackspot_agent_id": OTHER_AGENT,
    "stackspot_knowledge": True,
    "stackspot_deep_search": True,
    "stackspot_knowledge_source_ids": ["chosen-by-the-caller"],
    "stackspot_agent_version": 9,
    "stackspot_first_byte_timeout": 0.001,
}
ELSEWHERE = {"model": "openai/gpt-4o", "api_base": "DECOY", "api_key": "sk-chosen-by-the-caller"}
ELSEWHERE_DEPLOYMENT = {"model_name": "stackspot-ai-code", "litellm_params": ELSEWHERE}

# DECOY stands for an address that the caller would like to be called.
FIELDS: dict[str, Any] = {
    # where to
    "api_base": "DECOY",
    "base_url": "DECOY",
    "api_version": "2024-10-21",
    "endpoint": "DECOY",
    "proxy": "DECOY",
    "deployment_url": "DECOY",
    "inference_url": "DECOY",
    "stackspot_inference_url": "DECOY",
    "region_name": "elsewhere",
    "model_list": [ELSEWHERE_DEPLOYMENT],
    "user_config": {"model_list": [ELSEWHERE_DEPLOYMENT]},
    "fallbacks": [ELSEWHERE],
    "context_window_fallback_dict": {"stackspot-ai-code": "openai/gpt-4o"},
    "litellm_params": ELSEWHERE,
    "deployment": ELSEWHERE_DEPLOYMENT,
    "model_group": "stackspot-ai-assistant",
    "litellm_credential_name": "chosen-by-the-caller",
    "webhook_url": "DECOY",
    "callbacks": ["langfuse"],
    "langfuse_host": "DECOY",
    "mcp_servers": ["DECOY"],
    "mock_response": "not from StackSpot",
    # as whom
    "api_key": "sk-chosen-by-the-caller",
    "client_id": "chosen-by-the-caller",
    "client_secret": "chosen-by-the-caller",
    "client_key": "chosen-by-the-caller",
    "realm": "chosen-by-the-caller",
    "organization": "chosen-by-the-caller",
    "azure_ad_token": "chosen-by-the-caller",
    "extra_headers": {"Authorization": "Bearer chosen-by-the-caller", "X-Chosen": "by-the-caller"},
    "headers": {"X-Chosen": "by-the-caller"},
    "default_headers": {"X-Chosen": "by-the-caller"},
    "ssl_verify": False,
    # which agent, and with what
    "agent_id": OTHER_AGENT,
    "stackspot_agent_id": OTHER_AGENT,
    "model_info": OTHER_INFO,
    "metadata": {"model_info": OTHER_INFO, "agent_id": OTHER_AGENT},
    "litellm_metadata": {"model_info": OTHER_INFO},
    "optional_params": {"stackspot_agent_id": OTHER_AGENT},
    "proxy_server_request": {"body": {"model_info": OTHER_INFO}},
    "extra_body": {"user_prompt": "chosen-by-the-caller", "agent_version_number": 9, "model": "other"},
    "user_prompt": "chosen-by-the-caller",
    "agent_version_number": 9,
    "selected_model": "chosen-by-the-caller",
    "stackspot_knowledge": True,
    "knowledge_source_ids": ["chosen-by-the-caller"],
    "stackspot_knowledge_source_ids": ["chosen-by-the-caller"],
    "deep_search_ks": True,
    "upload_ids": ["chosen-by-the-caller"],
    "use_conversation": True,
    "conversation_id": "01J00000000000000000C0NVER",
    # at what price, and how often
    "input_cost_per_token": 0,
    "output_cost_per_token": 0,
    "num_retries": 3,
    "max_retries": 3,
}
# On two routes these still lead LiteLLM to another provider, with the caller's own `api_key`: to api.openai.com, say.
STEERING: dict[str, Any] = {
    "custom_llm_provider": "openai",
    "deployment_id": "chosen-by-the-caller",
    "azure": True,
}

HEADERS: list[dict[str, str]] = [
    {"x-litellm-api-base": "DECOY"},
    {"x-litellm-base-url": "DECOY"},
    {"x-litellm-model": "openai/gpt-4o"},
    {"x-litellm-model-info": json.dumps(OTHER_INFO)},
    {"x-litellm-user-config": json.dumps({"model_list": [ELSEWHERE_DEPLOYMENT]})},
    {"x-litellm-tags": "elsewhere"},
    {"x-litellm-num-retries": "3"},
    {"x-litellm-customer-id": "somebody"},
    {"x-litellm-session-id": "chosen-by-the-caller"},
    {"x-litellm-spend-logs-metadata": json.dumps({"model_info": OTHER_INFO})},
    {"stackspot-agent-id": OTHER_AGENT},
    {"x-stackspot-agent-id": OTHER_AGENT},
    {"x-stackspot-realm": "elsewhere"},
    {"stackspot-client-secret": "chosen-by-the-caller"},
    {"x-api-key": "chosen-by-the-caller"},
    {"api-key": "chosen-by-the-caller"},
    {"openai-organization": "chosen-by-the-caller"},
    {"x-forwarded-host": "elsewhere"},
    {"forwarded": "host=elsewhere"},
    {"x-http-method-override": "GET"},
    {"cookie": "chosen=by-the-caller"},
    {"user-agent": "chosen-by-the-caller"},
    {"accept-encoding": "identity"},
    {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
    {"baggage": "chosen=by-the-caller"},
    {"anthropic-beta": "chosen-by-the-caller"},
    {"x-pass-chosen": "by-the-caller"},
]

MODELS: list[Any] = [
    f"stackspot_ai/{OTHER_AGENT}",
    OTHER_AGENT,
    "stackspot_ai/",
    "stackspot_ai/gpt-4o",
    "stackspot_ai/../stackspot-ai-code",
    "stackspot_ai/stackspot-ai-code/../../../elsewhere",
    "stackspot-ai-code/../stackspot-ai-assistant",
    "../stackspot-ai-code",
    "stackspot-ai-code%2f..%2felsewhere",
    "stackspot-ai-code?agent_id=1",
    "stackspot-ai-code#",
    "stackspot-ai-code\r\nX-Chosen: by-the-caller",
    "stackspot-ai-code ",
    "STACKSPOT-AI-CODE",
    "stackspot/stackspot-ai-code",
    "openai/stackspot-ai-code",
    "openai/gpt-4o",
    "huggingface/DECOY",
    "*",
    "",
    None,
    7,
    ["stackspot-ai-code"],
    {"model": "stackspot-ai-code"},
]

CALLS = [(CHAT, False), (CHAT, True), (COMPLETIONS, False), (MESSAGES, False), (RESPONSES, False)]
FEWER_CALLS = [(CHAT, False), (MESSAGES, False)]

Sent = list[tuple[str, dict[str, str], Any]]


@dataclass
class Side:
    """One gateway with its upstream, and what goes there when nobody meddles."""

    caller: Caller
    simulator: Simulator
    path: str
    authorization: str
    usual_before: dict[tuple[str, bool], Sent]

    def usual(self, route: str, stream: bool) -> Sent:
        if (route, stream) not in self.usual_before:
            self.ask(route, stream)  # once more than needed, so that no token is asked for later
            self.ask(route, stream)
            self.usual_before[route, stream] = self.sent()
            assert [path for path, _, _ in self.sent()] == [self.path]
        return self.usual_before[route, stream]

    def ask(self, route: str, stream: bool, **fields: Any) -> Reply:
        self.simulator.clear()
        merged: dict[str, Any] = {"model": "stackspot-ai-code", "stream": stream} | fields
        return self.caller.ask(route, **merged)

    def sent(self) -> Sent:
        """Path, headers and body of all that went upstream, authorization apart."""
        sent = []
        for record in self.simulator.requests():
            headers = record["headers"]
            assert re.fullmatch(self.authorization, headers.pop("authorization"))
            assert record["status"] == 200
            headers.pop("content-length")
            sent.append((record["path"], headers, record["body"]))
        return sent

    def check(self, route: str, stream: bool, **fields: Any) -> None:
        """Refused, or as usual."""
        usual = self.usual(route, stream)
        reply = self.ask(route, stream, **fields)
        sent = self.sent()
        if reply.status == 200:
            assert sent == usual
            assert reply.failure is None
            assert "This is a simulated answer" in reply.text
        else:
            assert (400 <= reply.status < 500, sent) == (True, []), reply.raw


@pytest.fixture(scope="module")
def usual_before() -> dict[str, dict[tuple[str, bool], Sent]]:
    return {"agents": {}, "key": {}}


@pytest.fixture(params=["agents", "key"])
def side(
    request: pytest.FixtureRequest,
    simulator: Simulator,
    account: Account,
    usual_before: dict[str, dict[tuple[str, bool], Sent]],
) -> Side:
    usual = usual_before[request.param]
    if request.param == "agents":
        path, authorization = f"/v1/agent/{AGENTS['stackspot-ai-code']}/chat", r"Bearer eyJ[\w.-]+"
        return Side(request.getfixturevalue("caller"), simulator, path, authorization, usual)
    authorization = re.escape(f"Bearer {account.api_key}")
    return Side(request.getfixturevalue("key_caller"), simulator, "/v1/code/completions", authorization, usual)


def aimed(value: Any, decoy: Decoy) -> Any:
    return json.loads(json.dumps(value).replace("DECOY", decoy.url))


def test_the_usual(side: Side, account: Account) -> None:
    """What the other tests compare with, once in full."""
    ((path, headers, body),) = side.usual(CHAT, stream=False)
    if "agent" in path:
        assert body == {"user_prompt": "Hi", "streaming": True, "stackspot_knowledge": False}
    else:
        messages = [{"role": "user", "content": "Hi"}]
        settings = {"temperature": 0.7, "max_tokens": 8192}
        assert body == {"model": "stackspot-ai-code", "messages": messages, "stream": False, **settings}
    assert headers.keys() == {"host", "accept", "accept-encoding", "connection", "user-agent", "content-type"}


@pytest.mark.parametrize("name", every(4, FIELDS))
def test_no_field_chooses(side: Side, decoy: Decoy, name: str) -> None:
    for route, stream in CALLS if "agent" in side.path else FEWER_CALLS:
        side.check(route, stream, **{name: aimed(FIELDS[name], decoy)})


@pytest.mark.parametrize("name", STEERING)
def test_no_field_chooses_another_provider(side: Side, name: str) -> None:
    for route, stream in CALLS:
        side.check(route, stream, **{name: STEERING[name]})


def test_all_harmless_fields_together_choose_nothing(side: Side, decoy: Decoy) -> None:
    usual = side.usual(CHAT, stream=False)
    ignored = {name: value for name, value in FIELDS.items() if side.ask(CHAT, False, **{name: value}).status == 200}
    assert len(ignored) > 20
    assert side.ask(CHAT, False, **aimed(ignored, decoy)).status == 200
    assert side.sent() == usual


@pytest.mark.parametrize("headers", every(4, HEADERS), ids=lambda headers: next(iter(headers)))
def test_no_header_chooses(side: Side, decoy: Decoy, headers: Mapping[str, str]) -> None:
    for route, stream in FEWER_CALLS:
        side.check(route, stream, headers=aimed(headers, decoy))


@pytest.mark.parametrize("model", every(4, MODELS), ids=repr)
def test_no_model_name_chooses(side: Side, decoy: Decoy, model: Any) -> None:
    for route, stream in FEWER_CALLS:
        assert side.ask(route, stream, model=aimed(model, decoy)).status == 400
        assert side.sent() == []


def test_a_model_s_full_name_is_that_model(side: Side) -> None:
    """LiteLLM finds a deployment by the name behind `model:` as well."""
    side.check(CHAT, False, model="stackspot_ai/stackspot-ai-code")


@pytest.mark.parametrize(
    "path",
    [
        f"/v1/chat/completions?stackspot_agent_id={OTHER_AGENT}",
        "/v1/chat/completions?api_base=DECOY",
        "/engines/stackspot-ai-code/chat/completions?proxy=DECOY",
        "/openai/deployments/stackspot-ai-code/chat/completions?api-version=1&endpoint=DECOY",
    ],
)
def test_no_address_chooses(side: Side, decoy: Decoy, simulator: Simulator, path: str) -> None:
    usual = side.usual(CHAT, stream=False)
    simulator.clear()
    body = {"model": "stackspot-ai-code", "messages": [{"role": "user", "content": "Hi"}]}
    response = side.caller.post(path.replace("DECOY", decoy.url), json=body)
    assert (response.status_code, side.sent()) in ((200, usual), (401, []))


@pytest.mark.parametrize(
    "path", ["/openai/deployments/..%2f..%2felsewhere/chat/completions", "/engines/..%2Felsewhere/chat/completions"]
)
def test_no_path_leads_elsewhere(side: Side, simulator: Simulator, path: str) -> None:
    simulator.clear()
    response = side.caller.post(path, json={"messages": [{"role": "user", "content": "Hi"}]})
    assert 400 <= response.status_code < 500
    assert simulator.requests() == []


# How LiteLLM says that a value is of the wrong type (with a 500, but before anything is sent).
_WRONG_TYPE = re.compile(
    "validation error|multiple values|not iterable|could not convert|must be a string or a real number"
    "|dictionary update|Unsupported response_format|Internal server error|has no attribute"
)
_MEANT_TO_WORK = {"messages", "stream", "model", "litellm_system_prompt"}
_TRIED_ALREADY = {*STEERING, "kwargs", "api_key", "base_url"}


@pytest.mark.parametrize("value", first(["openai", True]), ids=repr)
def test_no_parameter_that_litellm_knows_chooses(caller: Caller, simulator: Simulator, value: Any) -> None:
    """Renewed with LiteLLM: a parameter that a later version adds is tried without being listed here."""
    usual = {"user_prompt": "Hi", "streaming": True, "stackspot_knowledge": False}
    names = {*own_parameters()} - _MEANT_TO_WORK - _TRIED_ALREADY
    assert len(names) > 200
    wrong = []
    for name in sorted(names):
        simulator.clear()
        try:
            response = caller.http.post(
                "/v1/chat/completions",
                json={"model": "stackspot", "messages": [{"role": "user", "content": "Hi"}], name: value},
            )
        except Exception as error:
            raise AssertionError(name) from error
        sent = [record["body"] for record in simulator.requests("/v1/agent/")]
        as_usual = response.status_code == 200 and sent == [usual]
        refused = response.status_code < 500 or _WRONG_TYPE.search(response.text)
        if not as_usual and not (refused and not sent):
            wrong.append((name, response.status_code, sent, response.text[:200]))
    assert wrong == []


FALLBACK_FIELDS = ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks")
TARGETS: dict[str, Any] = {
    "another address": ELSEWHERE,
    "another provider": {"model": "openai/gpt-4o", "api_key": "sk-chosen-by-the-caller"},
    "a provider for this model": {"model": "stackspot-ai-code", "custom_llm_provider": "openai"},
    "a deployment": {"model": "stackspot-ai-code", "deployment_id": "chosen-by-the-caller"},
    "azure": {"model": "stackspot-ai-code", "azure": True},
    "an agent": {"model": "stackspot-ai-code", "model_info": OTHER_INFO, "stackspot_agent_id": OTHER_AGENT},
}


@pytest.mark.parametrize("field", FALLBACK_FIELDS)
@pytest.mark.parametrize("target", first(TARGETS))
def test_no_fallback_chooses(side: Side, decoy: Decoy, field: str, target: str) -> None:
    for route, stream in CALLS:
        targets = aimed(TARGETS[target], decoy)
        for value in ([targets], [{"stackspot-ai-code": [targets]}], {"*": targets}):
            reply = side.ask(route, stream, **{field: value})
            assert (400 <= reply.status < 500, side.sent()) == (True, []), reply.raw
            reply = side.ask(route, stream, router_settings_override={field: value})
            assert (400 <= reply.status < 500, side.sent()) == (True, []), reply.raw


def test_a_fallback_may_name_another_model(caller: Caller, simulator: Simulator) -> None:
    simulator.faults(status=418, target=AGENTS["stackspot-ai-code"])
    for value in (["stackspot-assistant"], [{"stackspot-ai-code": ["stackspot-assistant"]}]):
        assert caller.ask(CHAT, "stackspot-ai-code", fallbacks=value).status == 200


# By kind of failure, for the kinds that a failing StackSpot is told as.
RETRIES = {"InternalServerErrorRetries": 3, "BadRequestErrorRetries": 3, "ServiceUnavailableErrorRetries": 3}


@pytest.mark.parametrize(
    "wish",
    [
        {"num_retries": 3},
        {"max_retries": 3},
        {"headers": {"x-litellm-num-retries": "3"}},
        {"retry_policy": RETRIES},
        {"model_group_retry_policy": {"stackspot-ai-code": RETRIES}},
        {"router_settings_override": {"num_retries": 3}},
        {"router_settings_override": {"model_group_retry_policy": {"stackspot-ai-code": RETRIES}}},
    ],
    ids=str,
)
def test_no_request_has_its_failures_repeated(side: Side, simulator: Simulator, wish: dict[str, Any]) -> None:
    for route, stream in CALLS:
        side.usual(route, stream)
        simulator.faults(status=418, target=None if "agent" in side.path else "key")
        assert side.ask(route, stream, **wish).failure
        assert len(simulator.requests()) == 1
        simulator.no_faults()


@pytest.mark.parametrize("fields", [{}, {"fastest_response": True}], ids=str)
def test_no_request_is_for_several_models(side: Side, fields: dict[str, Any]) -> None:
    """LiteLLM would ask each of them, at the price of one request of a rate limit."""
    for route, stream in CALLS:
        reply = side.ask(route, stream, model="stackspot-ai-code,stackspot-ai-code", **fields)
        assert (reply.status, side.sent()) == (400, []), reply.raw
