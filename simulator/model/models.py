"""Who answers when nothing was scripted."""

from __future__ import annotations

import re
from typing import Protocol

from simulator.control.replies import Answer, ScriptError
from simulator.model.scripted_agent import FlawedAgent, LooseAgent, ScriptedAgent, has_task

_LETTER = re.compile(r"\w")
_ONLY_MARKUP = re.compile(r"\s*(?:</?[^<>]*>\s*)+|\s*[\w ]{1,20}:\s*|[`#*=\-\s]*")
_CITED_WORDS = 12


class Model(Protocol):
    """Answers a prompt. The same prompt gets the same answer, so that token counts can be compared."""

    def answer(self, prompt: str) -> Answer:
        """The answer to `prompt`, which is everything that the service was sent."""
        ...


class Echo:
    """Greets, and cites the last words of what it was asked."""

    def answer(self, prompt: str) -> Answer:
        words = _last_words(prompt)
        return Answer(
            f"Hello! You asked about “{words}”. This is a simulated answer, the same for the same question. "
            f"Your prompt had {len(prompt)} characters. Is there anything else?"
        )


class Demo:
    """Works on a task that it understands, and greets anybody else."""

    def answer(self, prompt: str) -> Answer:
        return (ScriptedAgent() if has_task(prompt) else Echo()).answer(prompt)


MODELS: dict[str, type[Model]] = {
    "echo": Echo,
    "demo": Demo,
    "coder": ScriptedAgent,
    "coder-flawed": FlawedAgent,
    "coder-loose": LooseAgent,
}


def find_model(name: str) -> Model:
    """The model called `name`; a `ScriptError` that lists the names when there is none."""
    if name not in MODELS:
        raise ScriptError(f"There is no model {name}; there are: {', '.join(sorted(MODELS))}.")
    return MODELS[name]()


def _last_words(prompt: str) -> str:
    # Gateways wrap conversations in tags and role marks; the citation is more useful without them.
    for line in reversed(prompt.splitlines()):
        if _LETTER.search(line) and not _ONLY_MARKUP.fullmatch(line):
            return " ".join(line.split()[-_CITED_WORDS:])
    return " ".join(prompt.split()[-_CITED_WORDS:])
