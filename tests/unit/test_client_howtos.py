"""`make client`: every how-to is filled in completely, and no key gets into it."""

import re
import subprocess
from pathlib import Path

import pytest

from gateway.clients import CLIENTS, UnknownClientError, blocks, filled, find, names
from tests.harness import ROOT, clean_environment
from tests.markdown import Page
from tests.sampling import first
from tests.slow.agents.packages import CLIENTS as PACKAGES
from tests.slow.agents.packages import NOT_RUN, locked_version

EXAMPLE = "https://gateway.example.com"
MASTER_KEY = "sk-the-master-key-of-this-test"


def make_client(name: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    variables = clean_environment({"LITELLM_MASTER_KEY": MASTER_KEY, "GATEWAY_URL": "", "GATEWAY_PORT": "", **environ})
    command = ["make", "--silent", "client", f"NAME={name}"]
    return subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", names())
def test_every_how_to_is_filled_in(name: str) -> None:
    text = filled(name, gateway="https://ai.example.com/")
    assert not re.search(r"\{\{(gateway|model|key)\}\}", text)
    assert "https://ai.example.com" in text
    assert "example.com//" not in text
    assert "stackspot-code" in text
    assert "STACKSPOT_GATEWAY_KEY" in text
    assert list(blocks(text))


def test_the_table_says_which_version_the_tests_run() -> None:
    rows = re.findall(r"\]\(([a-z-]+)\.md\)[^|]*\|[^|]*\| ([^|]*) \|", (CLIENTS / "README.md").read_text())
    told = {name: version.split()[-1] for name, version in rows if name in PACKAGES}
    assert told == {name: locked_version(client) for name, client in PACKAGES.items()}
    assert set(PACKAGES) == set(names()) - set(NOT_RUN)


def test_the_table_has_every_how_to() -> None:
    told = set(re.findall(r"\]\(([a-z-]+)\.md\)", (CLIENTS / "README.md").read_text()))
    assert told == set(names())


@pytest.mark.parametrize("page", ["docs/developers.md", "docs/pt-BR/developers.md"])
@pytest.mark.parametrize("name", names())
def test_the_page_for_developers_says_the_same(name: str, page: str) -> None:
    """All of a how-to's files and commands; of a whole program the lines that have the address."""
    text = filled(name, gateway=EXAMPLE)
    title = text.splitlines()[0].removeprefix("# ")
    path = ROOT / page
    found = [section for section in Page.read(path).sections if section.title == title]
    if not found:  # a framework: the table leads to its program
        assert any(re.match(r"agent\.", block.file or "") for block in blocks(text))
        [table] = [
            table
            for section in Page.read(path).sections
            for table in section.tables
            if "Framework" in table[0][0].words
        ]
        linked = [Path(link).stem for row in table for cell in row for link in cell.links]
        assert name in linked
        return
    [section] = found
    shown = [content for _, content in section.blocks]
    assert [content for content in shown if content not in text] == []
    programs = [block.text for block in blocks(text) if re.match(r"agent\.", block.file or "")]
    runs = [block.text for block in blocks(text) if re.match(r"(python|node) agent\.", block.text)]
    assert [block.text for block in blocks(text) if block.text not in [*shown, *programs, *runs]] == []
    addresses = [line for program in programs for line in program.splitlines() if EXAMPLE in line]
    assert [line for line in addresses if not any(line in content for content in shown)] == []


def test_make_prints_it_with_the_address_and_never_with_the_master_key() -> None:
    done = make_client("codex", GATEWAY_URL="https://ai.example.com")
    assert done.returncode == 0, done.stderr
    assert 'base_url = "https://ai.example.com/v1"' in done.stdout
    assert MASTER_KEY not in done.stdout + done.stderr
    assert "export STACKSPOT_GATEWAY_KEY=" in done.stdout


def test_the_address_is_this_machine_s_unless_it_is_told() -> None:
    assert "http://127.0.0.1:4321/v1" in make_client("llm", GATEWAY_PORT="4321").stdout


def test_a_key_in_the_environment_is_not_printed() -> None:
    done = make_client("copilot", STACKSPOT_GATEWAY_KEY="sk-somebodys-own")
    assert "sk-somebodys-own" not in done.stdout
    assert "COPILOT_PROVIDER_API_KEY=$STACKSPOT_GATEWAY_KEY" in done.stdout


@pytest.mark.parametrize("name", first(["emacs", ""]))
def test_an_unknown_client_gets_one_sentence_with_the_list(name: str) -> None:
    done = make_client(name)
    assert done.returncode != 0
    assert done.stdout == ""
    [sentence] = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert all(client in sentence for client in names())


def test_the_beginning_of_a_name_is_enough_when_only_one_has_it() -> None:
    assert find("claude") == "claude-code"
    with pytest.raises(UnknownClientError, match=r"open-webui.*opencode"):
        find("open")
