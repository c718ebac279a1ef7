"""What becomes of the kinds of content, and of what is none."""

from typing import Any

import pytest

from custom_handlers.core.errors import BadRequestError
from custom_handlers.emulation.prompt import file_parts, render
from tests.unit.custom_handlers.emulation.prompt.messages import IMAGE, assistant, sections, titles, user


class TestContent:
    @pytest.mark.parametrize(
        ("content", "text"),
        [
            (["one", {"type": "text", "text": "two"}, {"type": "input_text", "text": "three"}], "one\ntwo\nthree"),
            ([{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "said"}], "said"),
            ([{"type": "redacted_thinking", "data": "x"}, {"type": "text", "text": "said"}], "said"),
            ([{"type": "refusal", "refusal": "No."}], "No."),
            ("lone \ud83d and paired \U0001f600 and split \ud83d\ude00", "lone � and paired 😀 and split 😀"),
        ],
    )
    def test_text(self, content: Any, text: str) -> None:
        assert render([user(content)]) == text

    def test_a_refusal_beside_the_content_is_kept(self) -> None:
        prompt = render([user("Hi"), assistant(None, refusal="No."), user("Why?")])
        assert ("ASSISTANT", "No.\n\n") in sections(prompt)

    def test_messages_without_text_leave_no_mark(self) -> None:
        prompt = render([user("Hi"), assistant(None), {"role": "assistant"}, assistant(""), user("There")])
        assert titles(prompt) == ["USER", "USER", "FORMAT", "ASSISTANT"]

    @pytest.mark.parametrize("kind", ["image_url", "image", "input_audio", "file"])
    def test_files_are_refused_and_the_place_is_named(self, kind: str) -> None:
        with pytest.raises(BadRequestError, match=f"`messages\\[1\\].content\\[1\\]`.*`{kind}`.*text only") as refused:
            render([user("a"), user([{"type": "text", "text": "b"}, {"type": kind}])])
        assert refused.value.param == "messages[1].content[1]"

    def test_a_file_that_was_uploaded_leaves_its_note(self) -> None:
        messages = [user([{"type": "text", "text": "What is this?"}, IMAGE])]
        assert [(i, j) for i, j, _ in file_parts(messages)] == [(0, 1)]
        assert render(messages, attachments={(0, 1): "[image: upload 1]"}) == "What is this?\n[image: upload 1]"

    @pytest.mark.parametrize(
        ("messages", "place"),
        [
            ([], "messages"),
            ("hi", "messages"),
            ({"role": "user"}, "messages"),
            (["hi"], r"messages\[0\]"),
            ([user("hi"), {"content": "x"}], r"messages\[1\].role"),
            ([{"role": "robot", "content": "x"}], r"messages\[0\].role"),
            ([{"role": ["user"], "content": "x"}], r"messages\[0\].role"),
            ([user(3)], r"messages\[0\].content"),
            ([user([3])], r"messages\[0\].content\[0\]"),
            ([user([{"type": "text"}])], r"messages\[0\].content\[0\]"),
            ([user([{"type": ["text"]}])], r"messages\[0\].content\[0\]"),
            ([user([{"type": "text", "text": 5}])], r"messages\[0\].content\[0\]"),
            ([user([{"text": "no type"}])], r"messages\[0\].content\[0\]"),
            ([{"role": "system", "content": [{"type": "resource_link", "uri": "a"}]}], r"messages\[0\].content\[0\]"),
            (
                [user([{"type": "document", "source": {"type": "base64", "data": "AA=="}}])],
                r"messages\[0\].content\[0\]",
            ),
            ([user(" \n\t"), assistant(None)], "messages"),
            ([user("a"), assistant(None, tool_calls={"a": 1})], r"messages\[1\].tool_calls"),
            ([user("a"), assistant(None, tool_calls=[{"id": "x"}])], r"messages\[1\].tool_calls\[0\]"),
            ([user("a"), assistant(None, function_call="f")], r"messages\[1\].function_call"),
        ],
    )
    def test_mistakes_are_named(self, messages: Any, place: str) -> None:
        with pytest.raises(BadRequestError, match=f"`{place}`"):
            render(messages)
