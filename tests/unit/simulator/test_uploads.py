"""Files: the form, and the storage that is strict about it (reference, section 8)."""

from typing import Any

import httpx
import pytest

from simulator.client import Simulator, SimulatorError
from simulator.identifiers import is_ulid
from tests.unit.simulator.calling import Caller

ASKED = {"file_name": "notes.txt", "target_type": "CONTEXT", "expiration": 60}


def ask_form(caller: Caller, **changes: Any) -> httpx.Response:
    body = {name: value for name, value in {**ASKED, **changes}.items() if value is not None}
    return caller.http.post(f"{caller.url}/v2/file-upload/form", json=body, headers=caller.bearer)


def store(caller: Caller, form: dict[str, Any], parts: list[tuple[str, str]], **headers: str) -> httpx.Response:
    """Send `parts` in exactly this order, the one called file as a file."""
    lines = []
    for name, value in parts:
        filename = '; filename="notes.txt"\r\nContent-Type: text/plain' if name == "file" else ""
        lines.append(f'--edge\r\nContent-Disposition: form-data; name="{name}"{filename}\r\n\r\n{value}\r\n')
    content_type = {"Content-Type": "multipart/form-data; boundary=edge"}
    body = "".join([*lines, "--edge--\r\n"]).encode()
    return caller.http.post(form["url"], content=body, headers={**content_type, **headers})


def test_a_stored_file_can_be_used(simulator: Simulator, caller: Caller) -> None:
    form = ask_form(caller).json()
    assert is_ulid(form["id"])
    assert form["form"].keys() == {
        "key",
        "x-amz-algorithm",
        "x-amz-credential",
        "x-amz-date",
        "x-amz-security-token",
        "policy",
        "x-amz-signature",
    }
    response = caller.http.post(form["url"], data=form["form"], files={"file": ("notes.txt", b"\x00bytes")})
    assert (response.status_code, response.content) == (204, b"")
    assert simulator.uploaded(form["id"]) == b"\x00bytes"
    [upload] = simulator.uploads()
    assert upload["file_name"] == "notes.txt"
    assert (upload["stored"], upload["bytes"]) == (True, 6)
    assert caller.chat(upload_ids=[form["id"]]).status_code == 200
    assert simulator.requests("storage")[0]["body"][-1] == {"name": "file", "filename": "notes.txt", "bytes": 6}


def test_unknown_and_unfinished_uploads_are_refused(simulator: Simulator, caller: Caller) -> None:
    form = ask_form(caller).json()
    for upload_id in (form["id"], "01J0000000000000000000N0NE"):
        response = caller.chat(upload_ids=[upload_id])
        assert (response.status_code, response.json()["type"]) == (400, "BadRequestError")
    with pytest.raises(SimulatorError, match="No such file"):
        simulator.uploaded(form["id"])


def test_the_storage_wants_every_field_first_and_the_file_last(simulator: Simulator, caller: Caller) -> None:
    form = ask_form(caller).json()
    fields = list(form["form"].items())
    file = ("file", "text")
    assert store(caller, form, [*fields, file]).status_code == 204
    assert store(caller, form, [file, *fields]).status_code == 403
    assert store(caller, form, [*fields[:-1], file]).status_code == 403
    assert store(caller, form, [*fields[:-1], (fields[-1][0], "changed"), file]).status_code == 403
    assert store(caller, form, [*fields, ("upload", "text")]).status_code == 403
    missing = store(caller, form, fields)
    assert (missing.status_code, missing.headers["content-type"]) == (400, "application/xml; charset=utf-8")


def test_the_storage_wants_no_bearer_and_a_length(simulator: Simulator, caller: Caller) -> None:
    form = ask_form(caller).json()
    parts = [*form["form"].items(), ("file", "text")]
    assert store(caller, form, parts, **caller.bearer).status_code == 400
    chunks = caller.http.post(form["url"], content=iter([b"x"]), headers={"Content-Type": "multipart/form-data"})
    assert chunks.status_code == 411
    assert caller.http.post(form["url"], json=form["form"]).status_code == 412


@pytest.mark.parametrize(
    "changes",
    [{"file_name": None}, {"file_name": ""}, {"target_type": "ELSEWHERE"}, {"target_type": "KNOWLEDGE_SOURCE"}],
)
def test_a_malformed_request_for_a_form(caller: Caller, changes: dict[str, Any]) -> None:
    assert ask_form(caller, **changes).status_code == 422


def test_a_form_needs_a_bearer(caller: Caller) -> None:
    assert caller.http.post(f"{caller.url}/v2/file-upload/form", json=ASKED).status_code == 401


def test_each_step_can_fail(simulator: Simulator, caller: Caller) -> None:
    form = ask_form(caller).json()
    simulator.faults(target="uploads", status=500)
    simulator.faults(target="storage", status=503, body="<Error/>", content_type="application/xml")
    assert ask_form(caller).status_code == 500
    assert store(caller, form, [*form["form"].items(), ("file", "x")]).text == "<Error/>"
    simulator.no_faults("storage")
    assert store(caller, form, [*form["form"].items(), ("file", "x")]).status_code == 204


def test_one_account_s_steps_can_fail_alone(simulator: Simulator, caller: Caller) -> None:
    simulator.add_account("globex", "an other", "its key")
    form = ask_form(caller).json()
    parts = [*form["form"].items(), ("file", "x")]
    simulator.faults(target="uploads@an other", status=500)
    simulator.faults(target="storage@an other", status=500)
    assert (ask_form(caller).status_code, store(caller, form, parts).status_code) == (200, 204)
    simulator.faults(target=f"uploads@{caller.account.client_id}", status=500)
    simulator.faults(target=f"storage@{caller.account.client_id}", status=503)
    assert (ask_form(caller).status_code, store(caller, form, parts).status_code) == (500, 503)
    with pytest.raises(SimulatorError, match="not for uploads@nobody"):
        simulator.faults(target="uploads@nobody", status=500)
