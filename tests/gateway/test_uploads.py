"""Images and files through the proxy: StackSpot's form and storage, or a clear refusal."""

import base64
from typing import Any

import pytest

from simulator.client import Simulator
from tests.gateway.calling import CHAT, MESSAGES, RESPONSES, Caller
from tests.gateway.conftest import PRIVATE
from tests.gateway.remote import PICTURE
from tests.harness import Account

streamed_and_not = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])

ENCODED = base64.b64encode(PICTURE).decode()
PNG, PDF = f"data:image/png;base64,{ENCODED}", f"data:application/pdf;base64,{ENCODED}"
CALL = {"id": "c1", "type": "function", "function": {"name": "shoot", "arguments": "{}"}}


def image(address: Any) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": address}}


def source(**fields: str) -> dict[str, Any]:
    return {"type": "base64", "media_type": "image/png", "data": ENCODED, **fields}


def asked(route: str, *parts: dict[str, Any]) -> list[dict[str, Any]]:
    text = {"type": "input_text" if route == RESPONSES else "text", "text": "What is this?"}
    return [{"role": "user", "content": [text, *parts]}]


# How each API writes a file, and the name under which it is to be stored.
FORMS: dict[str, tuple[str, dict[str, Any], str]] = {
    "image_url": (CHAT, image(PNG), "file-1.png"),
    "image_url as a string": (CHAT, {"type": "image_url", "image_url": PNG}, "file-1.png"),
    "more in the head": (CHAT, image(f"DATA:image/svg+xml;charset=utf-8;base64,{ENCODED}"), "file-1.svg"),
    "line ends": (CHAT, image(f"data:image/png;base64,{ENCODED[:76]}\r\n{ENCODED[76:]}\n"), "file-1.png"),
    "no media type": (CHAT, image(f"data:;base64,{ENCODED}"), "file-1.bin"),
    "file": (CHAT, {"type": "file", "file": {"file_data": PDF, "filename": "plan.pdf"}}, "plan.pdf"),
    "file without a head": (CHAT, {"type": "file", "file": {"file_data": ENCODED, "filename": "a.pdf"}}, "a.pdf"),
    "file without a name": (CHAT, {"type": "file", "file": {"file_data": PDF}}, "file-1.pdf"),
    "file with a strange name": (
        CHAT,
        {"type": "file", "file": {"file_data": PDF, "filename": '../ä"\r\nX: y/план.pdf'}},
        ".._ä_X_y_план.pdf",
    ),
    "Anthropic image": (MESSAGES, {"type": "image", "source": source()}, "file-1.png"),
    "Anthropic document": (
        MESSAGES,
        {"type": "document", "source": source(media_type="application/pdf")},
        "file-1.pdf",
    ),
    "input_image": (RESPONSES, {"type": "input_image", "image_url": PNG, "detail": "auto"}, "file-1.png"),
    "input_file": (RESPONSES, {"type": "input_file", "file_data": PDF, "filename": "plan.pdf"}, "plan.pdf"),
}


@streamed_and_not
@pytest.mark.parametrize("form", FORMS)
def test_a_file_goes_through_form_and_storage(
    extra_caller: Caller, simulator: Simulator, account: Account, form: str, stream: bool
) -> None:
    route, part, name = FORMS[form]
    reply = extra_caller.ask(route, prompt=asked(route, part), stream=stream)
    assert (reply.status, reply.failure) == (200, None)
    (upload,) = simulator.uploads()
    assert (upload["file_name"], upload["target_type"]) == (name, "CONTEXT")
    assert simulator.uploaded(upload["id"]) == PICTURE
    (chat,) = simulator.requests("/v1/agent/")
    assert chat["body"]["upload_ids"] == [upload["id"]]
    assert chat["body"]["user_prompt"] == f"What is this?\n[attached file: {name}]"
    (form_call,) = simulator.requests("/file-upload/form")
    (stored,) = simulator.requests("/storage")
    assert form_call["headers"]["authorization"].startswith("Bearer ")
    assert "authorization" not in stored["headers"]
    assert account.client_secret not in str(stored)


def test_several_files_keep_their_order_and_places(extra_caller: Caller, simulator: Simulator) -> None:
    parts = [image(PNG), {"type": "text", "text": "and"}, image(PDF)]
    assert extra_caller.ask(prompt=asked(CHAT, *parts)).status == 200
    (chat,) = simulator.requests("/v1/agent/")
    assert chat["body"]["upload_ids"] == [upload["id"] for upload in simulator.uploads()]
    assert chat["body"]["user_prompt"].splitlines()[1:] == [
        "[attached file: file-1.png]",
        "and",
        "[attached file: file-2.pdf]",
    ]


def result_with_an_image(route: str, address: str) -> list[dict[str, Any]]:
    """A conversation in which a tool answered with an image."""
    text = {"type": "input_text" if route == RESPONSES else "text", "text": "Here it is."}
    match route:
        case "chat":
            made: list[dict[str, Any]] = [{"role": "assistant", "content": None, "tool_calls": [CALL]}]
            made.append({"role": "tool", "tool_call_id": "c1", "content": [text, image(address)]})
        case "messages":
            picture = {"type": "image", "source": source(data=address.partition(",")[2])}
            result = {"type": "tool_result", "tool_use_id": "c1", "content": [text, picture]}
            made = [{"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "shoot", "input": {}}]}]
            made.append({"role": "user", "content": [result]})
        case _:
            made = [{"type": "function_call", "call_id": "c1", "name": "shoot", "arguments": "{}"}]
            output = [text, {"type": "input_image", "image_url": address}]
            made.append({"type": "function_call_output", "call_id": "c1", "output": output})
    return [{"role": "user", "content": "Look."}, *made]


@streamed_and_not
@pytest.mark.parametrize("route", [CHAT, MESSAGES, RESPONSES])
def test_an_image_in_a_tool_s_result_is_uploaded(
    extra_caller: Caller, simulator: Simulator, route: str, stream: bool
) -> None:
    reply = extra_caller.ask(route, prompt=result_with_an_image(route, PNG), stream=stream)
    assert (reply.status, reply.failure) == (200, None)
    (upload,) = simulator.uploads()
    assert simulator.uploaded(upload["id"]) == PICTURE
    (chat,) = simulator.requests("/v1/agent/")
    assert chat["body"]["upload_ids"] == [upload["id"]]
    assert "Here it is.\n[attached file: file-1.png]\n</tool_response>" in chat["body"]["user_prompt"]


@streamed_and_not
@pytest.mark.parametrize("route", [CHAT, MESSAGES, RESPONSES])
def test_without_uploads_an_image_in_a_tool_s_result_leaves_a_note(
    caller: Caller, simulator: Simulator, route: str, stream: bool
) -> None:
    """A coding agent cannot take it back: with an error its work would be over."""
    reply = caller.ask(route, prompt=result_with_an_image(route, PNG), stream=stream)
    assert (reply.status, reply.failure) == (200, None)
    (chat,) = simulator.requests("/v1/agent/")
    assert "upload_ids" not in chat["body"]
    assert "Here it is.\n[image_url left out: this model reads text only]" in chat["body"]["user_prompt"]


@streamed_and_not
@pytest.mark.parametrize("form", ["image_url", "file", "Anthropic image", "input_image", "input_file"])
def test_without_uploads_a_file_is_refused_by_its_place(
    caller: Caller, simulator: Simulator, form: str, stream: bool
) -> None:
    route, part, _ = FORMS[form]
    reply = caller.ask(route, prompt=asked(route, part), stream=stream)
    failure = reply.failure
    assert failure is not None
    assert "`messages[0].content[1]` is a file: this gateway takes text only" in failure.message
    assert "STACKSPOT_UPLOADS" in failure.message
    if not reply.streamed:
        assert reply.status == 400
    assert simulator.requests() == []


LARGE = "data:image/png;base64," + base64.b64encode(b"\0" * (10 * 1024 * 1024 + 1)).decode()
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "not base64": (image("data:image/png;base64,@@@@"), "not a data URL with base64"),
    "half of base64": (image("data:image/png;base64,abcde"), "not a data URL with base64"),
    "base64 of other letters": (image("data:image/png;base64,żółć"), "not a data URL with base64"),
    "nothing": (image("data:image/png;base64,"), "not a data URL with base64"),
    "not encoded": (image("data:text/plain,hello"), "not a data URL with base64"),
    "another scheme": (image("ftp://example.com/a.png"), "not a data URL with base64"),
    "a file of the gateway's": (image("file:///etc/passwd"), "not a data URL with base64"),
    "no address": (image("a picture of a cat"), "not a data URL with base64"),
    "an object": (image({"a": 1}), "holds no data URL"),
    "a null": ({"type": "image_url", "image_url": None}, "holds no data URL"),
    "an uploaded file's id": ({"type": "file", "file": {"file_id": "file-abc"}}, "not a data URL with base64"),
    "sound": ({"type": "input_audio", "input_audio": {"data": ENCODED, "format": "wav"}}, "holds no data URL"),
    "too large": (image(LARGE), "larger than StackSpot's limit of 10 MB"),
}


@pytest.mark.parametrize("form", BAD)
def test_what_cannot_be_a_file_is_refused(extra_caller: Caller, simulator: Simulator, form: str) -> None:
    part, told = BAD[form]
    reply = extra_caller.ask(prompt=asked(CHAT, part), stream=form == "nothing")
    failure = reply.failure
    assert failure is not None
    assert (reply.status, failure.param) == (400, "messages[0].content[1]")
    assert told in failure.message
    assert simulator.requests() == []


def test_the_largest_file_is_taken(extra_caller: Caller, simulator: Simulator) -> None:
    content = b"\1" * (10 * 1024 * 1024)
    address = f"data:image/png;base64,{base64.b64encode(content).decode()}"
    assert extra_caller.ask(prompt=asked(CHAT, image(address))).status == 200
    (upload,) = simulator.uploads()
    assert upload["bytes"] == len(content)


@streamed_and_not
@pytest.mark.parametrize("target", ["uploads", "storage"])
@pytest.mark.parametrize(
    ("faults", "status", "told"),
    [
        (
            {"status": 400, "body": PRIVATE},
            {"uploads": 400, "storage": 502},
            ("refused the request", "storage refused"),
        ),
        ({"status": 403, "body": PRIVATE}, {"uploads": 502, "storage": 502}, ("enterprise", "storage refused")),
        ({"status": 401, "body": PRIVATE}, {"uploads": 502, "storage": 502}, ("credentials", "storage refused")),
        ({"status": 429, "retry_after": "3000"}, {"uploads": 429, "storage": 429}, ("limit", "limit")),
        (
            {"status": 503, "retry_after": "3000", "body": PRIVATE},
            {"uploads": 503, "storage": 503},
            ("not av", "not av"),
        ),
        ({"status": 418, "body": PRIVATE}, {"uploads": 502, "storage": 502}, ("HTTP 418", "HTTP 418")),
        ({"redirect": "http://127.0.0.1:9/"}, {"uploads": 502, "storage": 502}, ("redirect", "redirect")),
    ],
    ids=lambda value: str(value.get("status", "redirect")) if isinstance(value, dict) else "",
)
def test_a_failed_upload_has_the_status_that_it_deserves(
    extra_caller: Caller,
    simulator: Simulator,
    target: str,
    faults: dict[str, Any],
    status: dict[str, int],
    told: tuple[str, str],
    stream: bool,
) -> None:
    simulator.faults(target=target, **faults)
    reply = extra_caller.ask(prompt=asked(CHAT, image(PNG)), stream=stream)
    failure = reply.failure
    assert failure is not None
    assert reply.status == status[target]
    assert told[target == "storage"] in failure.message
    assert simulator.requests("/v1/agent/") == []


def test_a_form_that_cannot_be_read(extra_caller: Caller, simulator: Simulator) -> None:
    simulator.faults(target="uploads", status=200, body={"id": 1, "url": PRIVATE})
    reply = extra_caller.ask(prompt=asked(CHAT, image(PNG)))
    assert reply.status == 502
    assert "upload form cannot be read" in reply.raw


def test_a_token_that_ended_is_renewed_once_for_an_upload(extra_caller: Caller, simulator: Simulator) -> None:
    extra_caller.ask()
    simulator.revoke_tokens()
    simulator.clear()
    assert extra_caller.ask(prompt=asked(CHAT, image(PNG))).status == 200
    assert len(simulator.requests("/oidc/")) == 1
    assert [record["status"] for record in simulator.requests("/file-upload/form")] == [401, 200]
    assert len(simulator.requests("/v1/agent/")) == 1
