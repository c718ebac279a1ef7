"""A call to one of our models is prepared on the loop; everything else goes to a thread, as ever."""

import asyncio
import contextvars
import threading
from functools import partial
from importlib import import_module
from typing import Any

import pytest

from custom_handlers.litellm_adapter.inline_calls import MOST, prepare_inline
from tests.lazily import lazily

litellm = lazily("litellm")

OURS: dict[str, Any] = {"model": "stackspot_ai/stackspot-ai-chat", "acompletion": True, "messages": [{}]}
seen: contextvars.ContextVar[str] = contextvars.ContextVar("seen")


def completion(**_: Any) -> threading.Thread:
    return threading.current_thread()


def another(**_: Any) -> threading.Thread:
    return threading.current_thread()


async def where(function: Any = completion, **asked: Any) -> str:
    """Where LiteLLM's `acompletion` has a call prepared."""
    loop = asyncio.get_running_loop()
    prepare_inline(loop)
    work = partial(contextvars.copy_context().run, partial(function, **asked))
    ran: threading.Thread = await loop.run_in_executor(None, work)
    return "loop" if ran is threading.current_thread() else "thread"


@pytest.mark.parametrize("more", [{}, {"tools": [{}] * MOST}, {"messages": [{}] * MOST}, {"mock_response": None}])
async def test_ours_is_prepared_on_the_loop(more: dict[str, Any]) -> None:
    assert await where(**OURS | more) == "loop"


@pytest.mark.parametrize(
    "more",
    [
        {"model": "openai/gpt-5"},
        {"model": "stackspot_ai_of_others/m"},
        {"acompletion": False},
        {"messages": [{}] * (MOST + 1)},
        {"tools": [{}] * (MOST + 1)},
        {"functions": [{}] * (MOST + 1)},
        {"prompt_id": "p"},
        {"mock_response": "m"},
        {"mock_tool_calls": [{}]},
        {"mock_timeout": True},
    ],
)
async def test_others_and_what_may_wait_go_to_a_thread(more: dict[str, Any]) -> None:
    assert await where(**OURS | more) == "thread"


async def test_what_is_no_preparation_goes_to_a_thread() -> None:
    assert await where(another, **OURS) == "thread"
    assert await asyncio.to_thread(threading.current_thread) is not threading.current_thread()


async def test_a_refusal_comes_to_the_caller() -> None:
    def refused(**_: Any) -> None:
        raise LookupError("no such model")

    refused.__name__ = "completion"
    with pytest.raises(LookupError, match="no such model"):
        await where(refused, **OURS)


async def test_its_context_is_that_of_the_call() -> None:
    def reads(**_: Any) -> threading.Thread:
        assert seen.get() == "by the call"
        seen.set("by its preparation")
        return threading.current_thread()

    reads.__name__ = "completion"
    seen.set("by the call")
    assert await where(reads, **OURS) == "loop"
    assert seen.get() == "by the call"


@pytest.mark.parametrize("inline", [True, False])
async def test_litellm_prepares_a_call_where_it_is_told_to(inline: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """LiteLLM itself, so that an upgrade that hands over something else is seen."""
    threads = []

    async def answer(response: Any) -> Any:
        return response

    def acompletion(*_: Any, model_response: Any, **__: Any) -> Any:
        threads.append(threading.current_thread())
        return answer(model_response)

    handler = type("Handler", (litellm.CustomLLM,), {"acompletion": acompletion})()
    entry = {"provider": "stackspot_ai", "custom_handler": handler}
    monkeypatch.setattr(import_module("litellm"), "custom_provider_map", [entry])
    for names in ("provider_list", "_custom_providers"):
        monkeypatch.setattr(
            import_module("litellm"), names, [*getattr(import_module("litellm"), names), "stackspot_ai"]
        )
    if inline:
        prepare_inline(asyncio.get_running_loop())
    await litellm.acompletion("stackspot_ai/stackspot-ai-chat", messages=[{"role": "user", "content": "Hi"}])
    assert [each is threading.current_thread() for each in threads] == [inline]
