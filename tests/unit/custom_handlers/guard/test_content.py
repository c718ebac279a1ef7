"""Parts of messages and results as what LiteLLM passes on."""

from typing import Any

from custom_handlers.guard import content
from custom_handlers.guard.spoken import spoken


def told(value: Any) -> str:
    result = content.result(value, lambda _: None)
    assert isinstance(result, str)
    return result


def test_lists_in_lists_are_one_list_up_to_a_depth() -> None:
    nested: Any = "bottom"
    for _ in range(5):
        nested = [nested]
    assert told(["top", nested]) == "top\nbottom"
    for _ in range(5000):
        nested = [nested]
    assert "nested too deep" in told(nested)


def test_objects_in_objects_end_somewhere() -> None:
    part: Any = {"type": "text", "text": "bottom"}
    for _ in range(5000):
        part = {"type": "content", "content": part}
    assert "nested too deep" in told([part])


def test_files_and_what_a_vendor_encrypted_are_not_shown() -> None:
    secret = "x" * 5000
    parts = [
        {"type": "hologram", "data": secret, "name": "kept"},
        {"type": "web_search_result", "url": "https://u", "encrypted_content": secret},
        {"type": "deep", "inside": [{"encrypted_content": secret, "also": "told"}]},
    ]
    text = told(parts)
    assert secret not in text
    for word in ("kept", "https://u", "told"):
        assert word in text


def test_thoughts_are_not_spoken() -> None:
    parts = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Yes."}]
    assert spoken(parts, "content") == [{"type": "text", "text": "Yes."}]


def test_what_the_handler_can_upload_stays_a_file() -> None:
    url = "data:image/png;base64,aGk="
    for part in (
        {"type": "image_url", "image_url": {"url": url}},
        {"type": "input_image", "image_url": url},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}},
        {"type": "image", "data": "aGk=", "mimeType": "image/png"},
    ):
        assert spoken([part], "content") == [{"type": "image_url", "image_url": {"url": url}}]
