"""What passes of a body, and in which shape."""

from typing import Any

import pytest

from custom_handlers.config.request_limits import RequestLimits
from custom_handlers.guard import fields
from custom_handlers.guard.rejection import RejectedError

MESSAGES = [{"role": "user", "content": "Hi"}]
BODIES: dict[str, dict[str, Any]] = {
    "chat": {"model": "stackspot", "messages": MESSAGES},
    "completions": {"model": "stackspot", "prompt": "Hi"},
    "messages": {"model": "stackspot", "messages": MESSAGES, "max_tokens": 9},
    "responses": {"model": "stackspot", "input": "Hi"},
    "count_tokens": {"model": "stackspot", "messages": MESSAGES},
}
every_surface = pytest.mark.parametrize("surface", BODIES)


def sifted(surface: str, **extra: Any) -> dict[str, Any]:
    body = BODIES[surface] | extra
    fields.sift(surface, body, RequestLimits(max_messages=3, max_tools=2))
    return body


@every_surface
def test_extras_of_other_vendors_are_dropped_in_silence(surface: str) -> None:
    extras = {"client_metadata": {"x": 1}, "num_retries": 9, "extra_body": {}, "api_key": "sk-x", "Model": "x", "": 1}
    assert sifted(surface, **extras) == BODIES[surface]


@every_surface
@pytest.mark.parametrize("name", fields.REFUSED)
def test_what_would_steer_is_refused(surface: str, name: str) -> None:
    with pytest.raises(RejectedError, match=f"`{name}` is not accepted"):
        sifted(surface, **{name: None})


WRONG: list[tuple[str, list[Any]]] = [
    ("model", [7, ["stackspot"], {"a": 1}, True, "stackspot,stackspot-code"]),
    ("stream", ["true", 1, [], {}]),
    ("metadata", ["x", [1], True]),
    ("tags", ["x", [1], {"a": 1}]),
    ("user", [5, ["x"], {"a": 1}]),
    ("timeout", ["abc", 0, -1, "nan", "inf", 1e9, [], {}, True]),
    ("fallbacks", ["x", {"a": ["b"]}, [{"model": "x"}], [{"a": [{"model": "x"}]}], [1]]),
    ("router_settings_override", ["x", {"fallbacks": []}, {"context_window_fallbacks": 1}]),
]


@pytest.mark.parametrize(("name", "wrong"), [(name, value) for name, values in WRONG for value in values])
def test_a_wrong_value_is_reported_with_its_name(name: str, wrong: Any) -> None:
    with pytest.raises(RejectedError) as caught:
        sifted("chat", **{name: wrong})
    assert (caught.value.status, caught.value.param) == (400, name)
    assert f"`{name}`" in caught.value.message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("timeout", 0.5),
        ("timeout", "30"),
        ("timeout", None),
        ("fallbacks", ["stackspot", {"stackspot": ["stackspot-code"]}]),
        ("fallbacks", None),
        ("metadata", {"user_id": "dev", "tags": ["a"], "n": 1, "b": True}),
        ("tags", ["a", "b"]),
        ("stream", None),
    ],
)
def test_a_right_value_passes(name: str, value: Any) -> None:
    assert sifted("chat", **{name: value})[name] == value


def test_of_metadata_what_litellm_would_heed_stays_behind() -> None:
    steering = {"model_info": {"id": "x"}, "agent_id": "x", "user_api_key_alias": "x", "guardrails": ["x"], "tags": "x"}
    assert sifted("chat", metadata={"mine": "yes", **steering})["metadata"] == {"mine": "yes"}


@pytest.mark.parametrize(("surface", "name"), [("chat", "messages"), ("messages", "messages"), ("responses", "input")])
def test_too_many_turns(surface: str, name: str) -> None:
    with pytest.raises(RejectedError, match="at most 3 "):
        sifted(surface, **{name: MESSAGES * 4})
    assert len(sifted(surface, **{name: MESSAGES * 3})[name]) == 3


@pytest.mark.parametrize("surface", ["chat", "messages", "responses", "count_tokens"])
def test_too_many_tools(surface: str) -> None:
    with pytest.raises(RejectedError, match="at most 2 "):
        sifted(surface, tools=[{}] * 3)


@every_surface
def test_the_fields_of_a_surface_are_its_own(surface: str) -> None:
    assert sifted(surface).keys() <= fields.ALLOWED[surface]
    assert not fields.ALLOWED[surface] & {*fields.REFUSED}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"model": "stackspot", "messages": MESSAGES}, "/v1/chat/completions"),
        ({"model": "stackspot"}, "`prompt` must be one text"),
        ({"model": "stackspot", "prompt": ["a", "b"]}, "`prompt` must be one text"),
        ({"model": "stackspot", "prompt": [1, 2]}, "`prompt` must be one text"),
        ({"model": "stackspot", "prompt": None}, "`prompt` must be one text"),
    ],
)
def test_a_completion_needs_one_text(body: dict[str, Any], words: str) -> None:
    with pytest.raises(RejectedError, match=words):
        fields.sift("completions", body, RequestLimits())
