"""The house of the handler: rooms of a size to be read, imports in one direction, and nothing that the image lacks."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.harness import ROOT

PACKAGE = "custom_handlers"
ROOMS = {path.stem: path for path in sorted((ROOT / PACKAGE).glob("*.py")) if path.stem != "__init__"}
MOST_LINES = 250

WIRE = {"errors", "events", "refusals", "sse"}
UPSTREAM = {"transport", "credentials", "agents_api", "key_api", "uploads", "remote_files"}
HANDLER = {"stackspot_handler", "stackspot"}
every_room = pytest.mark.parametrize("room", ROOMS)


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
    names = [name.split(".") for name in imported(room)]
    return frozenset(parts[1] for parts in names if parts[0] == PACKAGE and len(parts) > 1)


def behind(room: str, seen: frozenset[str] = frozenset()) -> frozenset[str]:
    """The rooms that `room` imports, and those that they import."""
    for neighbour in rooms_of(room) - seen:
        seen = behind(neighbour, seen | {neighbour})
    return seen


@every_room
def test_a_room_is_small_and_says_why_it_exists(room: str) -> None:
    text = ROOMS[room].read_text()
    assert text.count("\n") <= MOST_LINES
    assert ast.get_docstring(ast.parse(text))


def test_the_rooms_that_issue_a_names_are_there() -> None:
    assert {*WIRE, *UPSTREAM, *HANDLER, "stackspot_config", "prompt"} <= ROOMS.keys()


@every_room
def test_imports_have_no_circles(room: str) -> None:
    assert rooms_of(room) <= ROOMS.keys()
    assert room not in behind(room)


def test_nothing_imports_the_handler() -> None:
    importers = {room: rooms_of(room) & HANDLER for room in ROOMS}
    assert {room: found for room, found in importers.items() if found} == {"stackspot": {"stackspot_handler"}}


@pytest.mark.parametrize("room", sorted(UPSTREAM))
def test_upstreams_know_only_themselves_and_the_wire(room: str) -> None:
    assert behind(room) <= UPSTREAM | WIRE


@pytest.mark.parametrize("room", sorted(WIRE))
def test_the_wire_knows_nobody(room: str) -> None:
    assert behind(room) <= WIRE


def test_rooms_that_are_pure_stay_so() -> None:
    for room in ("prompt", "emulation", "parameters", "limits", "answers"):
        assert not behind(room) & UPSTREAM, room


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
    tests = [
        path.stem.removeprefix("test_").removesuffix("_wire") for path in (ROOT / "tests" / PACKAGE).glob("test_*.py")
    ]
    assert tests
    assert set(tests) <= ROOMS.keys()
