"""LiteLLM's tokenizer and its folder of vocabularies. LiteLLM is imported by the first use of its tokenizer alone."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path


class LiteLLMTokenizer:
    def encode(self, text: str) -> list[int]:
        import litellm

        return list(litellm.encode(model="", text=text))

    def decode(self, tokens: Sequence[int]) -> str:
        import litellm

        return str(litellm.decode(model="", tokens=list(tokens)))


def vocabulary_folder(file: str) -> Path | None:
    """LiteLLM's folder of vocabularies, when it holds `file`."""
    found = find_spec("litellm")
    for place in (found.submodule_search_locations or ()) if found else ():
        folder = Path(place) / "litellm_core_utils" / "tokenizers"
        if (folder / file).is_file():
            return folder
    return None
