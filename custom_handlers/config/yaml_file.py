"""LiteLLM's configuration file as YAML, and the names that stand twice in it: LiteLLM takes the last in silence.

Half a character (`"\\ud83d"` is one to YAML) is none: no variable can have such a name, and no log could tell of it.
"""

import re
from pathlib import Path
from typing import Any

import yaml

_LONGEST = 60
_HALF = re.compile("[\ud800-\udfff]")
_MERGE = "tag:yaml.org,2002:merge"  # of `<<`


def load(file: Path) -> tuple[Any, list[str]]:
    """The content and its mistakes. Raises OSError, ValueError or YAMLError where there is no content."""
    loader = _Loader(file.read_text(encoding="utf-8"))
    try:
        content = loader.get_single_data()
    finally:
        loader.dispose()
    return content, [
        f"{file}, line {line}: {name[:_LONGEST]} stands in line {first} already, and only the last would count. "
        "Put both together."
        for name, line, first in loader.twice
    ]


class _Loader(yaml.SafeLoader):
    """`twice` has each name that stands a second time in one mapping, with both lines.

    Looked for before anchors are merged in: what stands beside `<<` is meant to replace what comes from there.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.twice: list[tuple[str, int, int]] = []

    def compose_scalar_node(self, anchor: Any) -> yaml.ScalarNode:
        node: yaml.ScalarNode = super().compose_scalar_node(anchor)
        if not node.value.isascii() and _HALF.search(node.value):
            raise yaml.MarkedYAMLError(problem="half a character", problem_mark=node.start_mark)
        return node

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        seen: dict[tuple[str, str], int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == _MERGE:
                continue
            name, line = (key.tag, key.value), key.start_mark.line + 1
            if name in seen:
                self.twice.append((key.value, line, seen[name]))
            seen.setdefault(name, line)
        return node
