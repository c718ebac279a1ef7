"""The house of the handler: rooms of a size to be read, imports in one direction, and nothing that the image lacks."""

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.harness import ROOT

PACKAGE = "custom_handlers"
ROOMS = {
    ".".join(path.relative_to(ROOT / PACKAGE).with_suffix("").parts): path
    for path in sorted((ROOT / PACKAGE).rglob("*.py"))
    if path.stem != "__init__"
}
FOLDERS = ("config", "core", "emulation", "guard", "http", "litellm_adapter", "upstream")
MOST_LINES = 250
LONGER = {"emulation.tool_parser": 400}  # one machine, whose states are read together
THEMES = ROOT / "tests" / "unit" / PACKAGE / "emulation" / "parser"  # the parser's tests are found by theme

HANDLER = {"handler", "stackspot"}
every_room = pytest.mark.parametrize("room", ROOMS)


def folder(room: str) -> str:
    """The folder of `room`, or "" for one at the top."""
    return room.rpartition(".")[0]


def imported(room: str) -> Iterator[str]:
    """Every module that `room` imports, wherever in its text, as a dotted name."""
    for node in ast.walk(ast.parse(ROOMS[room].read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute: LiteLLM executes the entry outside its package"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def rooms_of(room: str) -> frozenset[str]:
    """The rooms that `room` imports itself."""
    names = [name.split(".")[1:] for name in imported(room) if name.startswith(f"{PACKAGE}.")]
    return frozenset(".".join(parts[: 2 if parts[0] in FOLDERS else 1]) for parts in names)


def behind(room: str, seen: frozenset[str] = frozenset()) -> frozenset[str]:
    """The rooms that `room` imports, and those that they import."""
    for neighbour in rooms_of(room) - seen:
        seen = behind(neighbour, seen | {neighbour})
    return seen


@every_room
def test_a_room_is_small_and_says_why_it_exists(room: str) -> None:
    text = ROOMS[room].read_text()
    assert text.count("\n") <= LONGER.get(room, MOST_LINES)
    assert ast.get_docstring(ast.parse(text))


@every_room
def test_the_map_of_its_folder_names_it(room: str) -> None:
    map_of_folder = (ROOMS[room].parent / "__init__.py").read_text()
    assert room.rpartition(".")[2] in re.findall(r"\w+", map_of_folder)


def test_the_rooms_that_users_and_litellm_name_are_there() -> None:
    assert {*HANDLER, "request_guard", "request_gate", "stackspot_config"} <= ROOMS.keys()
    assert {folder(room) for room in ROOMS} == {"", *FOLDERS}


@every_room
def test_imports_have_no_circles(room: str) -> None:
    assert rooms_of(room) <= ROOMS.keys()
    assert room not in behind(room)


def test_nothing_imports_the_handler() -> None:
    importers = {room: rooms_of(room) & HANDLER for room in ROOMS}
    assert {room: found for room, found in importers.items() if found} == {"stackspot": {"handler"}}


@every_room
def test_imports_flow_down(room: str) -> None:
    """The emulation asks through what it is given, so that it stays pure: it knows no upstream and no client."""
    below = {
        "config": {"config", "http", "litellm_adapter", "core"},
        "core": {"core"},
        "emulation": {"emulation", "litellm_adapter", "core"},
        "guard": {"guard", "config", "http", "litellm_adapter", "core"},
        "http": {"http", "litellm_adapter", "core"},
        "litellm_adapter": {"litellm_adapter", "core"},
        "upstream": {"upstream", "http", "litellm_adapter", "core"},
    }
    found = {folder(other) for other in behind(room)}
    assert found <= below.get(folder(room), {"", *FOLDERS})
    if folder(room) == "emulation":
        assert {other for other in behind(room) if folder(other) == "litellm_adapter"} <= {"litellm_adapter.tokenizer"}


@every_room
def test_litellm_is_imported_in_one_folder(room: str) -> None:
    if folder(room) != "litellm_adapter":
        assert not [name for name in imported(room) if name.partition(".")[0] == "litellm"]


@every_room
def test_what_is_private_to_a_room_stays_there(room: str) -> None:
    assert not [name for name in imported(room) if name.startswith(f"{PACKAGE}.") and "._" in name]


def in_the_image() -> set[str]:
    """The distributions that `litellm[proxy]` brings along, which is the least that the stock image has."""
    found: set[str] = set()
    waiting = [("litellm", frozenset({"proxy"}))]
    while waiting:
        name, extras = waiting.pop()
        found.add(canonicalize_name(name))
        for text in metadata.requires(name) or ():
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
    for room in ROOMS:
        for top in {name.partition(".")[0] for name in imported(room)} - {PACKAGE, *sys.stdlib_module_names}:
            names = {canonicalize_name(name) for name in distributions[top]}
            assert names <= image, f"{room} imports {top}"
            assert names <= locked, f"{room} imports {top}"


def test_tests_are_found_by_the_names_of_rooms() -> None:
    tests = ROOT / "tests" / "unit" / PACKAGE
    paths = [path.relative_to(tests) for path in tests.rglob("test_*.py") if path.parent != THEMES]
    found = {".".join((*path.parent.parts, path.stem.removeprefix("test_").removesuffix("_wire"))) for path in paths}
    assert found
    assert found <= ROOMS.keys() | {"guard.wrong_types"}
