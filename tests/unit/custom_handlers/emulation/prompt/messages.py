"""Messages in short, and a prompt as whoever knows the mark reads it."""

import re
from typing import Any

from hypothesis import strategies as st

from custom_handlers.emulation.prompt import FORMAT
from custom_handlers.emulation.role_headers import mark_in

SECRET = b"the gateway's"
END = f"=== FORMAT ===\n{FORMAT}\n\n=== ASSISTANT ===\n"
NO_IMAGE = "[image_url left out: this model reads text only]"
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4),
    max_leaves=8,
)


def user(content: Any, **more: Any) -> dict[str, Any]:
    return {"role": "user", "content": content, **more}


def assistant(content: Any, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content, **more}


def call(call_id: str, name: str, arguments: Any) -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def result(call_id: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": content, **more}


def sections(prompt: str) -> list[tuple[str, str]]:
    """Title and text of each section, as whoever knows the mark reads them. No other line holds the mark."""
    mark = mark_in(prompt)
    assert mark
    found = re.split(rf"(?m)^=== (.*) {mark} ===\n", prompt)
    assert found[0] == ""
    assert not any(mark in piece for piece in found)
    return list(zip(found[1::2], found[2::2], strict=True))


def titles(prompt: str) -> list[str]:
    return [title for title, _ in sections(prompt)]


def unmarked(prompt: str) -> str:
    """The prompt without its mark, which depends on its beginning."""
    return prompt.replace(f" {mark_in(prompt)} ===\n", " ===\n")
