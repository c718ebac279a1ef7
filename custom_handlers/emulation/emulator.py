"""Tools, structured output and limits over a service that takes one text and gives one.

prepare:  messages and parameters ─► EmulatedRequest, with the prompt
emulate:  upstream ─► answer ─► caller
                      └─ what cannot be used: one more attempt, which the caller does not see; a call that
                         only misfits its schema is passed on as it is after that
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from custom_handlers.core import telemetry
from custom_handlers.core.errors import InvalidResponseError, StackSpotError
from custom_handlers.core.events import Event, Events
from custom_handlers.emulation.attempt import Attempt
from custom_handlers.emulation.prompt import Attachments, correction, render
from custom_handlers.emulation.request import EmulatedRequest, RepairRequest
from custom_handlers.emulation.structured_output import read_format
from custom_handlers.emulation.tools import read_tools

__all__ = ["EmulatedRequest", "RepairRequest", "emulate", "prepare", "repair_prompt"]


def prepare(
    messages: Any,
    parameters: Mapping[str, Any],
    attachments: Attachments | None = None,
    *,
    secret: bytes = b"",
    thinking_open: bool = False,
) -> EmulatedRequest:
    """What OpenAI's `messages` and other fields ask of the model. Numbers and stop sequences are checked already.

    `attachments` holds notes on uploaded files, and `secret` keeps headers unknown, as for render. With `thinking_open`
    answers begin inside a thought. Raises BadRequestError.
    """
    tool_config, output = read_tools(parameters), read_format(parameters)
    rules = [tool_config.rules] if tool_config else []
    if output:
        rules.append(f"If you call no tool: {output.rules}" if tool_config else output.rules)
    stop, max_tokens = parameters.get("stop") or (), parameters.get("max_tokens")
    return EmulatedRequest(
        render(
            messages,
            tools=tool_config.text if tool_config else "",
            rules="\n\n".join(rules),
            attachments=attachments,
            secret=secret,
        ),
        tool_config,
        output,
        (stop,) if isinstance(stop, str) else tuple(stop),
        int(max_tokens) if max_tokens else None,
        turns=bool(rules) or len(messages) > 1 or messages[0].get("role") != "user",
        thinking_open=thinking_open,
    )


async def emulate(request: EmulatedRequest, ask: Callable[[str], Events | None]) -> AsyncGenerator[Event]:
    """The answer that the caller asked for. `ask` gives the upstream's plain text to a prompt.

    An answer that cannot be used (a broken call, no call where one is demanded, JSON that does not fit) gets one more
    attempt, hidden but for its usage; `ask` returns None when no more may be asked. Each upstream is closed as soon as
    nothing more of it is needed. Raises InvalidResponseError if nothing can be used after that, and what the upstream
    raises.
    """
    answer = ask(request.prompt)
    assert answer is not None, "a call may ask once"
    first = Attempt(request)
    async with aclosing(first.read(answer)) as deltas:
        async for delta in deltas:
            yield delta
    if not first.repair:
        yield first.end
        return
    second = Attempt(request, previous=first)
    failure: StackSpotError | None = _given_up(first.repair, "")
    try:
        if (corrected := ask(repair_prompt(request.prompt, first.text, first.repair))) is not None:
            telemetry.tell(telemetry.CorrectionAsked(first.repair.kind))
            async with aclosing(second.read(corrected)) as deltas:
                async for delta in deltas:
                    yield delta
            repair = second.repair
            failure = _given_up(repair, ", also after it was asked to correct itself") if repair else None
    except StackSpotError as error:
        failure = error
    if failure:
        made = second.calls
        rest = list(second.last_resort())
        if telemetry.BAD_CALL in _kinds(first, second) and second.calls == made:
            telemetry.tell(telemetry.ToolCalled(telemetry.LOST))
        if not rest and not second.calls:
            raise failure
        for delta in rest:
            yield delta
    usage, extra = first.end.usage + second.end.usage, {**first.end.extra, **second.end.extra}
    yield replace(second.end, usage=usage, extra=extra)


def _kinds(*attempts: Attempt) -> list[str]:
    return [attempt.repair.kind for attempt in attempts if attempt.repair]


def _given_up(repair: RepairRequest, when: str) -> StackSpotError:
    return InvalidResponseError(f"{repair.error}{when}.", final=True)


def repair_prompt(prompt: str, answer: str, repair: RepairRequest) -> str:
    """The prompt that asks for a correction of `answer`, which `prompt` led to."""
    return correction(prompt, answer, reason=repair.reason, instruction=repair.instruction)
