"""Has LiteLLM charge the caller's key for a call that ends without an answer: StackSpot was asked all the same.

LiteLLM charges whole answers, and of a failed stream what its chunks say. It knows nothing of answers that could not be
used, of plain calls that failed, and of callers who left before the first chunk; and what a failure costs, it leaves
out of the numbers that budgets are held against.
"""

import asyncio
from contextvars import ContextVar
from typing import Any

from litellm.integrations.custom_logger import CustomLogger
from litellm.litellm_core_utils.litellm_logging import Logging
from litellm.types.utils import ModelResponse, Usage

from custom_handlers.wire import events

# LiteLLM's own marks: by the first it charges a stream once, the second says that a failure is on its way to the books.
_DISPATCHED, _FAILED = "has_dispatched_final_stream_success", "has_logged_async_failure"
# Seconds within which a failure is booked; only then is it certain that a caller who has left is charged by nobody.
_BOOKED_AFTER = 2.0

_running: set[asyncio.Task[None]] = set()
# What the calls of one request to the proxy have cost: for text completions its failure hook sees nothing else.
_bills: ContextVar[list[tuple[Usage, float]]] = ContextVar("stackspot_bills")


def failed(logging: Any, model: str, used: events.Usage) -> None:
    """Call before the error of a plain call is raised: LiteLLM books `used` with the failure."""
    if used.prompt and isinstance(logging, Logging):
        cost = logging.response_cost_calculator(result=_response(model, used)) or 0.0
        logging.record_partial_usage_for_failure(_usage(used), cost)
        if (bills := _bills.get(None)) is not None:
            bills.append((_usage(used), cost))


def left(logging: Any, model: str, used: events.Usage, *, begun: bool) -> None:
    """Call when the caller of a stream is gone; `begun` says whether LiteLLM has had any of it."""
    if not used.prompt or not isinstance(logging, Logging) or logging.model_call_details.get(_DISPATCHED):
        return
    if begun:
        logging.model_call_details[_DISPATCHED] = True
    else:
        failed(logging, model, used)
    # Not awaited: whoever closes a stream is cancelled himself.
    task = asyncio.get_running_loop().create_task(_book(logging, _response(model, used), begun=begun))
    _running.add(task)
    task.add_done_callback(_running.discard)


async def _book(logging: Logging, response: ModelResponse, *, begun: bool) -> None:
    if not begun:
        await asyncio.sleep(_BOOKED_AFTER)
        if logging.model_call_details.get(_DISPATCHED) or logging.model_call_details.get(_FAILED):
            return
        logging.model_call_details[_DISPATCHED] = True
    await logging.async_success_handler(response)


class Charging(CustomLogger):
    """The part of the proxy's callback that charges for failures."""

    @staticmethod
    def begin() -> None:
        """Call before the calls of a request are made, in the request's own task."""
        _bills.set([])

    async def async_post_call_failure_hook(
        self, request_data: dict[str, Any], original_exception: Exception, user_api_key_dict: Any, *_: Any, **__: Any
    ) -> None:
        """LiteLLM's hook: runs before the one that writes the failure to the database."""
        if not isinstance(request_data.get("combined_usage_object"), Usage):
            if not (bills := _bills.get([])):
                return
            request_data["combined_usage_object"], request_data["response_cost"] = bills[-1]
        if cost := request_data.get("response_cost"):
            await _hold_against_budgets(user_api_key_dict, float(cost))


async def _hold_against_budgets(key: Any, cost: float) -> None:
    from litellm.proxy import proxy_server  # loaded inside the proxy only

    await proxy_server.increment_spend_counters(
        token=key.api_key,
        team_id=key.team_id,
        user_id=key.user_id,
        response_cost=cost,
        org_id=key.org_id,
        end_user_id=key.end_user_id,
    )


def _usage(used: events.Usage) -> Usage:
    prompt, completion = used.prompt or 0, used.completion or 0
    return Usage(prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion)


def _response(model: str, used: events.Usage) -> ModelResponse:
    return ModelResponse(model=model, choices=[], usage=_usage(used))
