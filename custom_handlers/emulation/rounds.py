"""Tools, structured output and limits over a service that takes one text and gives one.

plan:     messages and parameters ─► prompt
emulate:  upstream ─► max_tokens ─► calls found ─► stop texts ─► JSON checked ─► caller
                                      └─ what cannot be used: one more round, which the caller does not see
"""

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from custom_handlers.emulation.lenient_json import Unreadable
from custom_handlers.emulation.limits import StopCutter, TokenLimit
from custom_handlers.emulation.parts import Broken, Call, Part, Text, Thought, deltas
from custom_handlers.emulation.prompt import Attachments, correction, render
from custom_handlers.emulation.structured import OutputFormat, read_format
from custom_handlers.emulation.tool_parser import ToolCallParser
from custom_handlers.emulation.tool_prompt import Tooling, read_tools
from custom_handlers.wire.errors import BrokenAnswer, StackSpotError
from custom_handlers.wire.events import STOP_TEXT, Delta, End, Event, Events


@dataclass(frozen=True, slots=True)
class Plan:
    """What to ask, and how to read the answer."""

    prompt: str
    tooling: Tooling | None = None
    output: OutputFormat | None = None
    stops: tuple[str, ...] = ()
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an answer cannot be used: `told` to the caller, `reason` and `remedy` to the model."""

    told: str
    reason: str
    remedy: str


def plan(
    messages: Any, parameters: Mapping[str, Any], attachments: Attachments | None = None, *, secret: bytes = b""
) -> Plan:
    """The plan for a request: OpenAI's `messages`, and its other fields, of which numbers and stop texts are checked
    already. `attachments` holds notes on uploaded files, and `secret` keeps headers unknown, as for render. Raises
    BadRequest.
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
    )


async def emulate(events: Events, *, plan: Plan, ask: Callable[[str], Events]) -> AsyncGenerator[Event]:
    """The answer that the caller asked for out of `events`, the upstream's plain text.

    An answer that cannot be used (a broken call, no call where one is demanded, JSON that does not fit) gets one more
    round through `ask`, hidden but for its usage. Each upstream is closed as soon as nothing more of it is needed.
    Raises BrokenAnswer if that round cannot be used either, and what the upstream raises.
    """
    first = _Answer(plan)
    async with aclosing(first.read(events)) as told:
        async for delta in told:
            yield delta
    if not first.problem:
        yield first.end
        return
    second = _Answer(plan, after=first)
    try:
        async with aclosing(second.read(ask(repair_prompt(plan.prompt, first.text, first.problem)))) as told:
            async for delta in told:
                yield delta
    except StackSpotError:
        if not first.calls:
            raise
        yield first.end
        return
    if second.problem and not second.calls:
        raise BrokenAnswer(f"{second.problem.told}, also after it was asked to correct itself.")
    usage, extra = first.end.usage + second.end.usage, {**first.end.extra, **second.end.extra}
    yield replace(second.end, usage=usage, extra=extra)


def repair_prompt(prompt: str, answer: str, problem: Problem) -> str:
    """The prompt that asks for a correction of `answer`, which `prompt` led to."""
    return correction(prompt, answer, reason=problem.reason, remedy=problem.remedy)


class _Answer:
    """One round. After `read`: its `text`, its `end`, the number of `calls` so far, and the `problem` if there is one.

    A round `after` another one tells nothing but what corrects that.
    """

    def __init__(self, plan: Plan, after: "_Answer | None" = None) -> None:
        self.end = End()
        self.problem: Problem | None = None
        self.calls: int = after.calls if after else 0
        self._plan = plan
        self._after = after
        self._demanded = plan.tooling is not None and plan.tooling.choice == "required"
        self._legacy = plan.tooling is not None and plan.tooling.legacy
        self._holds = bool(after or plan.output or self._demanded)
        self._held: list[str] = []
        self._told: bool = after._told if after else False  # has any text been told
        self._raw: list[str] = []
        self._limit = TokenLimit(plan.max_tokens) if plan.max_tokens else None
        self._stop = StopCutter(plan.stops)
        self._parser = ToolCallParser(plan.tooling, first_index=self.calls)

    @property
    def text(self) -> str:
        return "".join(self._raw)

    async def read(self, events: Events) -> AsyncGenerator[Delta]:
        ended = False
        pending: list[Delta] = []
        try:
            async for event in events:
                if isinstance(event, End):
                    self.end, ended = event, True
                    break
                if not (text := event.text):
                    yield event
                    continue
                if self._limit:
                    text = self._limit.feed(text)
                self._raw.append(text)
                pending = list(self._take(self._parser.feed(text)))
                if self._stop.found or (self._limit and self._limit.reached):
                    self.end, ended = End("stop" if self._stop.found else "length"), True
                    break
                for delta in pending:
                    yield delta
                pending = []
        finally:
            if isinstance(events, AsyncGenerator):
                await events.aclose()
        if not ended:
            raise BrokenAnswer("StackSpot's answer broke off.")
        rest = self._parser.finish()
        if self.end.reason == "length":  # a call that the caller's own limit cuts off is nothing to correct
            rest = [part for part in rest if not isinstance(part, Broken)]
        for delta in (*pending, *self._take(rest), *self._close()):
            yield delta

    def _take(self, parts: Iterable[Part]) -> Iterator[Delta]:
        for part in parts:
            if self._stop.found or self.problem:
                return
            match part:
                case Text(text):
                    yield from self._tell(self._stop.feed(text))
                case Thought() if not self._after:
                    yield from deltas(part)
                case Call():
                    yield from self._tell(self._stop.finish())
                    if self._demanded and not self._after:
                        self._holds = False
                        yield from self._release("".join(self._held))
                    self._held = []
                    self.calls = part.index + 1
                    yield from deltas(part, legacy=self._legacy)
                case Broken(_, reason):
                    self.problem = self._broken(reason)

    def _tell(self, text: str) -> Iterator[Delta]:
        if self._holds:
            self._held.append(text)
        else:
            yield from self._release(text)

    def _release(self, text: str) -> Iterator[Delta]:
        if text:
            self._told = self._told or bool(text.strip())
            yield Delta({"content": text})

    def _close(self) -> Iterator[Delta]:
        """What is left to tell, and whether the answer is what was asked for."""
        yield from self._tell(self._stop.finish())
        if self._stop.found:
            self.end = replace(self.end, extra={**self.end.extra, STOP_TEXT: self._stop.text})
        cut_off = self.end.reason == "length"
        held = "".join(self._held)
        if self.calls:
            reason = "function_call" if self._legacy else "tool_calls"
            self.end = replace(self.end, reason=self.end.reason if cut_off else reason)
        elif self.problem:
            return
        elif self._demanded:
            self.problem = None if cut_off else self._missing()
        elif self._plan.output:
            yield from self._json(self._plan.output, held, cut_off)
        elif self._after and not held.strip():
            self.problem = self._after.problem
        elif self._holds:
            yield from self._release(f"\n\n{held}" if self._told else held)

    def _json(self, output: OutputFormat, held: str, cut_off: bool) -> Iterator[Delta]:
        try:
            yield from self._release(output.read(held))
        except Unreadable as unreadable:
            if not cut_off:
                self.problem = Problem(
                    "The model did not answer with the JSON that was asked for",
                    str(unreadable),
                    f"Write it again, correctly and completely. {output.rules}",
                )

    def _broken(self, reason: str) -> Problem:
        if self._plan.tooling and self._plan.tooling.choice == "none":
            remedy = "Write it again in plain text, without a tool call."
        elif self.calls:
            remedy = (
                "The calls before the broken one are made. Write that one again, correctly, and no other before it."
            )
        else:
            remedy = "Write the call again, correctly and completely, and nothing else."
        return Problem(
            "The model called a tool in a way that cannot be used", f"the tool call is broken: {reason}", remedy
        )

    def _missing(self) -> Problem:
        only = self._plan.tooling.only if self._plan.tooling else None
        wanted = f"the tool `{only}`" if only else "a tool"
        return Problem(
            f"The model did not call {wanted}", f"it must call {wanted}", "Write the call, and nothing else."
        )
