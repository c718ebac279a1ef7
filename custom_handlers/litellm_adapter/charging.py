"""Has LiteLLM charge the caller's key for a call that ends without an answer: StackSpot was asked all the same.

LiteLLM charges whole answers, and of a failed stream what its chunks say. It knows nothing of answers that could not be
used, of plain calls that failed, and of callers who left before the first chunk.
"""

import asyncio
from typing import Any

from litellm.litellm_core_utils.litellm_logging import Logging
from litellm.types.utils import ModelResponse, Usage

from custom_handlers.core import events, notes

# LiteLLM's own flags: by the first it charges a stream once, the second says that a failure is being booked.
_DISPATCHED, _FAILED = "has_dispatched_final_stream_success", "has_logged_async_failure"
# Seconds within which a failure is booked; only then is it certain that a caller who has left is charged by nobody.
_BOOKED_AFTER = 2.0

_running: set[asyncio.Task[None]] = set()


def failed(logging: Any, model: str, used: events.Usage) -> None:
    """Call before the error of a plain call is raised: LiteLLM books `used` with the failure."""
    if used.prompt and isinstance(logging, Logging):
        cost = logging.response_cost_calculator(result=_response(model, used)) or 0.0
        logging.record_partial_usage_for_failure(_usage(used), cost)
        if noted := notes.current():
            noted.bill = _usage(used), cost


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


def _usage(used: events.Usage) -> Usage:
    prompt, completion = used.prompt or 0, used.completion or 0
    return Usage(prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion)


def _response(model: str, used: events.Usage) -> ModelResponse:
    return ModelResponse(model=model, choices=[], usage=_usage(used))
