"""Tools, structured output and limits over a service that takes one text and gives one.

plan:     messages and parameters ─► prompt
emulate:  upstream ─► answer ─► caller
                      └─ what cannot be used: one more round, which the caller does not see; a call that
                         only misfits its schema is passed on as it is after that
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from custom_handlers.core.errors import InvalidResponseError, StackSpotError
from custom_handlers.core.events import Event, Events
from custom_handlers.emulation.answer import Answer
from custom_handlers.emulation.plan import Plan, Problem
from custom_handlers.emulation.prompt import Attachments, correction, render
from custom_handlers.emulation.structured import read_format
from custom_handlers.emulation.tool_prompt import read_tools

__all__ = ["Plan", "Problem", "emulate", "plan", "repair_prompt"]


def plan(
    messages: Any,
    parameters: Mapping[str, Any],
    attachments: Attachments | None = None,
    *,
    secret: bytes = b"",
    thinking_open: bool = False,
) -> Plan:
    """The plan for a request: OpenAI's `messages`, and its other fields, of which numbers and stop texts are checked
    already. `attachments` holds notes on uploaded files, and `secret` keeps headers unknown, as for render. With
    `thinking_open` answers begin inside a thought. Raises BadRequestError.
    """
    tooling, output = read_tools(parameters), read_format(parameters)
    rules = [tooling.rules] if tooling else []
    if output:
        rules.append(f"If you call no tool: {output.rules}" if tooling else output.rules)
    stop, most = parameters.get("stop") or (), parameters.get("max_tokens")
    return Plan(
        render(
            messages,
            tools=tooling.text if tooling else "",
            rules="\n\n".join(rules),
            attachments=attachments,
            secret=secret,
        ),
        tooling,
        output,
        (stop,) if isinstance(stop, str) else tuple(stop),
        int(most) if most else None,
        turns=bool(rules) or len(messages) > 1 or messages[0].get("role") != "user",
        thinking_open=thinking_open,
    )


async def emulate(events: Events, *, plan: Plan, ask: Callable[[str], Events | None]) -> AsyncGenerator[Event]:
    """The answer that the caller asked for out of `events`, the upstream's plain text.

    An answer that cannot be used (a broken call, no call where one is demanded, JSON that does not fit) gets one more
    round through `ask`, hidden but for its usage; None means that no more may be asked. Each upstream is closed as soon
    as nothing more of it is needed. Raises InvalidResponseError if nothing can be used after that, and what the
    upstream raises.
    """
    first = Answer(plan)
    async with aclosing(first.read(events)) as told:
        async for event in told:
            yield event
    if not first.problem:
        yield first.end
        return
    second = Answer(plan, after=first)
    failure: StackSpotError | None = _given_up(first.problem, "")
    try:
        if (again := ask(repair_prompt(plan.prompt, first.text, first.problem))) is not None:
            async with aclosing(second.read(again)) as told:
                async for event in told:
                    yield event
            found = second.problem
            failure = _given_up(found, ", also after it was asked to correct itself") if found else None
    except StackSpotError as error:
        failure = error
    if failure:
        rest = list(second.last_resort())
        if not rest and not second.calls:
            raise failure
        for event in rest:
            yield event
    usage, extra = first.end.usage + second.end.usage, {**first.end.extra, **second.end.extra}
    yield replace(second.end, usage=usage, extra=extra)


def _given_up(problem: Problem, when: str) -> StackSpotError:
    return InvalidResponseError(f"{problem.told}{when}.", final=True)


def repair_prompt(prompt: str, answer: str, problem: Problem) -> str:
    """The prompt that asks for a correction of `answer`, which `prompt` led to."""
    return correction(prompt, answer, reason=problem.reason, remedy=problem.remedy)
