"""What import-linter (pyproject.toml) cannot say: short modules, maps of folders, and nothing that the image lacks."""

import ast
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.harness import ROOT

PACKAGE = ROOT / "custom_handlers"
MODULES = [path for path in sorted(PACKAGE.rglob("*.py")) if path.stem != "__init__"]
NAMED_BY_USERS = {"stackspot", "stackspot_config", "request_guard", "request_gate"}
MOST_LINES = 250
LONGER = {"tool_parser.py": 400}  # one machine, whose states are read together
# Of what is not installed here, as one part of it is enough.
PARTS = {"opentelemetry-exporter-otlp": ["opentelemetry-exporter-otlp-proto-http"]}
# By theme, not by module.
BY_THEME = ("emulation/parser", "emulation/prompt", "guard/wrong_types", "http/client", "upstream/oauth")
THEMES = {Path(theme) for theme in BY_THEME}


def imported(path: Path) -> Iterator[str]:
    """Every module that the one at `path` imports, wherever in its text, as a dotted name."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: LiteLLM executes the entry outside its package, where no dot leads"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_a_module_is_short_and_says_why_it_exists() -> None:
    texts = {path: path.read_text() for path in MODULES}
    assert [path for path, text in texts.items() if text.count("\n") > LONGER.get(path.name, MOST_LINES)] == []
    assert [path for path, text in texts.items() if not ast.get_docstring(ast.parse(text))] == []


def test_the_map_of_its_folder_names_it() -> None:
    maps = {folder: re.findall(r"\w+", (folder / "__init__.py").read_text()) for folder in {m.parent for m in MODULES}}
    assert [path for path in MODULES if path.stem not in maps[path.parent]] == []


def test_the_modules_that_users_and_litellm_name_are_there() -> None:
    assert {path.stem for path in MODULES if path.parent == PACKAGE} >= NAMED_BY_USERS


def test_what_is_private_to_a_module_stays_there() -> None:
    taken = {path: [name for name in imported(path) if is_ours(name) and "._" in name] for path in MODULES}
    assert {path: names for path, names in taken.items() if names} == {}


def is_ours(name: str) -> bool:
    return name.partition(".")[0] in ("custom_handlers", "gateway", "database")


def in_the_image() -> set[str]:
    """The distributions that `litellm[proxy]` brings along, and those of `proxy-runtime` that are installed here."""
    found: set[str] = set()
    waiting = [("litellm", frozenset({"proxy", "proxy-runtime"}))]
    while waiting:
        name, extras = waiting.pop()
        try:
            requirements = metadata.requires(name) or ()
        except metadata.PackageNotFoundError:
            requirements = PARTS.get(name, ())
            if not requirements:
                continue
        found.add(canonicalize_name(name))
        for text in requirements:
            needed = Requirement(text)
            wanted = not needed.marker or any(needed.marker.evaluate({"extra": extra}) for extra in {"", *extras})
            if wanted and canonicalize_name(needed.name) not in found:
                waiting.append((needed.name, frozenset(needed.extras)))
    return found


def test_nothing_is_used_that_the_stock_image_or_the_lock_lacks() -> None:
    locked = {line.partition("==")[0] for line in (ROOT / "requirements.lock").read_text().splitlines() if "==" in line}
    distributions = metadata.packages_distributions()
    image = in_the_image()
    assert {"litellm", "httpx", "pyyaml"} <= image
    assert "pytest" not in image
    for path in MODULES:
        names = {name for name in imported(path) if not is_ours(name)}
        for top in {name.partition(".")[0] for name in names} - sys.stdlib_module_names:
            needed = {canonicalize_name(name) for name in distributions[top]}
            assert needed <= image & locked, f"{path.relative_to(ROOT)} imports {top}"


def test_tests_are_found_by_the_names_of_modules() -> None:
    tests = ROOT / "tests" / "unit" / PACKAGE.name
    modules = {path.relative_to(PACKAGE).with_suffix("") for path in MODULES}
    found = [path.relative_to(tests) for path in tests.rglob("test_*.py")]
    named = {path.with_name(path.stem.removeprefix("test_").removesuffix("_wire")) for path in found}
    assert found
    assert {path for path in named - modules if not {path, path.parent} & THEMES} == set()
