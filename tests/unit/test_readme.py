"""The documentation holds: its commands exist, and it knows every setting and target there is."""

import re
import tomllib
from pathlib import Path

import pytest

from gateway.names import known
from tests.harness import ROOT
from tests.markdown import Page

README = ROOT / "README.md"
GUIDES = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [*sorted(ROOT.glob("*.md")), *GUIDES, *sorted((ROOT / "clients").glob("*.md"))]
# References with wide tables.
WIDE = {"benchmarks.md", "conformance.md", "robustness.md", "security.md", "stackspot-api.md", "tool-calls.md"}
every_page = pytest.mark.parametrize("path", PAGES, ids=[str(path.relative_to(ROOT)) for path in PAGES])


def commands(page: Page) -> list[str]:
    """What a page has readers type."""
    lines = [line for language, text in page.blocks if language == "sh" for line in text.splitlines()]
    return [*lines, *page.code]


def test_the_changelog_knows_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    titles = [section.title for section in Page.read(ROOT / "CHANGELOG.md").sections]
    assert titles[2].startswith(f"[{version}] - ")


@pytest.mark.parametrize("path", sorted(ROOT.glob("README*.md")), ids=lambda path: path.name)
def test_a_readme_is_one_page(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 120


@every_page
def test_lines_fit_a_screen(path: Path) -> None:
    if path.name not in WIDE:
        assert [line for line in path.read_text().splitlines() if len(line) > 120] == []


def test_every_make_target_is_documented() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set()
    for path in PAGES:
        for command in commands(Page.read(path)):
            if typed := re.match(r"make ((?:[a-z][a-z-]+ )*[a-z][a-z-]+)\b(?!=)", command):
                named |= set(typed[1].split())
    assert targets - named == set(), "targets of the Makefile that no page names"
    assert named - targets == set(), "targets that a page names and the Makefile does not have"


def test_every_setting_is_documented() -> None:
    page = Page.read(ROOT / "docs" / "configuration.md")
    documented = set(page.code)
    for_developers = {"STACKSPOT_GATEWAY_KEY", "GATEWAY_KEY"}
    assert for_developers <= set(Page.read(ROOT / "docs" / "developers.md").code)
    assert {*known()} - {"GATEWAY_ENV_FILE"} - for_developers - documented == set()
    compose = set(re.findall(r"^  ([A-Z_]+):", (ROOT / "docker-compose.yml").read_text(), re.MULTILINE))
    named = {code for code in documented if re.fullmatch(r"[A-Z]+_[A-Z_]+", code)}
    more = {"REDIS_HOST", "REDIS_PORT", "REDIS_SPEND_BUFFER", "STACKSPOT_AGENTID"}  # the last as a mistake
    assert named - {*known()} - compose - more == set(), "settings that are documented and do not exist"


def test_every_option_of_a_model_is_documented() -> None:
    text = (ROOT / "litellm_config.yaml").read_text()
    options = set(re.findall(r"(?<![.\w])(?:stackspot_(?!ai)\w+|max_input_tokens)\b", text))
    assert len(options) > 5
    assert options - set(Page.read(ROOT / "docs" / "configuration.md").code) == set()


@every_page
def test_links_lead_somewhere(path: Path) -> None:
    assert Page.read(path).broken_links() == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    text = (
        "# A\n\n[no file](docs/none.md) [no heading](README.md#none) [here](#a) [not here](#b) [web](https://x.org)\n"
    )
    assert Page.read(README, text).broken_links() == ["docs/none.md", "README.md#none", "#b"]


@pytest.mark.parametrize(("name", "folder"), [("README.md", "docs"), ("README.pt-BR.md", "docs/pt-BR")])
def test_the_readme_leads_to_every_page(name: str, folder: str) -> None:
    page = Page.read(ROOT / name)
    linked = {target[0] for link in page.links if (target := page.target(link))}
    assert {path for path in GUIDES if path.parent == ROOT / folder} - linked == set()
    assert {path for path in ROOT.glob("*.md") if not path.name.startswith("README")} - linked == set()


def test_error_messages_are_quoted_as_they_are() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "custom_handlers").rglob("*.py"))
    litellms = {"Budget has been exceeded", "Expired Key"}  # seen by tests/gateway/administration/test_limits.py
    texts = [
        inline.words for section in Page.read(ROOT / "docs" / "errors.md").sections for inline in section.inlines()
    ]
    quoted = {quote for text in texts for quote in re.findall(r'"([^"]+)"', text)}
    assert len(quoted) > 6
    # An f-string has the number of a status in braces.
    written = {quote: re.sub(r"\d{3}", r"(?:\\d{3}|\\{status\\})", re.escape(quote)) for quote in quoted - litellms}
    assert [quote for quote, pattern in written.items() if not re.search(pattern, sources)] == []


FOLDERS = (
    "bench",
    "clients",
    "custom_handlers",
    "database",
    "deploy",
    "docs",
    "gateway",
    "simulator",
    "supply_chain",
    "tests",
)


@every_page
def test_files_that_are_named_are_there(path: Path) -> None:
    named = {word.partition("::")[0] for word in Page.read(path).code if word.partition("/")[0] in FOLDERS}
    examples = {"clients/NAME.md", "docs/stackspot/02-agents-api.md"}  # the second is in a repository of others
    assert [name for name in named - examples if not (ROOT / name).exists()] == []


@every_page
def test_tests_that_are_named_are_there(path: Path) -> None:
    named = [word.split("::") for word in Page.read(path).code if word.startswith("tests/") and "::" in word]
    missing = [(file, name) for file, name in named if f"def {name}(" not in (ROOT / file).read_text()]
    assert missing == []


@pytest.mark.parametrize("name", ["robustness.md", "security.md"])
def test_many_tests_are_named(name: str) -> None:
    named = {word for word in Page.read(ROOT / "docs" / name).code if word.startswith("tests/")}
    assert len(named) > 25


def test_every_promise_and_threat_of_security_has_its_test() -> None:
    sections = {section.title: section for section in Page.read(ROOT / "docs" / "security.md").sections}
    [promises], [threats] = (
        sections["What is promised"].tables,
        sections["Who might, and what stands against it"].tables,
    )
    lacking = [row[0].words for row in promises[1:] if not any(word.startswith("tests/") for word in row[1].code)]
    lacking += [row[0].words for row in threats[1:] if not any(word.startswith("tests/") for word in row[2].code)]
    assert lacking == []
    assert all(row[3].words.strip() for row in threats[1:])


def test_the_layers_are_those_that_are_held() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    [held] = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    [drawn] = [text for language, text in Page.read(ROOT / "docs" / "architecture.md").blocks if language == "text"]
    assert [re.split(" {2,}", line)[0] for line in drawn.splitlines()] == held
