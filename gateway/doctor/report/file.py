"""The file: Markdown, ready for an issue, written anew and never over another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from custom_handlers.version import __version__
from gateway.doctor.report.facts import CONFIRMED, DIFFERENT, FACTS, NOT_SEEN
from gateway.doctor.report.unseen import UNSEEN
from gateway.doctor.report.wire import Exchange, Wire, look
from gateway.doctor.results import Result, failure, ok
from gateway.failures import InputError

NAME = "report"
_LONGEST_CELL = 300
_BEGINNING = """# What StackSpot's wire looked like

Written by `doctor --report` of version {version}: names, types and counts, and nothing that was said. Each fact
is one of which docs/stackspot-api.md is not sure (marks C and G). Where one is "different", please send us this file.
"""


def check_path(path: str) -> Path:
    """Raises InputError before anything is asked."""
    file = Path(path)
    if file.exists() or file.is_symlink():
        raise InputError(f"{path} is there already: name a file that is not.")
    if not file.absolute().parent.is_dir():
        raise InputError(f"{path}: its folder is not there.")
    return file


def report(environ: Mapping[str, str], file: Path) -> Result:
    wire = look(environ)
    if not wire.seen:
        return failure(NAME, "not written: credentials are missing", "See what the other checks say.")
    found = [fact.see(wire) for fact in FACTS]
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(text(wire, found))
    except OSError as error:
        return failure(NAME, f"not written ({error.strerror})", "Name a file in a folder that you may write to.")
    counts = Counter(each.partition(":")[0] for each in found)
    told = ", ".join(f"{counts[word]} {word}" for word in (CONFIRMED, DIFFERENT, NOT_SEEN))
    return ok(NAME, f"written to {file}: {told}")


def text(wire: Wire, found: list[str]) -> str:
    facts = [f"| {fact.section} | {fact.sentence} | {_cell(told)} |" for fact, told in zip(FACTS, found, strict=True)]
    rest = [f"| {each.section} | {each.says or each.row} | {each.why} |" for each in UNSEEN]
    parts = [
        _BEGINNING.format(version=__version__),
        "## Facts\n",
        *("| Section | The reference says | Seen |", "|---|---|---|", *facts),
        "\n## Not looked at\n",
        *("| Section | Fact | Why not |", "|---|---|---|", *rest),
        "\n## Answers",
        *(line for name, exchange in wire.seen.items() for line in _exchange(name, exchange)),
    ]
    return "\n".join(parts) + "\n"


def _exchange(name: str, found: Exchange) -> list[str]:
    lines = [f"\n### {name}\n", f"- {found.told}"]
    if found.headers:
        lines.append(f"- headers: {', '.join(found.headers)}")
    if found.broken and found.status:
        lines.append(f"- broke off: {found.broken}")
    if stream := found.streamed:
        lines.append(f"- line ends: CRLF {stream.crlf}, LF {stream.lf}, CR {stream.cr}; comments {stream.comments}")
        lines.append(f"- lines: {', '.join(f'{name} {count}' for name, count in stream.fields.items()) or 'none'}")
        lines.append(
            f"- objects {stream.objects}, with text {stream.texts}, empty {stream.empty}, without text "
            f"{stream.not_text}; no JSON {stream.not_json}; [DONE] {stream.done}; final {stream.finals}"
        )
        lines += [f"- delta: {shape}" for shape in stream.delta_shapes]
        lines.append(f"- final: {stream.final_shape or 'none'}")
    return lines


def _cell(told: str) -> str:
    short = told if len(told) <= _LONGEST_CELL else f"{told[:_LONGEST_CELL]} ..."
    return short.replace("|", "\\|")
