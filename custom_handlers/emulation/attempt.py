"""One attempt at an answer: an upstream's text to what the caller gets, and what is wrong with it.

text ─► max_tokens ─► calls found ─► stop sequences ─► JSON checked
"""

import json
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from dataclasses import replace

from custom_handlers.core import telemetry
from custom_handlers.core.errors import InvalidResponseError
from custom_handlers.core.events import STOP_SEQUENCE, Delta, Events, Finish
from custom_handlers.emulation.json_schema.proof import prove
from custom_handlers.emulation.lenient_json import InvalidJSONError
from custom_handlers.emulation.parser.segments import InvalidToolCall, Reasoning, Segment, Text, ToolCall, deltas
from custom_handlers.emulation.parser.tool_call_parser import ToolCallParser
from custom_handlers.emulation.request import EmulatedRequest, RepairRequest
from custom_handlers.emulation.stop import MaxTokens, StopSequences
from custom_handlers.emulation.structured_output import ModelRefusedError, OutputFormat

# An upstream's empty answer is an error before it gets here: what was written was another speaker's turn.
_NOTHING = RepairRequest(
    telemetry.NO_ANSWER,
    "The model wrote another speaker's turn and no answer",
    "it is not the assistant's message",
    "Write the assistant's message, and no message of another speaker.",
)


class Attempt:
    """After `read`: its `text`, its `end`, the number of `calls` so far, and the `repair` that it needs, if any.

    One with a `previous` attempt emits only what corrects that: calls that were passed on already are not again.
    """

    def __init__(self, request: EmulatedRequest, previous: "Attempt | None" = None) -> None:
        self.end = Finish()
        self.repair: RepairRequest | None = None
        self.calls: int = previous.calls if previous else 0
        self._request = request
        self._previous = previous
        self._demanded = request.tool_config is not None and request.tool_config.tool_choice == "required"
        self._functions_api = request.tool_config is not None and request.tool_config.functions_api
        self._holds = bool(previous or request.output or self._demanded)
        self._held: list[str] = []
        self._emitted: bool = previous._emitted if previous else False  # has any text been emitted
        self._thoughts: list[str] = []
        self._raw: list[str] = []
        self._made: Counter[tuple[str, str]] = Counter()
        self._made_before = Counter(previous._made) if previous else Counter()
        self._limit = MaxTokens(request.max_tokens) if request.max_tokens else None
        self._stop = StopSequences(request.stop)
        self._parser = ToolCallParser(
            request.tool_config, first_index=self.calls, thinking_open=request.thinking_open, turns=request.turns
        )

    @property
    def text(self) -> str:
        return "".join(self._raw)

    async def read(self, events: Events) -> AsyncGenerator[Delta]:
        ended = False
        pending: list[Delta] = []
        try:
            async for event in events:
                if isinstance(event, Finish):
                    self.end, ended = event, True
                    break
                if not (text := event.text):
                    yield event
                    continue
                if self._limit:
                    text = self._limit.feed(text)
                self._raw.append(text)
                pending = list(self._take(await self._proven(self._parser.feed(text))))
                if self._stop.found or (self._limit and self._limit.reached):
                    self.end, ended = Finish("stop" if self._stop.found else "length"), True
                    break
                for delta in pending:
                    yield delta
                pending = []
        finally:
            if isinstance(events, AsyncGenerator):
                await events.aclose()
        if not ended:
            raise InvalidResponseError("StackSpot's answer broke off.")
        rest = self._parser.finish()
        if self.end.finish_reason == "length":  # a call that the caller's own limit cuts off is nothing to correct
            rest = [part for part in rest if not isinstance(part, InvalidToolCall)]
        for delta in (*pending, *self._take(await self._proven(rest))):
            yield delta
        async for delta in self._close():
            yield delta

    def last_resort(self) -> Iterator[Delta]:
        """What can still be emitted when the correction has failed: the call as the model wrote it, its refusal, or
        what has become of a call beside others that were made.
        """
        repairs = [attempt.repair for attempt in (self, self._previous) if attempt and attempt.repair]
        call = next((repair.call for repair in repairs if repair.call), None)
        refusal = next((repair.refusal for repair in repairs if repair.refusal), None)
        if call:
            yield from self._call(call, telemetry.UNFIT)
        elif self.calls:
            yield from self._release(f"{self._break}[A tool call was not made, as it could not be read.]")
        elif refusal:
            yield Delta({"refusal": refusal})
        if self.calls:
            self.end = replace(self.end, finish_reason=self._made_reason)

    @property
    def _break(self) -> str:
        return "\n\n" if self._emitted else ""

    @property
    def _made_reason(self) -> str:
        return "function_call" if self._functions_api else "tool_calls"

    async def _proven(self, parts: Sequence[Segment]) -> list[Segment]:
        return [await self._checked(part) if isinstance(part, ToolCall) and part.unproven else part for part in parts]

    async def _checked(self, call: ToolCall) -> Segment:
        assert self._request.tool_config is not None
        tool = self._request.tool_config.tool(call.name)
        misfit = await prove(tool.parameters, json.loads(call.arguments))
        return InvalidToolCall("", misfit, call) if misfit else call

    def _take(self, parts: Iterable[Segment]) -> Iterator[Delta]:
        for part in parts:
            if self._stop.found or self.repair:
                return
            match part:
                case Text(text):
                    yield from self._emit(self._stop.feed(text))
                case Reasoning(text):
                    self._thoughts.append(text)
                    if not self._previous:
                        yield from deltas(part)
                case ToolCall():
                    yield from self._emit(self._stop.finish())
                    if self._demanded and not self._previous:
                        self._holds = False
                        yield from self._release("".join(self._held))
                    self._held = []
                    yield from self._call(part, telemetry.CORRECTED if self._previous else telemetry.VALID)
                case InvalidToolCall(_, reason, call):
                    self.repair = self._call_repair(reason, call)

    def _call(self, call: ToolCall, outcome: str) -> Iterator[Delta]:
        try:
            arguments = json.dumps(json.loads(call.arguments), sort_keys=True)
        except (ValueError, RecursionError):
            arguments = call.arguments
        made = (call.name, arguments)
        if self._made_before[made]:
            self._made_before[made] -= 1
            return
        self._made[made] += 1
        telemetry.tell(telemetry.ToolCalled(outcome))
        yield from deltas(replace(call, index=self.calls), functions_api=self._functions_api)
        self.calls += 1

    def _emit(self, text: str) -> Iterator[Delta]:
        if self._holds:
            self._held.append(text)
        else:
            yield from self._release(text)

    def _release(self, text: str) -> Iterator[Delta]:
        if text:
            self._emitted = self._emitted or bool(text.strip())
            yield Delta({"content": text})

    async def _close(self) -> AsyncGenerator[Delta]:
        """What is left to emit, and whether the answer is what was asked for."""
        for delta in self._emit(self._stop.finish()):
            yield delta
        if self._stop.found:
            self.end = replace(self.end, extra={**self.end.extra, STOP_SEQUENCE: self._stop.text})
        cut_off = self.end.finish_reason == "length"
        held = "".join(self._held)
        if not (held.strip() or self._emitted or self.calls or self.repair or cut_off or self._stop.found):
            held = "".join(self._thoughts)  # an answer of nothing but reasoning
        if self.calls:
            self.end = replace(self.end, finish_reason=self.end.finish_reason if cut_off else self._made_reason)
            if self.repair or self._made or not self._previous:
                return
            # In place of the call that was to be corrected there are words, or nothing.
            held = f"{self._break}{held}" if held.strip() else ""
            self.repair = None if held else self._previous.repair
        elif self.repair:
            return
        elif self._demanded:
            self.repair = None if cut_off else self._missing_call_repair()
            held = held if cut_off else ""
        elif self._request.output:
            held = await self._json(self._request.output, held, cut_off)
        elif self._previous and not held.strip():
            self.repair, held = self._previous.repair, ""
        elif not (held.strip() or self._emitted or cut_off or self._stop.found):
            self.repair = _NOTHING
        elif self._holds or not self._emitted:
            held = f"{self._break}{held}"
        for delta in self._release(held):
            yield delta

    async def _json(self, output: OutputFormat, held: str, cut_off: bool) -> str:
        try:
            return await output.read_proven(held)
        except InvalidJSONError as invalid:
            if cut_off:
                return held
            self.repair = RepairRequest(
                telemetry.BAD_JSON,
                "The model did not answer with the JSON that was asked for",
                str(invalid),
                f"Write it again, correctly and completely. {output.rules}",
                refusal=invalid.text if isinstance(invalid, ModelRefusedError) else None,
            )
            return ""

    def _call_repair(self, reason: str, call: ToolCall | None) -> RepairRequest:
        if self._request.tool_config and self._request.tool_config.tool_choice == "none":
            instruction = "Write it again in plain text, without a tool call."
        elif self.calls:
            instruction = (
                "The calls before the invalid one have been made. Write only the invalid one again, correctly."
            )
        else:
            instruction = "Write the call again, correctly and completely, and nothing else."
        return RepairRequest(
            telemetry.BAD_CALL,
            "The model called a tool in a way that cannot be used",
            f"the tool call is invalid: {reason}",
            instruction,
            None if call and self._is_strict(call) else call,
        )

    def _is_strict(self, call: ToolCall) -> bool:
        return self._request.tool_config is not None and self._request.tool_config.tool(call.name).strict

    def _missing_call_repair(self) -> RepairRequest:
        forced = self._request.tool_config.forced_tool if self._request.tool_config else None
        wanted = f"the tool `{forced}`" if forced else "a tool"
        error, reason = f"The model did not call {wanted}", f"it must call {wanted}"
        return RepairRequest(telemetry.NO_CALL, error, reason, "Write the call, and nothing else.")
