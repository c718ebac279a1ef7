"""The Portuguese pages say what the English ones say: the same headings, commands, tables, names, numbers and links."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import zip_longest
from pathlib import Path

import pytest

from tests.harness import ROOT
from tests.markdown import Inline, Page, Section

PAGES = [
    (ROOT / "README.md", ROOT / "README.pt-BR.md"),
    *(
        (ROOT / "docs" / name, ROOT / "docs" / "pt-BR" / name)
        for name in sorted(path.name for path in (ROOT / "docs" / "pt-BR").glob("*.md"))
    ),
]
TRANSLATED = dict(PAGES)
ORIGINAL = {portuguese: english for english, portuguese in PAGES}
pairs = pytest.mark.parametrize(("english", "portuguese"), PAGES, ids=[english.stem for english, _ in PAGES])


def differences(english: Page, portuguese: Page) -> Iterator[str]:
    """A sentence for each thing that one page has and the other lacks."""
    for left, right in zip_longest(english.sections, portuguese.sections):
        if left is None or right is None:
            yield f"only one page has the heading {(left or right).title!r}"
            return
        where = f"{left.title!r} / {right.title!r}"
        if left.level != right.level:
            yield f"{where}: headings of different levels"
            return
        for what, of in SAME.items():
            if found := _unequal(of(left, english), of(right, portuguese)):
                yield f"{where}: {what} differ: {found}"
    if portuguese.sections[1:] and (links := _untranslated(portuguese)):
        yield f"links to English pages that have a translation: {links}"


def _unequal(left: Iterable[object], right: Iterable[object]) -> str:
    here, there = Counter(left), Counter(right)
    only_left, only_right = here - there, there - here
    return f"English {list(only_left)}, Portuguese {list(only_right)}" if only_left or only_right else ""


def _texts(section: Section) -> Iterator[str]:
    yield from (inline.words for inline in section.inlines())


def _blocks(section: Section, page: Page) -> Iterator[object]:
    """Blocks by their place. The comments of a shell are for readers, all else is the same in every language."""
    for at, (language, text) in enumerate(section.blocks):
        yield at, language, re.sub(r"(?:^| {2,})# .*$", "", text, flags=re.MULTILINE) if language == "sh" else text


def _cells(section: Section, page: Page) -> Iterator[object]:
    """Every cell by its place, with the code words in it."""
    for table_at, table in enumerate(section.tables):
        for row_at, row in enumerate(table):
            for at, cell in enumerate(row):
                yield table_at, row_at, at, tuple(sorted(cell.code)), tuple(sorted(_numbers(cell)))


def _numbers(inline: Inline) -> Iterator[str]:
    """The numbers of a text, without the marks that Portuguese and English use differently."""
    yield from (re.sub(r"\D", "", number) for number in re.findall(r"\d+(?:[.,]\d+)*", inline.words))


def _links(section: Section, page: Page) -> Iterator[object]:
    for inline in section.inlines():
        for link in inline.links:
            yield _destination(page, link)


def _destination(page: Page, link: str) -> object:
    """Where a link leads, whatever the language: the English page, and the heading by its place."""
    if (target := page.target(link)) is None:
        return link
    path, anchor = target
    original = ORIGINAL.get(path, path)
    if not anchor:
        return original
    there = page if path == page.path else Page.read(path)
    return original, there.anchors.index(anchor) if anchor in there.anchors else anchor


def _untranslated(page: Page) -> list[str]:
    """The first link of a page leads to its other language; all others stay in one."""
    others = [(link, page.target(link)) for link in page.links if page.target(link) != (ORIGINAL[page.path], "")]
    return [link for link, target in others if target and target[0] in TRANSLATED]


SAME: dict[str, Callable[[Section, Page], Iterable[object]]] = {
    "code blocks": _blocks,
    "tables": _cells,
    "code words": lambda section, _: [word for inline in section.inlines() for word in inline.code],
    "numbers": lambda section, _: [number for inline in section.inlines() for number in _numbers(inline)],
    "quoted messages": lambda section, _: [quote for text in _texts(section) for quote in re.findall(r'"[^"]+"', text)],
    "links": _links,
    "numbers of list items": lambda section, _: [section.items],
}


@pairs
def test_both_languages_say_the_same(english: Path, portuguese: Path) -> None:
    assert list(differences(Page.read(english), Page.read(portuguese))) == []


@pairs
def test_each_page_leads_to_the_other_language(english: Path, portuguese: Path) -> None:
    for here, there in ((english, portuguese), (portuguese, english)):
        page = Page.read(here)
        assert page.target(page.links[0]) == (there, "")


def without(pattern: str) -> Callable[[str], str]:
    """The text without the first part that fits."""

    def mutate(text: str) -> str:
        mutated = re.sub(pattern, "", text, count=1, flags=re.MULTILINE | re.DOTALL)
        assert mutated != text, "the page has no such part"
        return mutated

    return mutate


def instead(old: str, new: str) -> Callable[[str], str]:
    def mutate(text: str) -> str:
        assert old in text, "the page has no such part"
        return text.replace(old, new, 1)

    return mutate


@pytest.mark.parametrize(
    ("page", "mutate", "told"),
    [
        ("README", without(r"^## Modelos$"), "heading|code blocks|tables"),
        ("README", instead("## Modelos", "### Modelos"), "levels"),
        ("README", without(r"^make key .*?$"), "code blocks"),
        ("README", instead("make usage", "make usages"), "code blocks"),
        ("README", without(r"^\| `stackspot-ai-code` .*?\n"), "tables"),
        ("README", instead("`stackspot-ai-code`", "`stackspot-ai-codigo`"), "tables"),
        ("README", without(r" Sem fork .*?\n\n"), "list items|code words"),
        ("README", instead("docs/budgets.md", "docs/in-process.md"), "links"),
        ("README", instead("Python 3.11", "Python 3.12"), "numbers"),
        ("developers", without(r"^export ANTHROPIC_MODEL=.*?\n"), "code blocks"),
        ("developers", without(r"^### aider$.*?(?=^### )"), "heading|code"),
        ("developers", instead("500.000", "50.000"), "tables"),
        ("developers", instead('"Expired Key"', '"Chave expirada"'), "quoted messages"),
        ("errors", without(r"^\| 422 .*?\n"), "tables"),
        ("errors", instead("#limites-e-orçamento", "#limits-and-budget"), "links"),
        ("errors", instead("`x-should-retry: false`", "`x-should-retry`"), "code words"),
        ("errors", without(r"^## Vale a pena tentar de novo\?.*?(?=^## )"), "heading|numbers"),
    ],
)
def test_what_one_language_lacks_is_found(page: str, mutate: Callable[[str], str], told: str) -> None:
    [(english, portuguese)] = [pair for pair in PAGES if pair[0].stem == page]
    changed = Page.read(portuguese, mutate(portuguese.read_text()))
    assert re.search(told, "\n".join(differences(Page.read(english), changed)))
