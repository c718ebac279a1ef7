"""The ready blocks of docs/accounts.md, put into the repository's configuration where their first line says."""

import re
from collections.abc import Callable, Iterable

from tests.harness import ROOT
from tests.markdown import Page

OWN_AGENT = "A model for an agent of your own"
OTHER_ACCOUNT = "A model of another account"
TWO_ACCOUNTS = "Two accounts behind one model"
FALLBACK = "Another provider when StackSpot is down or full"
_PLACE = re.compile(r"\s*# (?:at the end of|in) (\w+)\n")


def ready(title: str) -> list[str]:
    """The blocks of one section."""
    [section] = [section for section in Page.read(ROOT / "docs" / "accounts.md").sections if section.title == title]
    return [text for language, text in section.blocks if language == "yaml"]


def with_blocks(titles: Iterable[str], change: Callable[[str], str] = str) -> str:
    """litellm_config.yaml with the blocks of these sections; `change` may rewrite a block first."""
    config = (ROOT / "litellm_config.yaml").read_text()
    for block in (change(block) for title in titles for block in ready(title)):
        place = _PLACE.match(block)
        assert place, f"the block does not say where it goes: {block}"
        config = _inserted(config, place[1], block[place.end() :].rstrip("\n") + "\n")
    return config


def _inserted(config: str, key: str, block: str) -> str:
    """`config` with `block` as the last lines below the top-level `key`."""
    found = re.search(rf"^{key}:\n(?:[ #].*\n|\n)*", config, re.MULTILINE)
    assert found, key
    head = found[0].rstrip("\n") + "\n"
    return config[: found.start()] + head + block + "\n" + config[found.end() :]
