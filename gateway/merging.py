"""Merges settings into a client's file, and leaves all else in it as it is. Pure: text in, text out.

JSON is read and written again with its own indentation. TOML and YAML keep every other byte: lines are replaced or
added. TOML is read again afterwards and has to hold what was meant; of YAML only plain block style is touched.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any

__all__ = ["UnmergeableError", "merge_json", "merge_toml", "merge_yaml", "merged"]

_INDENT = re.compile(r"^\{\s*?\n([ \t]+)\S")
_TOML_HEADER = re.compile(r"^\s*\[", re.MULTILINE)
_TOML_LINE = re.compile(r"^(\s*)([\w-]+)(\s*=\s*)(\"[^\"\\\n]*\"|'[^'\n]*'|[\w.+-]+)(.*)$")
# At the beginning of a line: nothing, a comment, the next item of a list, or a key in plain or quoted style.
_YAML_TOP = re.compile(r"(?:|[ #].*|-(?: .*)?|[\w.-]+:(?: .*)?|\"[^\"\\]*\":(?: .*)?|'[^']*':(?: .*)?)")


class UnmergeableError(Exception):
    """The message says what is the matter with the file."""


def merged(old: Any, new: Any) -> Any:
    """`new` over `old`. Items of lists are the same if they have the same `id`."""
    if isinstance(new, dict):
        if old is None:
            old = {}
        if not isinstance(old, dict):
            raise UnmergeableError("it has a plain value where a group of settings has to be")
        return {**old, **{name: merged(old.get(name), value) for name, value in new.items()}}
    if isinstance(new, list):
        if not isinstance(old or [], list):
            raise UnmergeableError("it has a plain value where a list has to be")
        return _merged_list(old or [], new)
    return new


def _merged_list(old: list[Any], new: list[Any]) -> list[Any]:
    ours = {item["id"]: item for item in new}
    kept = [ours.pop(item["id"]) if isinstance(item, dict) and _is_ours(item.get("id"), ours) else item for item in old]
    return [*kept, *ours.values()]


def _is_ours(name: Any, ours: Mapping[str, Any]) -> bool:
    return isinstance(name, str) and name in ours


def merge_json(text: str, new: Mapping[str, Any]) -> str:
    try:
        old = json.loads(text, object_pairs_hook=_unique) if text.strip() else {}
    except (ValueError, RecursionError):
        raise UnmergeableError("it is no plain JSON (comments or a missing comma, perhaps)") from None
    if not isinstance(old, dict):
        raise UnmergeableError("it is no JSON object")
    wanted = merged(old, new)
    if wanted == old and text.strip():
        return text
    found = _INDENT.match(text)
    indent = found[1] if found else "  "
    return json.dumps(wanted, indent=indent, ensure_ascii=False) + "\n"


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) < len(pairs):
        raise UnmergeableError("it has the same name twice in one group of settings")
    return dict(pairs)


def merge_toml(text: str, new: str) -> str:
    """`new` has plain values, then tables with plain values."""
    old, added = _toml(text), tomllib.loads(new)
    wanted = merged(old, added)
    if wanted == old:
        return text
    top, *tables = re.split(r"(?m)^(?=\[)", new.strip("\n") + "\n")
    result = text if text.endswith("\n") or not text else text + "\n"
    first = _TOML_HEADER.search(result)
    at = first.start() if first else len(result)
    result = _with_lines(result[:at], top.strip("\n").splitlines()) + result[at:]
    for table in tables:
        header, *lines = table.strip("\n").splitlines()
        found = re.search(rf"^{re.escape(header)}[ \t]*(?:#.*)?\n", result, re.MULTILINE)
        if not found:
            result += ("\n" if result else "") + table.strip("\n") + "\n"
            continue
        following = _TOML_HEADER.search(result, found.end())
        end = following.start() if following else len(result)
        result = result[: found.end()] + _with_lines(result[found.end() : end], lines) + result[end:]
    if _toml(result) != wanted:
        raise UnmergeableError("its settings are written in a way that this cannot change")
    return result


def _toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        raise UnmergeableError("it is no TOML") from None


def _with_lines(section: str, lines: list[str]) -> str:
    """The settings of `lines` in place of those of the same name; new ones behind the last setting there is."""
    kept, fresh = section.splitlines(keepends=True), []
    for line in lines:
        wanted = _TOML_LINE.match(line)
        if not wanted:
            continue
        for number, had in enumerate(kept):
            found = _TOML_LINE.match(had)
            if found and found[2] == wanted[2]:
                end = "\n" if had.endswith("\n") else ""
                kept[number] = f"{found[1]}{found[2]}{found[3]}{wanted[4]}{found[5]}{end}"
                break
        else:
            fresh.append(f"{line}\n")
    at = max((number for number, line in enumerate(kept, 1) if line.strip() and line[0] != "#"), default=0)
    return "".join([*kept[:at], *fresh, *kept[at:]])


def merge_yaml(text: str, new: str, *, over: bool) -> str:
    """`new` has plain values and lists of blocks, whose items are the same if their first lines are.

    With `over` its plain values replace those that the file has; without, they only fill in what is missing.
    """
    body = text.rstrip("\n")
    lines = body.split("\n") if body else []
    for number, line in enumerate(lines, 1):
        if "\t" in line[: len(line) - len(line.lstrip())] or not (
            _YAML_TOP.fullmatch(line) or (line == "---" and number == 1)
        ):
            raise UnmergeableError(f"line {number} is no YAML in block style")
    for key, value, items in _yaml_parts(new):
        at = [number for number, line in enumerate(lines) if re.match(rf"[\"']?{re.escape(key)}[\"']?:", line)]
        if len(at) > 1:
            raise UnmergeableError(f"it has `{key}` twice")
        if not at:
            lines += [f"{key}: {value}"] if not items else [f"{key}:", *(line for item in items for line in item)]
        elif items:
            lines = _with_items(lines, at[0], key, items)
        elif over:
            if at[0] + 1 < len(lines) and re.match(r"[ -]\s*\S", lines[at[0] + 1]):
                raise UnmergeableError(f"its `{key}` goes over several lines")
            found = re.match(r"(.*?:)(?: [^#]*?)?(\s+#.*)?$", lines[at[0]])
            lines[at[0]] = f"{found[1] if found else key + ':'} {value}{(found and found[2]) or ''}"
    result = "\n".join(lines)
    return text if result == body else result + (text[len(body) :] or "\n")


def _yaml_parts(new: str) -> list[tuple[str, str, list[list[str]]]]:
    parts: list[tuple[str, str, list[list[str]]]] = []
    for line in new.strip("\n").splitlines():
        if top := re.match(r"([\w-]+):\s*(.*)$", line):
            parts.append((top[1], top[2], []))
        elif line.lstrip().startswith("- "):
            parts[-1][2].append([line])
        else:
            parts[-1][2][-1].append(line)
    return parts


def _with_items(lines: list[str], at: int, key: str, items: list[list[str]]) -> list[str]:
    behind = re.sub(r"\s+#.*", "", lines[at].partition(":")[2]).strip()
    if behind == "[]":
        return [*lines[:at], f"{key}:", *(line for item in items for line in item), *lines[at + 1 :]]
    if behind:
        raise UnmergeableError(f"its `{key}` is no list in block style")
    end = at + 1
    while end < len(lines) and (not lines[end].strip() or lines[end][0] in " -#"):
        end += 1
    while end > at + 1 and (not lines[end - 1].strip() or lines[end - 1].startswith("#")):
        end -= 1
    body = lines[at + 1 : end]
    dashes = [line for line in body if line.strip() and not line.lstrip().startswith("#")]
    indent = len(dashes[0]) - len(dashes[0].lstrip()) if dashes else 2
    if dashes and not dashes[0].lstrip().startswith("- "):
        raise UnmergeableError(f"its `{key}` is no list in block style")
    for item in items:
        shifted = [" " * indent + line[2:] for line in item]
        if shifted[0] in body:
            start = body.index(shifted[0])
            stop = start + 1
            while stop < len(body) and (not body[stop].strip() or len(body[stop]) - len(body[stop].lstrip()) > indent):
                stop += 1
            while not body[stop - 1].strip():
                stop -= 1
            body[start:stop] = shifted
        else:
            body += shifted
    return [*lines[: at + 1], *body, *lines[end:]]
