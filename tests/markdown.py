"""Reads a Markdown page as its readers see it: sections with headings, code, tables, lists and links."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.harness import ROOT

_PARSER = MarkdownIt("commonmark").enable("table")


@dataclass
class Inline:
    """A run of text: `words` without code, `code` the words in backticks, `links` where it leads, pictures included."""

    words: str = ""
    code: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)


@dataclass
class Section:
    """A heading and what stands below it, up to the next heading. `level` 0 is what stands before the first."""

    level: int = 0
    title: str = ""
    text: Inline = field(default_factory=Inline)
    items: int = 0
    blocks: list[tuple[str, str]] = field(default_factory=list)
    tables: list[list[list[Inline]]] = field(default_factory=list)

    def inlines(self) -> Iterator[Inline]:
        """All that is text, in tables too."""
        yield self.text
        for table in self.tables:
            for row in table:
                yield from row


@dataclass(frozen=True)
class Page:
    path: Path
    sections: list[Section]

    @classmethod
    def read(cls, path: Path, text: str | None = None) -> "Page":
        """The page at `path`; `text` in place of its content."""
        return cls(path, _sections(_PARSER.parse(path.read_text() if text is None else text)))

    @property
    def anchors(self) -> list[str]:
        """What a link to a heading has behind its `#`, in order."""
        return [re.sub(r"[^\w\- ]", "", each.title.lower()).replace(" ", "-") for each in self.sections if each.level]

    @property
    def links(self) -> list[str]:
        return [link for section in self.sections for inline in section.inlines() for link in inline.links]

    @property
    def code(self) -> list[str]:
        """Every word in backticks."""
        return [word for section in self.sections for inline in section.inlines() for word in inline.code]

    @property
    def blocks(self) -> list[tuple[str, str]]:
        return [block for section in self.sections for block in section.blocks]

    def target(self, link: str) -> tuple[Path, str] | None:
        """The file and the heading that a link leads to; None for one that leaves the project."""
        if re.match(r"[a-z]+:", link):
            return None
        file, _, anchor = unquote(link).partition("#")
        return ((self.path.parent / file).resolve() if file else self.path), anchor

    def broken_links(self) -> list[str]:
        """The links that lead nowhere."""
        return [link for link in self.links if not self._resolves(link)]

    def _resolves(self, link: str) -> bool:
        if (target := self.target(link)) is None:
            return True
        path, anchor = target
        if not path.is_relative_to(ROOT) or not path.exists():
            return False
        page = self if path == self.path else Page.read(path) if anchor else None
        return page is None or not anchor or anchor in page.anchors


def _sections(tokens: Sequence[Token]) -> list[Section]:
    sections = [Section()]
    in_heading = in_table = False
    for token in tokens:
        now = sections[-1]
        match token.type:
            case "heading_open":
                sections.append(Section(level=int(token.tag[1:])))
                in_heading = True
            case "heading_close":
                in_heading = False
            case "table_open":
                now.tables.append([])
                in_table = True
            case "table_close":
                in_table = False
            case "tr_open":
                now.tables[-1].append([])
            case "list_item_open":
                now.items += 1
            case "fence" | "code_block":
                now.blocks.append((token.info, token.content))
            case "inline":
                if in_table:
                    now.tables[-1][-1].append(cell := Inline())
                    _collect(token, cell)
                else:
                    _collect(token, now.text)
                if in_heading:
                    now.title = "".join(child.content for child in token.children or [])
    return sections


def _collect(token: Token, into: Inline) -> None:
    for child in token.children or []:
        if child.type == "code_inline":
            into.code.append(child.content)
            into.words += " "
        elif child.type == "text":
            into.words += child.content
        elif child.type == "softbreak":
            into.words += " "
        elif child.type == "image":
            into.links.append(str(child.attrs["src"]))
        elif child.type == "link_open":
            into.links.append(str(child.attrs["href"]))
    into.words += "\n"
