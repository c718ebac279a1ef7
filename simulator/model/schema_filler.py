"""Fills in the arguments of a call by the schema of the tool.

What is wanted has its place by the names of parameters, however deep in lists and objects; whatever else is required
gets something that fits. Schemas are taken as frameworks write them: with references, alternatives and lists of lists.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# What a parameter is for, by its name without underscores and in small letters.
_PURPOSES = {
    **dict.fromkeys(("command", "commands", "cmd"), "command"),
    **dict.fromkeys(("path", "filepath", "file", "files", "filename"), "path"),
    **dict.fromkeys(("oldstring", "oldstr", "oldtext", "old"), "old"),
    **dict.fromkeys(("newstring", "newstr", "newtext", "new"), "new"),
    **dict.fromkeys(("description", "explanation", "reason"), "why"),
    "answer": "answer",
}
_EMPTY: dict[str, Any] = {"string": "", "integer": 0, "number": 0, "boolean": False, "array": [], "object": {}}
_DEEPEST = 12  # a schema may refer to itself


@dataclass(frozen=True)
class SchemaFiller:
    """`values` has what is wanted by its purpose; `verbs` are what a choice of actions is decided by."""

    root: Mapping[str, Any]
    values: Mapping[str, str]
    verbs: Sequence[str] = ()

    def arguments(self) -> dict[str, Any]:
        """What a call of the tool is given."""
        return self._object(self._resolved(self.root), 0)[0]

    def _object(self, kind: Mapping[str, Any], deep: int) -> tuple[dict[str, Any], bool]:
        """An object, and whether something that is wanted has its place in it."""
        required = kind.get("required") or ()
        filled: dict[str, Any] = {}
        found = False
        for name, given in (kind.get("properties") or {}).items():
            part = self._resolved(given)
            if self._is_wanted(name, part, needed=name in required):
                filled[name], found = self._shaped(part, self.values[_purpose(name)], deep + 1), True
        for name, given in (kind.get("properties") or {}).items():
            if name in filled:
                continue
            part = self._resolved(given)
            value, has_wanted = self._filled(part, deep + 1)
            # A list of changes may be optional as far as the schema knows.
            if name in required or (has_wanted and not found):
                filled[name], found = value, found or has_wanted
        return filled, found

    def _is_wanted(self, name: str, kind: Mapping[str, Any], *, needed: bool) -> bool:
        purpose = _purpose(name)
        if purpose not in self.values or (purpose == "why" and not needed):
            return False
        return "enum" not in kind or self.values[purpose] in kind["enum"]

    def _shaped(self, kind: Mapping[str, Any], value: str, deep: int) -> Any:
        match _type(kind):
            case "array" if deep < _DEEPEST:
                return [self._shaped(self._resolved(kind.get("items")), value, deep + 1)]
            case "object":
                return self._object(kind, deep)[0]
            case _:
                return value

    def _filled(self, kind: Mapping[str, Any], deep: int) -> tuple[Any, bool]:
        """Something that fits, and whether something that is wanted has its place in it."""
        if "const" in kind:
            return kind["const"], False
        if choices := kind.get("enum"):
            return next((verb for verb in self.verbs if verb in choices), choices[0]), False
        type_ = _type(kind)
        if deep < _DEEPEST and type_ == "object":
            return self._object(kind, deep)
        if deep < _DEEPEST and type_ == "array":
            return self._list(kind, deep)
        if kind.get("default") is not None:
            return kind["default"], False
        if type_ in ("integer", "number"):
            return kind.get("minimum", 0), False
        if type_ == "string":
            return "x" * kind.get("minLength", 0), False
        return _EMPTY.get(type_), False

    def _list(self, kind: Mapping[str, Any], deep: int) -> tuple[list[Any], bool]:
        if places := kind.get("prefixItems"):
            parts = [self._filled(self._resolved(place), deep + 1) for place in places]
            return [value for value, _ in parts], any(has_wanted for _, has_wanted in parts)
        item, has_wanted = self._filled(self._resolved(kind.get("items")), deep + 1)
        return [item] * max(kind.get("minItems", 0), int(has_wanted)), has_wanted

    def _resolved(self, given: Any) -> Mapping[str, Any]:
        """A part of the schema without references and alternatives: the first that is not null is taken."""
        kind: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
        for _ in range(_DEEPEST):
            rest = {name: value for name, value in kind.items() if name not in ("$ref", "anyOf", "oneOf", "allOf")}
            if "$ref" in kind:
                kind = {**rest, **self._referred(str(kind["$ref"]))}
            elif several := kind.get("anyOf") or kind.get("oneOf"):
                kind = {**rest, **next((each for each in several if _type(each) != "null"), {})}
            elif parts := kind.get("allOf"):
                kind = _merged([rest, *map(self._resolved, parts)])
            else:
                break
        return kind

    def _referred(self, reference: str) -> Mapping[str, Any]:
        found: Any = self.root
        for name in reference.removeprefix("#").strip("/").split("/"):
            name = name.replace("~1", "/").replace("~0", "~")
            found = found.get(name) if isinstance(found, Mapping) and name else found
        return found if isinstance(found, Mapping) else {}


def _purpose(name: str) -> str:
    return _PURPOSES.get(name.replace("_", "").replace("-", "").lower(), "")


def _type(kind: Mapping[str, Any]) -> str:
    given = kind.get("type")
    if isinstance(given, list):
        given = next((each for each in given if each != "null"), "null")
    return given or ("object" if "properties" in kind else "array" if "items" in kind else "string")


def _merged(kinds: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    merged: dict[str, Any] = {}
    for kind in kinds:
        properties = {**merged.get("properties", {}), **(kind.get("properties") or {})}
        required = [*merged.get("required", ()), *(kind.get("required") or ())]
        merged |= kind
        merged |= ({"properties": properties} if properties else {}) | ({"required": required} if required else {})
    return merged
