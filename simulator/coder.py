"""A scripted model that edits files: it reads tools and results out of the prompt, and takes the next step.

It understands one kind of task, in the user's words, and does it with whatever tools the client offers:

    In `greeting.py` replace `Hallo` with `Hello`. ... Run `python3 run_tests.py`.

Every decision comes from the prompt alone: list the files, read, edit, run, and say what came of it. So the same prompt
gets the same answer, and a result that a gateway lost or garbled ends the work.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from simulator import flaws
from simulator.answers import Answer
from simulator.toolbelt import Toolbelt, folder_in
from simulator.transcript import Call, Transcript

_EDIT = re.compile(r"\bIn `([^`\n]+)` replace `([^`\n]+)` with `([^`\n]*)`")
_RUN = re.compile(r"\bRun `([^`\n]+)`", re.IGNORECASE)
_PASSED = re.compile(r"\bOK\b|\bpassed\b")
_BLOCK_FORMAT = "SEARCH/REPLACE"
_HELP = "Give me tools and a task such as: In `greeting.py` replace `Hallo` with `Hello`. Run `python3 run_tests.py`."


@dataclass(frozen=True, slots=True)
class Edit:
    """Text to replace in a file."""

    name: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Step:
    """What to say and call next; without calls it is the last message."""

    kind: str
    says: str
    calls: Sequence[Call] = ()


class Coder:
    """Works cleanly: one call in a message."""

    at_once = 1

    def answer(self, prompt: str) -> Answer:
        transcript = Transcript(prompt)
        edits = [Edit(*found.groups()) for found in _EDIT.finditer(transcript.request)]
        if edits and transcript.tools:
            run = _RUN.search(transcript.request)
            return self.write(self._next(transcript, edits, run[1] if run else None), prompt)
        if edits and _BLOCK_FORMAT in prompt:
            return self.write(Step("blocks", _as_blocks(prompt, edits)), prompt)
        # Clients ask for a title of the task, with the task and without tools.
        return Answer("Edit files and run the tests" if edits else _HELP)

    def write(self, step: Step, prompt: str) -> Answer:
        """`step` as the model writes it down."""
        return Answer("\n".join((step.says, *map(call_text, step.calls))))

    def _next(self, transcript: Transcript, edits: Sequence[Edit], command: str | None) -> Step:
        # Codex tells of `apply_patch` in its instructions; models know its shell without them.
        belt = Toolbelt(transcript.tools, patches="exec_command" in transcript.tools)
        if (listing := belt.listing()) is None:
            return Step("end", "There is no tool here that lists files.")
        if (listed := _result(transcript, listing)) is None:
            return Step("list", "I will look around first.", [listing])
        if missing := [edit.name for edit in edits if edit.name not in listed]:
            return Step("end", f"The folder has no {', '.join(missing)}.")
        folder = folder_in(listed)
        readings = [belt.reading(folder, edit.name) for edit in edits]
        if reading := self._open(transcript, readings):
            return Step("read", "Now I read what is to be changed.", reading)
        edited = [self._editing(transcript, belt, folder, edit) for edit in edits]
        if problems := [problem for problem in edited if isinstance(problem, str)]:
            return Step("end", " ".join(problems))
        open_edits = self._open(transcript, [call for call in edited if isinstance(call, Call)])[:1]
        if open_edits:
            first = open_edits[0] == edited[0]
            return Step("first edit" if first else "edit", "This file needs the change.", open_edits)
        if command is None:
            return Step("end", f"Done: {len(edits)} files changed.")
        running = belt.running(command)
        if running is None:
            return Step("end", "There is no tool here that runs commands.")
        if (ran := _result(transcript, running)) is None:
            return Step("run", "Both files are changed; now the tests.", [running])
        verdict = "pass" if _PASSED.search(ran) else "do not pass"
        return Step("end", f"Done: {len(edits)} files changed, and the tests {verdict}.")

    def _open(self, transcript: Transcript, calls: Sequence[Call | None]) -> list[Call]:
        waiting = [call for call in calls if call is not None and _result(transcript, call) is None]
        return waiting[: 1 if transcript.one_call else self.at_once]

    def _editing(self, transcript: Transcript, belt: Toolbelt, folder: str, edit: Edit) -> Call | str:
        reading = belt.reading(folder, edit.name)
        text = _result(transcript, reading) if reading else None
        line = next((line for line in (text or "").splitlines() if edit.old in line), None)
        if line is None:
            return f"I do not see `{edit.old}` in {edit.name}."
        call = belt.editing(folder, edit.name, line, edit.old, edit.new)
        return call or "There is no tool here that edits files."


class FlawedCoder(Coder):
    """Does the same with the bad habits of real models, in tiny pieces, and two calls at once."""

    at_once = 2

    def write(self, step: Step, prompt: str) -> Answer:
        texts = [call_text(call) for call in step.calls]
        text = flaws.spoil(step.kind, step.says, texts, step.calls, prompt)
        return Answer(text, writes=tuple((piece,) for piece in flaws.tiny(text)))


def call_text(call: Call) -> str:
    """A call in the form that the prompt asks for."""
    body = {"name": call.name, "arguments": call.arguments}
    return f"<tool_call>{json.dumps(body, ensure_ascii=False)}</tool_call>"


def _result(transcript: Transcript, wanted: Call) -> str | None:
    return next((call.result for call in transcript.calls if call.result is not None and wanted.is_like(call)), None)


def _as_blocks(prompt: str, edits: Sequence[Edit]) -> str:
    """The edits as search-and-replace blocks, from the files that the prompt quotes in fences."""
    blocks = []
    for edit in edits:
        quoted = re.findall(rf"^{re.escape(edit.name)}\n(`{{3,}})\w*\n(.*?)\n\1$", prompt, re.MULTILINE | re.DOTALL)
        lines = quoted[-1][1].splitlines() if quoted else []
        line = next((line for line in lines if edit.old in line), edit.old)
        changed = line.replace(edit.old, edit.new)
        blocks.append(f"{edit.name}\n```\n<<<<<<< SEARCH\n{line}\n=======\n{changed}\n>>>>>>> REPLACE\n```")
    return "\n\n".join(("Both changes:", *blocks))
