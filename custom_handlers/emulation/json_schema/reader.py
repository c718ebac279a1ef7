"""Reads a caller's JSON schema before anything is checked against it: its draft, its references, what it may cost.

Only what a check can reach is read, each part once, so that this is linear. Refused is what would expand without end:
references that double from level to level at the same value, references in a circle. References into deeper values
(lists, trees) are fine; there the budget of a check is the bound.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urljoin

from custom_handlers.emulation.json_schema.drafts import (
    DRAFTS,
    MOST_PARTS,
    Draft,
    InvalidSchemaError,
    Place,
    SchemaTooComplexError,
    json_path,
)

_MOST_EXPANDED = 10_000
_DEEPEST = 100
_LONGEST_PLACE = 100
_ROOT: Place = (None, "$")
_NO_SCHEMAS = {"enum", "const", "default", "examples", "example"}
REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")


class ReadSchema:
    """A schema that fits a draft. `targets` holds what each reference leads to, `cleaned` the parts that are checked in
    place of others; both by the id of the part, which `root` keeps alive.
    """

    def __init__(self, root: Any, draft: Draft) -> None:
        self.root = root
        self.draft = draft
        self.targets: dict[tuple[int, str], Any] = {}
        self.cleaned: dict[int, dict[str, Any]] = {}
        self.parts = 0
        self._costs: dict[int, int] = {}
        self._waiting: list[tuple[Any, Place, Any]] = [(root, _ROOT, root)]
        self._named: dict[str, Any] | None = None
        while self._waiting:
            part, place, resource = self._waiting.pop()
            self._cost(part, place, resource, 0)

    def _cost(self, part: Any, place: Place, resource: Any, depth: int) -> int:
        """How many parts a check of one value against `part` expands to."""
        if isinstance(part, bool) and (self.draft.booleans or place is _ROOT):
            return 1
        if not isinstance(part, dict):
            raise InvalidSchemaError(f"{json_path(place)} is not a schema")
        known = self._costs.get(id(part))
        if known == 0:
            raise SchemaTooComplexError(f"{json_path(place)} refers to itself without end")
        if known:
            return known
        self._costs[id(part)] = 0
        self.parts += 1
        if self.parts > MOST_PARTS:
            raise SchemaTooComplexError(f"it has more than {MOST_PARTS} parts")
        if depth > _DEEPEST:
            raise SchemaTooComplexError(f"{json_path(place)} nests more than {_DEEPEST} schemas for one value")
        if part is not self.root and isinstance(part.get("$id", part.get("id")), str):
            resource = part
        cleaned = self._clean(part)
        same, deeper, size = self.draft.read(cleaned, place)
        self.parts += size
        self._waiting += [(schema, at, resource) for schema, at in deeper]
        cost = 1 + sum(self._cost(schema, at, resource, depth + 1) for schema, at in same)
        for keyword in REFERENCES:
            reference = cleaned.get(keyword)
            if isinstance(reference, str) and (found := self._target(reference, resource)):
                target, home = found
                self.targets[id(cleaned), keyword] = target
                cost += self._cost(target, (None, reference[:_LONGEST_PLACE]), home, depth + 1)
        if cost > _MOST_EXPANDED:
            raise SchemaTooComplexError(
                f"{json_path(place)} expands to more than {_MOST_EXPANDED} schemas for one value"
            )
        self._costs[id(part)] = cost
        return cost

    def _clean(self, part: dict[str, Any]) -> dict[str, Any]:
        """`part` without null, which some clients write for absent, and without a change of the draft half-way."""
        if "$schema" in part or None in part.values():
            kept = {name: part[name] for name in part if name == "const" or part[name] is not None}
            kept.pop("$schema", None)
            self.cleaned[id(part)] = kept
            return kept
        return part

    def _target(self, reference: str, resource: Any) -> tuple[Any, Any] | None:
        """What `reference` leads to, inside this schema only, and the resource that holds it."""
        address, _, fragment = reference.partition("#")
        if address:
            base = self.root.get("$id", self.root.get("id")) if isinstance(self.root, dict) else None
            joined = urljoin(base, address) if isinstance(base, str) else address
            named = self._names()
            resource = self.root if joined == base else named.get(address, named.get(joined))
        if fragment and not fragment.startswith("/"):
            target = self._names().get(f"#{fragment}")
        else:
            target = _pointed(resource, fragment)
            if target is None and not address:  # many generators point from the whole, whatever `$id` stands between
                target = _pointed(self.root, fragment)
        return None if target is None else (target, resource)

    def _names(self) -> dict[str, Any]:
        """Every part that has a name of its own: `$id`, or an anchor with a # before it."""
        if self._named is None:
            self._named = {}
            for part in _dicts(self.root):
                for keyword, mark in (("id", ""), ("$id", ""), ("$anchor", "#"), ("$dynamicAnchor", "#")):
                    if isinstance(name := part.get(keyword), str) and name:
                        self._named.setdefault(mark + name.removesuffix("#"), part)
        return self._named


def read_schema(schema: Any) -> tuple[ReadSchema | None, str | None]:
    """`schema` by the draft that it fits, or what is wrong with it. Raises TooMuch."""
    mistake = None
    for draft in _by_likelihood(schema):
        try:
            return ReadSchema(schema, draft), None
        except InvalidSchemaError as misshapen:
            mistake = mistake or str(misshapen)
    return None, mistake


def _by_likelihood(schema: Any) -> Iterator[Draft]:
    said = schema.get("$schema") if isinstance(schema, dict) else None
    drafts = sorted(DRAFTS, key=lambda draft: not (isinstance(said, str) and draft.name in said))
    yield from drafts


def _pointed(at: Any, pointer: str) -> Any:
    for step in pointer.split("/")[1:]:
        step = unquote(step).replace("~1", "/").replace("~0", "~")
        if isinstance(at, dict):
            at = at.get(step)
        elif isinstance(at, list) and step.isdecimal() and int(step[:9]) < len(at):
            at = at[int(step[:9])]
        else:
            return None
    return at if isinstance(at, dict | bool) else None


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
            waiting += [inner for key, inner in value.items() if key not in _NO_SCHEMAS]
        elif isinstance(value, list):
            waiting += value
