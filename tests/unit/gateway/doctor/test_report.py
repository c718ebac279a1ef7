"""`doctor --report`: every fact that the reference is not sure of, seen on the simulator, and nothing that was said."""

import re
from pathlib import Path
from typing import Any

import pytest

from gateway import cli
from gateway.doctor.report.facts import FACTS, KEYCLOAK
from gateway.doctor.report.shapes import HIDDEN, Shapes, media_type
from gateway.doctor.report.unseen import UNSEEN
from simulator.client import Simulator
from tests.harness import AGENTS, ROOT, Account
from tests.sampling import every
from tests.unit.gateway.doctor.conftest import Doctor

_SENTENCE = re.compile(r"\((?:[^()]*; ?)?(?:[DM] )?[CG]\b[^()]*\)")


def unsure() -> list[tuple[str, str]]:
    """Section and text of each row and each line of the reference that is marked with C or G."""
    found, section, column = [], "", None
    text = (ROOT / "docs" / "stackspot-api.md").read_text().partition("\n## Sources")[0]
    for line in text.splitlines():
        if title := re.match(r"#{2,3} (\d+(?:\.\d+)?)\.? ", line):
            section = title[1]
        if not section:
            continue  # the table that explains the marks
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            column = None
            found += [(section, line)] * bool(_SENTENCE.search(line))
        elif "Mark" in cells:
            column = cells.index("Mark")
        elif column is not None and re.search(r"\b[CG]\b", cells[column]):
            found.append((section, cells[0]))
    return found


def test_no_fact_is_forgotten() -> None:
    marked = unsure()
    assert len(marked) > 40
    told = [(each.section, each.row) for each in (*FACTS, *UNSEEN)]
    for section, text in marked:
        assert [row for where, row in told if where == section and row in text], (section, text)
    for where, row in told:
        assert [text for section, text in marked if section == where and row in text], (where, row)
    assert len(told) == len(marked)


@pytest.fixture
def seen(doctor: Doctor, tmp_path: Path) -> Any:
    """Runs `doctor --report`; what was seen of each fact, by section and the beginning of its sentence."""

    def run(section: str, words: str, **environ: str) -> str:
        file = tmp_path / "wire.md"
        file.unlink(missing_ok=True)
        doctor("--report", str(file), **environ)
        rows = re.findall(r"^\| ([\d.]+) \| (.+?) \| (.+?) \|$", file.read_text(), re.MULTILINE)
        [found] = [told for where, sentence, told in rows if where == section and words in sentence]
        return str(found)

    return run


def test_the_simulator_is_as_the_reference(doctor: Doctor, simulator: Simulator, tmp_path: Path) -> None:
    file = tmp_path / "wire.md"
    found = doctor("--report", str(file))
    outcome, message, _ = found.told("report")
    assert (outcome, message.startswith(f"written to {file}: ")) == ("ok", True)
    text = file.read_text()
    different = re.findall(r"^\| ([\d.]+) \| (.+?) \| different", text, re.MULTILINE)
    assert different == [
        ("1", "GET /v1/llm/models answers with JSON"),  # the gateway never asks, so the simulator has none
        ("2.1", f"the token's answer has {', '.join(KEYCLOAK)}"),  # the simulator gives no refresh token
        ("2.3", "404 for an agent that does not exist"),  # a client's mapping; 403 was measured
    ]
    for words in ("### stream", "tokens: {input: number, output: number}", "access_token: text", "- delta: {message: "):
        assert words in text
    assert len(simulator.requests("/chat")) == len(AGENTS) + 5


@pytest.mark.parametrize(
    ("fault", "section", "words", "told"),
    every(
        3,
        [
            ({"line_end": "lf"}, "5.1", "CRLF", "different: CRLF 0, LF "),
            ({"line_end": "cr"}, "5.1", "CRLF", "different: CRLF 0, LF 0, CR "),
            ({"comments": True}, "5.1", "no comments", "different: "),
            ({"stream_content_type": "text/plain"}, "5.1", "text/event-stream", "different: text/plain"),
            ({"json_instead": True}, "5.1", "in place of a stream", "confirmed: HTTP 200, application/json"),
            ({"final_object": False}, "5.3", "final object", "confirmed"),
            ({"break_after": 2}, "5.3", "break in the middle", "confirmed: RemoteProtocolError"),
            ({"non_json": True}, "5.3", "no JSON", "confirmed"),
            ({"non_text": True}, "5.3", "no JSON", "confirmed"),
            ({"error_after": 1, "error_form": "event"}, "5.3", "errors in a stream", "confirmed"),
            ({"error_after": 1}, "5.3", "errors in a stream", "confirmed"),
            ({"cumulative": True}, "5.3", "repeat", "confirmed"),
            ({"usage_as_strings": True}, "6", "numbers as text", "confirmed: input: text that is a number"),
            (
                {"status": 401, "body": {"error": "x"}},
                "7",
                "401",
                "different: HTTP 401, application/json, {error: text}",
            ),
            ({"status": 404}, "7", "404", "not seen"),
            ({"status": 400, "body": "no"}, "7", "422", "different: HTTP 400, text/plain, no JSON"),
            ({"html": True}, "7", "5xx", "confirmed: HTTP 502, text/html, no JSON"),
        ],
    ),
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_what_differs_is_told(
    seen: Any, simulator: Simulator, fault: dict[str, Any], section: str, words: str, told: str
) -> None:
    simulator.rule("One, two, three, four, five, six, seven.", pattern=".")
    simulator.faults(**fault, target=AGENTS["stackspot-ai-chat"])
    assert seen(section, words).startswith(told)


@pytest.mark.parametrize(
    ("fault", "section", "words", "told"),
    [
        (
            {"status": 200, "body": {"access_token": "t", "expires_in": 1, "extra": 2}},
            "2.1",
            "has acc",
            "different: lac",
        ),
        ({"status": 403, "body": "no"}, "2.3", "unknown client", "different: HTTP 403, text/plain, no JSON"),
    ],
)
def test_a_token_endpoint_that_differs(
    seen: Any, simulator: Simulator, fault: dict[str, Any], section: str, words: str, told: str
) -> None:
    simulator.faults(**fault, target="token")
    assert seen(section, words).startswith(told)


def test_nothing_private_is_in_the_file(doctor: Doctor, simulator: Simulator, account: Account, tmp_path: Path) -> None:
    """Markers wherever a server can put a text: body, names of fields and headers, types."""
    marker = "MarkerWords"
    body = {
        "message": f"{marker} said", f"{marker} 1": 1, account.client_id: 1, AGENTS["stackspot-ai-chat"]: {"a": marker},
        account.client_secret: 2, "10.1.2.3": 3, "https://idm.invalid/x": [marker], "stop_reason": marker,
        "tokens": {"input": marker, f"{marker} | x": 2},
    }  # fmt: skip
    headers = {f"x-{account.client_id}": marker, "x-request-id": marker}
    for target in (None, "token"):
        simulator.faults({"times": 1}, {"status": 400, "body": body, "headers": headers}, target=target)
    file = tmp_path / "wire.md"
    doctor("--report", str(file))
    # doctor's own check takes the first token; the report's is the next
    simulator.no_faults("token")
    simulator.rule(f"{marker} again.", pattern=".")
    again = tmp_path / "again.md"
    doctor("--report", str(again))
    issued = [record["headers"].get("authorization", "") for record in simulator.requests("/chat")]
    tokens = {each.removeprefix("Bearer ") for each in issued} - {"none", ""}
    assert tokens
    for text in (file.read_text(), again.read_text()):
        assert "## Answers" in text
        private = [account.realm, account.client_id, account.client_secret, *AGENTS.values(), *tokens, marker]
        for secret in (*private, simulator.url.removeprefix("http://"), "127.0.0.1", "10.1.2.3", "idm.invalid"):
            assert secret.lower() not in text.lower(), secret
    assert HIDDEN in file.read_text()


def test_names_and_types() -> None:
    shapes = Shapes(["s3cret-of-x", "abc"])
    assert shapes.of({"a": 1, "b": [{"c": None}], "d": "7", "e": True}) == (
        "{a: number, b: list (1) of {c: null}, d: text that is a number, e: boolean}"
    )
    assert [shapes.name(each) for each in ("x-S3cret-of-x", "01J0000", "a b", "x-b3-traceid")] == [
        HIDDEN, HIDDEN, HIDDEN, "x-b3-traceid",
    ]  # fmt: skip
    assert [media_type(each) for each in ("", "Text/HTML; charset=UTF-8", "tell/Me=all", "a/b; charset=secret")] == [
        "none", "text/html; charset=utf-8", "(another)", "a/b",
    ]  # fmt: skip


def test_no_file_is_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "kept"
    file.write_text("mine")
    assert cli.main(["doctor", "--report", str(file)]) == 2
    assert cli.main(["doctor", "--report", str(tmp_path / "none" / "x")]) == 2
    assert cli.main(["doctor", "--report", str(tmp_path / "x"), "--no-agents"]) == 2
    assert file.read_text() == "mine"
    assert capsys.readouterr().err.splitlines() == [
        f"{file} is there already: name a file that is not.",
        f"{tmp_path / 'none' / 'x'}: its folder is not there.",
        "--report asks an agent, and --no-agents forbids it: choose one.",
    ]
