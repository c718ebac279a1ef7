"""From the upstream's text to the caller's answer, with the one hidden correction."""

import json
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_handlers.core.errors import BadRequestError, InvalidResponseError, RateLimitError, StackSpotError
from custom_handlers.core.events import Delta, Event, Finish, Usage
from custom_handlers.emulation.emulator import EmulatedRequest, emulate, prepare

SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
TOOLS = [{"type": "function", "function": {"name": "read", "description": "Reads.", "parameters": SCHEMA}}]
CALL = '<tool_call>{"name": "read", "arguments": {"path": "a"}}</tool_call>'
UNREADABLE = '<tool_call>{"name": "read", "arguments": {"path": "a</tool_call>'
BROKEN = '<tool_call>{"name": "read", "arguments": {"way": "a"}}</tool_call>'
JSON_FORMAT = {"type": "json_schema", "json_schema": {"name": "p", "schema": SCHEMA}}
USER = [{"role": "user", "content": "Go"}]


class Upstream:
    """Gives the answers in turn, each in pieces; `prompts` were asked, `closed` are those that were closed early."""

    def __init__(self, *answers: str | Exception, size: int = 5) -> None:
        self.answers = list(answers)
        self.size = size
        self.prompts: list[str] = []
        self.closed: list[int] = []
        self.sent = 0

    async def __call__(self, prompt: str) -> AsyncGenerator[Event]:
        number = len(self.prompts)
        self.prompts.append(prompt)
        answer = self.answers[number]
        try:
            if isinstance(answer, Exception):
                raise answer
            for at in range(0, len(answer), self.size):
                self.sent += 1
                yield Delta({"content": answer[at : at + self.size]})
            yield Finish("stop", Usage(100, 10), {"knowledge": [number]})
        except GeneratorExit:
            self.closed.append(number)
            raise


class Seen:
    def __init__(self) -> None:
        self.text = self.thoughts = self.refusal = ""
        self.calls: list[dict[str, Any]] = []
        self.functions_api: Any = None
        self.end = Finish()
        self.error: StackSpotError | None = None


async def answer(upstream: Upstream, messages: Any = USER, **parameters: Any) -> Seen:
    return await run(upstream, prepare(messages, parameters))


async def run(upstream: Upstream, planned: EmulatedRequest) -> Seen:
    seen = Seen()
    try:
        async for event in emulate(planned, upstream):
            if isinstance(event, Finish):
                seen.end = event
                continue
            seen.text += event.text
            seen.refusal += event.fields.get("refusal", "")
            seen.thoughts += event.fields.get("reasoning_content", "")
            seen.functions_api = event.fields.get("function_call", seen.functions_api)
            for delta in event.fields.get("tool_calls", ()):
                if "id" in delta:
                    assert delta["index"] == len(seen.calls)
                    seen.calls.append(delta | {"function": dict(delta["function"])})
                else:
                    seen.calls[delta["index"]]["function"]["arguments"] += delta["function"]["arguments"]
    except StackSpotError as error:
        seen.error = error
    return seen


def functions(seen: Seen) -> list[tuple[str, Any]]:
    return [(call["function"]["name"], json.loads(call["function"]["arguments"])) for call in seen.calls]


READ = [("read", {"path": "a"})]


class TestPlainAnswers:
    async def test_text_comes_through_unchanged(self) -> None:
        seen = await answer(Upstream(" Hi <tool_call> `x`\n\n"))
        assert (seen.text, seen.end.finish_reason, seen.end.usage) == (
            " Hi <tool_call> `x`\n\n",
            "stop",
            Usage(100, 10),
        )
        assert seen.end.extra == {"knowledge": [0]}

    async def test_thoughts_are_reasoning(self) -> None:
        seen = await answer(Upstream("<think>\nHm.\n</think>\n\nYes."))
        assert (seen.thoughts, seen.text) == ("Hm.", "Yes.")

    @pytest.mark.parametrize("end", ["", "</think>", "\n</think>\n\n"])
    @pytest.mark.parametrize("given", [{}, {"tools": TOOLS}])
    async def test_an_answer_of_nothing_but_reasoning_is_also_the_text(self, end: str, given: Any) -> None:
        seen = await answer(Upstream(f"<think>It is 42.{end}"), **given)
        assert (seen.thoughts, seen.text.strip(), seen.end.finish_reason) == ("It is 42.", "It is 42.", "stop")

    async def test_thoughts_that_the_template_opened(self) -> None:
        upstream = Upstream(f"Hm.\n{CALL}\n</think>\n\n{BROKEN}", f"Again.\n</think>\n\n{CALL}")
        seen = await run(upstream, prepare(USER, {"tools": TOOLS}, thinking_open=True))
        assert (seen.thoughts, seen.text, functions(seen)) == (f"Hm.\n{CALL}", "", READ)

    async def test_json_behind_a_thought_that_the_template_opened(self) -> None:
        upstream = Upstream('{"path": 1}</think>{"path": "a"}')
        seen = await run(upstream, prepare(USER, {"response_format": JSON_FORMAT}, thinking_open=True))
        assert (seen.thoughts, seen.text) == ('{"path": 1}', '{"path": "a"}')

    async def test_json_in_a_thought_that_never_ends(self) -> None:
        seen = await answer(Upstream('<think>So: {"path": "a"}'), response_format=JSON_FORMAT)
        assert json.loads(seen.text) == {"path": "a"}

    async def test_a_stream_without_an_end_is_an_error(self) -> None:
        async def broken_off(_: str) -> AsyncGenerator[Event]:
            yield Delta({"content": "Hi"})

        with pytest.raises(InvalidResponseError):
            [event async for event in emulate(prepare(USER, {}), broken_off)]

    async def test_a_caller_that_goes_away_closes_the_upstream_at_once(self) -> None:
        upstream = Upstream("Hi there, and more")
        events = emulate(prepare(USER, {}), upstream)
        await anext(events)
        await events.aclose()
        assert upstream.closed == [0]


class TestCalls:
    async def test_text_and_calls(self) -> None:
        seen = await answer(Upstream(f"I look.\n{CALL}\n{CALL}"), tools=TOOLS)
        assert (seen.text, functions(seen), seen.end.finish_reason) == ("I look.", READ * 2, "tool_calls")
        assert len({call["id"] for call in seen.calls}) == 2
        assert seen.end.usage == Usage(100, 10)

    async def test_long_arguments_come_in_pieces(self) -> None:
        planned = prepare(USER, {"tools": TOOLS})
        upstream = Upstream(CALL.replace('"a"', f'"{"x" * 20_000}"'))
        events = [event async for event in emulate(planned, upstream) if isinstance(event, Delta)]
        first, *rest = (event.fields["tool_calls"][0] for event in events)
        assert (first["function"], first["type"]) == ({"name": "read", "arguments": ""}, "function")
        assert len(rest) == 5
        assert all(piece.keys() == {"index", "function"} for piece in rest)

    async def test_the_legacy_interface(self) -> None:
        seen = await answer(Upstream(CALL), functions=[TOOLS[0]["function"]])
        assert seen.functions_api == {"name": "read", "arguments": '{"path": "a"}'}
        assert seen.end.finish_reason == "function_call"

    async def test_a_broken_call_is_corrected_unseen(self) -> None:
        upstream = Upstream(f"I look.\n{BROKEN} Done.", f"Sorry:\n{CALL}")
        seen = await answer(upstream, tools=TOOLS)
        assert (seen.text, functions(seen), seen.end.finish_reason) == ("I look.", READ, "tool_calls")
        assert seen.end.usage == Usage(200, 20)
        first, second = upstream.prompts
        assert second.startswith(first + "I look.\n" + BROKEN)
        assert "'path' is a required property" in second
        assert second.endswith(first[first.rindex("\n=== ASSISTANT ") :])

    async def test_a_correction_in_words_is_the_answer(self) -> None:
        seen = await answer(Upstream(f"I look.{BROKEN}", "No need to."), tools=TOOLS)
        assert (seen.text, seen.calls, seen.end.finish_reason) == ("I look.\n\nNo need to.", [], "stop")

    @pytest.mark.parametrize("second", [UNREADABLE, "", CALL[:40]])
    async def test_a_second_failure_is_an_error_and_no_broken_call(self, second: str) -> None:
        upstream = Upstream(f"I look.{UNREADABLE}", second, "never asked")
        seen = await answer(upstream, tools=TOOLS)
        assert isinstance(seen.error, InvalidResponseError)
        assert seen.error.final
        assert "called a tool in a way that cannot be used" in seen.error.message
        assert "way" not in seen.error.message.replace("in a way", "")
        assert seen.calls == []
        assert len(upstream.prompts) == 2

    @pytest.mark.parametrize("second", [UNREADABLE, "", CALL, CALL + UNREADABLE, RateLimitError("Too many.")])
    async def test_a_call_that_is_lost_beside_others_is_reported(self, second: Any) -> None:
        seen = await answer(Upstream(CALL + UNREADABLE, second), tools=TOOLS)
        assert (functions(seen), seen.end.finish_reason, seen.error) == (READ, "tool_calls", None)
        assert seen.text == "[A tool call was not made, as it could not be read.]"

    async def test_a_correction_in_words_is_emitted_beside_calls(self) -> None:
        seen = await answer(Upstream(f"I look. {CALL}{UNREADABLE}", f"{CALL}Never mind."), tools=TOOLS)
        assert (functions(seen), seen.text, seen.end.finish_reason) == (READ, "I look.\n\nNever mind.", "tool_calls")

    @pytest.mark.parametrize("second", [BROKEN, UNREADABLE, "", RateLimitError("Too many.")])
    @pytest.mark.parametrize("before", [CALL, ""])
    async def test_a_misfit_is_passed_on_when_it_cannot_be_corrected(self, before: str, second: Any) -> None:
        seen = await answer(Upstream(before + BROKEN, second, "never asked"), tools=TOOLS)
        misfit = [("read", {"way": "a"})]
        assert (functions(seen), seen.text) == (READ * bool(before) + misfit, "")
        assert (seen.end.finish_reason, seen.error) == ("tool_calls", None)

    async def test_the_misfit_of_the_correction_is_the_one_that_is_passed_on(self) -> None:
        seen = await answer(Upstream(BROKEN, BROKEN.replace('"a"', '"b"')), tools=TOOLS)
        assert functions(seen) == [("read", {"way": "b"})]

    async def test_a_strict_tool_gets_no_misfit(self) -> None:
        function: dict[str, Any] = {"name": "read", "parameters": SCHEMA, "strict": True}
        strict = [{"type": "function", "function": function}]
        seen = await answer(Upstream(BROKEN, BROKEN), tools=strict)
        assert isinstance(seen.error, InvalidResponseError)
        assert seen.error.final
        assert seen.calls == []

    @pytest.mark.parametrize("order", [0, 1])
    async def test_calls_that_were_passed_on_are_not_made_again(self, order: int) -> None:
        """A client that ran `append` twice would have written the line twice."""
        again = CALL.replace('{"path": "a"}', '{ "path":"a" }')
        other = CALL.replace('"a"', '"b"')
        upstream = Upstream(CALL + UNREADABLE, "".join([again, other] if order else [other, again]))
        seen = await answer(upstream, tools=TOOLS)
        assert functions(seen) == [*READ, ("read", {"path": "b"})]
        assert "calls before the invalid one have been made" in upstream.prompts[1]

    async def test_a_call_that_is_wanted_once_more_than_before_is_made_once_more(self) -> None:
        seen = await answer(Upstream(CALL + UNREADABLE, CALL + CALL), tools=TOOLS)
        assert functions(seen) == READ * 2

    async def test_no_more_is_asked_than_may_be(self) -> None:
        upstream = Upstream(UNREADABLE, "never asked")
        planned = prepare(USER, {"tools": TOOLS})
        with pytest.raises(InvalidResponseError, match="called a tool"):
            [event async for event in emulate(planned, lambda text: None if upstream.prompts else upstream(text))]

    async def test_what_the_upstream_raises_is_passed_on(self) -> None:
        seen = await answer(Upstream(UNREADABLE, RateLimitError("Too many.")), tools=TOOLS)
        assert isinstance(seen.error, RateLimitError)


class TestToolChoice:
    @pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "read"}}])
    async def test_a_demanded_call_that_is_missing_is_asked_for_once(self, choice: Any) -> None:
        upstream = Upstream("I could read it.", CALL)
        seen = await answer(upstream, tools=TOOLS, tool_choice=choice)
        assert (seen.text, functions(seen), seen.end.usage) == ("", READ, Usage(200, 20))
        assert "must call" in upstream.prompts[1]

    async def test_missing_again_it_is_an_error(self) -> None:
        seen = await answer(Upstream("No.", "No!"), tools=TOOLS, tool_choice="required")
        assert isinstance(seen.error, InvalidResponseError)
        assert (seen.text, seen.calls) == ("", [])

    async def test_text_beside_a_demanded_call(self) -> None:
        seen = await answer(Upstream(f"I look.\n{CALL}\nThen."), tools=TOOLS, tool_choice="required")
        assert (seen.text.split(), functions(seen)) == (["I", "look.", "Then."], READ)

    async def test_none_means_none(self) -> None:
        upstream = Upstream(CALL, "It says a.")
        seen = await answer(upstream, tools=TOOLS, tool_choice="none")
        assert (seen.text, seen.calls, seen.end.finish_reason) == ("It says a.", [], "stop")
        assert "Reads." not in upstream.prompts[0]

    async def test_one_call_at_a_time(self) -> None:
        seen = await answer(Upstream(CALL * 3), tools=TOOLS, parallel_tool_calls=False)
        assert functions(seen) == READ


class TestStructuredOutput:
    async def test_only_the_json_gets_out(self) -> None:
        seen = await answer(Upstream('Here:\n```json\n{"path": "a",}\n```'), response_format=JSON_FORMAT)
        assert (json.loads(seen.text), seen.end.finish_reason) == ({"path": "a"}, "stop")

    async def test_invalid_json_is_corrected_once(self) -> None:
        upstream = Upstream('{"way": 1}', '{"path": "a"}')
        seen = await answer(upstream, response_format=JSON_FORMAT)
        assert (json.loads(seen.text), seen.end.usage) == ({"path": "a"}, Usage(200, 20))
        assert upstream.prompts[1].count('"required":["path"]') == 2

    async def test_invalid_twice_is_an_error(self) -> None:
        seen = await answer(Upstream('{"way": 1}', "Sorry."), response_format=JSON_FORMAT)
        assert isinstance(seen.error, InvalidResponseError)
        assert seen.text == ""

    async def test_a_refusal_is_passed_on_when_it_stands(self) -> None:
        upstream = Upstream("I'm sorry, but I can't help with that.", "I'm sorry, but I can't help with that request.")
        seen = await answer(upstream, response_format=JSON_FORMAT)
        assert (seen.text, seen.refusal, seen.error) == ("", "I'm sorry, but I can't help with that request.", None)
        assert (seen.end.finish_reason, seen.end.usage) == ("stop", Usage(200, 20))

    async def test_a_refusal_is_taken_back(self) -> None:
        upstream = Upstream("I'm sorry, but I can't help with that.", '{"path": "a"}')
        seen = await answer(upstream, response_format=JSON_FORMAT)
        assert (json.loads(seen.text), seen.refusal) == ({"path": "a"}, "")

    async def test_a_call_is_as_good_an_answer(self) -> None:
        seen = await answer(Upstream(f"I look. {CALL}"), tools=TOOLS, response_format=JSON_FORMAT)
        assert (seen.text, functions(seen)) == ("", READ)

    async def test_with_tools_the_json_is_still_demanded(self) -> None:
        seen = await answer(Upstream(BROKEN, '{"path": "a"}'), tools=TOOLS, response_format=JSON_FORMAT)
        assert (json.loads(seen.text), seen.calls) == ({"path": "a"}, [])

    async def test_json_that_the_callers_limit_cuts_off_is_emitted_so_far(self) -> None:
        text = '{"path": "a b c d e f g h i j k l m n"}'
        upstream = Upstream(text)
        seen = await answer(upstream, response_format=JSON_FORMAT, max_tokens=5)
        assert (seen.end.finish_reason, seen.error) == ("length", None)
        assert seen.text
        assert text.startswith(seen.text)
        assert len(upstream.prompts) == 1


class TestLimits:
    async def test_stop_cuts_and_closes_the_upstream_at_once(self) -> None:
        upstream = Upstream("one two STOP three four five six seven", size=3)
        seen = await answer(upstream, stop="STOP")
        assert (seen.text, seen.end) == ("one two ", Finish("stop", extra={"stop_sequence": "STOP"}))
        assert upstream.closed == [0]
        assert upstream.sent == 4

    async def test_nothing_leaves_behind_a_stop_text(self) -> None:
        seen = await answer(Upstream(f"one STOP {CALL} two", size=1000), tools=TOOLS, stop="STOP")
        assert (seen.text, seen.calls, seen.end.finish_reason) == ("one ", [], "stop")

    async def test_the_beginning_of_a_stop_sequence_is_emitted_when_nothing_follows(self) -> None:
        assert (await answer(Upstream("one STO"), stop="STOP")).text == "one STO"

    async def test_stop_texts_do_not_cut_calls(self) -> None:
        seen = await answer(Upstream(f"I look {CALL}"), tools=TOOLS, stop=["path", "k "])
        assert (seen.text, functions(seen)) == ("I look", READ)

    async def test_max_tokens_cuts_and_closes_the_upstream_at_once(self) -> None:
        upstream = Upstream("one two three four five six seven eight nine ten " * 3)
        seen = await answer(upstream, max_tokens=4)
        assert (seen.text, seen.end.finish_reason) == ("one two three four", "length")
        assert upstream.closed == [0]

    async def test_in_place_of_a_demanded_call_max_tokens_leaves_the_text_so_far(self) -> None:
        upstream = Upstream("one two three four five six")
        seen = await answer(upstream, tools=TOOLS, tool_choice="required", max_tokens=4)
        assert (seen.text, seen.end.finish_reason, seen.error) == ("one two three four", "length", None)
        assert len(upstream.prompts) == 1

    async def test_max_tokens_within_a_thought(self) -> None:
        seen = await answer(Upstream("<think>one two three four five six"), max_tokens=6)
        assert (seen.text, seen.end.finish_reason) == ("", "length")
        assert seen.thoughts

    async def test_a_call_that_max_tokens_cuts_off_is_not_made_and_not_corrected(self) -> None:
        upstream = Upstream(f"I look. {CALL}")
        seen = await answer(upstream, tools=TOOLS, max_tokens=12)
        assert (seen.text, seen.calls, seen.end.finish_reason) == ("I look.", [], "length")
        assert len(upstream.prompts) == 1


class TestPrepare:
    def test_a_lone_message_stays_as_it_is(self) -> None:
        assert prepare(USER, {"temperature": 0.5, "max_tokens": 5, "stop": "x"}).prompt == "Go"

    def test_tools_and_format_are_described_together(self) -> None:
        prompt = prepare(USER, {"tools": TOOLS, "response_format": JSON_FORMAT}).prompt
        assert prompt.index("=== TOOLS ") < prompt.index("=== USER ") < prompt.index("=== FORMAT ")
        assert "If you call no tool: Answer with JSON" in prompt

    def test_mistakes_are_bad_requests(self) -> None:
        with pytest.raises(BadRequestError):
            prepare([], {})


FRAGMENTS = ["a ", "STOP", "ST", "\n", "<tool_call>", "</tool_call>", CALL, BROKEN, "```", '{"path": "x"}', "<think>"]
answers = st.lists(st.sampled_from(FRAGMENTS), max_size=6).map("".join)
parameters: Sequence[Callable[[], dict[str, Any]]] = (
    lambda: {"tools": TOOLS},
    lambda: {"tools": TOOLS, "tool_choice": "required", "stop": ["STOP"]},
    lambda: {"tools": TOOLS, "tool_choice": "none"},
    lambda: {"tools": TOOLS, "response_format": JSON_FORMAT},
    lambda: {"response_format": JSON_FORMAT},
    lambda: {"stop": ["STOP"]},
)


class TestAnything:
    @given(answers, answers, st.integers(1, 9), st.sampled_from(parameters))
    async def test_the_pieces_make_no_difference_and_only_usable_answers_leave(
        self, one: str, two: str, size: int, given: Callable[[], dict[str, Any]]
    ) -> None:
        split, whole = [
            await answer(Upstream(one, two, size=pieces), **given()) for pieces in (size, max(len(one + two), 1))
        ]
        assert (split.text, functions(split), split.end.finish_reason) == (
            whole.text,
            functions(whole),
            whole.end.finish_reason,
        )
        assert type(split.error) is type(whole.error)
        assert isinstance(split.error, InvalidResponseError | None)
        if not split.error:
            wanted = given()
            assert all(name == "read" and arguments.keys() & {"path", "way"} for name, arguments in functions(split))
            assert (split.end.finish_reason == "tool_calls") == bool(split.calls)
            if wanted.get("tool_choice") == "required":
                assert split.calls
            if "response_format" in wanted and not (split.calls or split.refusal) and split.end.finish_reason == "stop":
                assert "path" in json.loads(split.text)


class TestNothing:
    """An answer that holds nothing but an invented turn."""

    INVENTED = "=== USER ===\nThanks!"

    async def test_it_is_corrected(self) -> None:
        upstream = Upstream(self.INVENTED, "Done.")
        seen = await answer(upstream, messages=[*USER, {"role": "assistant", "content": "Hm."}, *USER])
        assert (seen.text, seen.end.finish_reason, len(upstream.prompts)) == ("Done.", "stop", 2)

    async def test_it_is_never_an_empty_answer(self) -> None:
        seen = await answer(Upstream(self.INVENTED, self.INVENTED), tools=TOOLS)
        assert isinstance(seen.error, InvalidResponseError)


class TestNamesThatAreShownDifferently:
    async def test_a_strict_tool_stays_strict_under_its_own_name(self) -> None:
        tool = {"name": "read\nfile", "parameters": SCHEMA, "strict": True}
        broken = BROKEN.replace('"read"', '"read file"')
        seen = await answer(Upstream(broken, broken), tools=[{"type": "function", "function": tool}])
        assert isinstance(seen.error, InvalidResponseError)
