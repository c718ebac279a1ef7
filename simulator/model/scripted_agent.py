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

from simulator.control.replies import Answer
from simulator.model import fields, malformed
from simulator.model.errands import next_errand
from simulator.model.tool_adapter import ToolAdapter, folder_in
from simulator.model.transcript import Call, Transcript

_EDIT = re.compile(r"\bIn `([^`\n]+)` replace `([^`\n]+)` with `([^`\n]*)`")
_RUN = re.compile(r"\bRun `([^`\n]+)`", re.IGNORECASE)
_PASSED = re.compile(r"\A(?!.*\bFAILED\b).*\b(?:OK|passed)\b", re.DOTALL)
# Clients refuse an edit when they do not remember that the file was read, as after a compaction.
_REFUSED = re.compile(r"tool_use_error|not been read")
_TRIES = 3
_SUMMARY = re.compile(r"\b(?:create|write|provide) an?\b[^.\n]{0,40}\bsummary", re.IGNORECASE)
_CHANGED = re.compile(r"Changed already: `([^`\n]+)`")
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


class ScriptedAgent:
    """Works cleanly: one call in a message."""

    at_once = 1

    def answer(self, prompt: str) -> Answer:
        transcript = Transcript(prompt)
        # After a compaction the task is there twice: as it was, and in the summary.
        edits = list(dict.fromkeys(Edit(*found.groups()) for found in _EDIT.finditer(transcript.request)))
        if transcript.fields:
            return Answer(self._in_fields(transcript, edits))
        if edits and transcript.calls and _SUMMARY.search(transcript.last_words):
            return Answer(_summary(transcript, edits))
        if edits and transcript.tools:
            return self.write(_ended(_Work(transcript, edits, self.at_once).next_step(), transcript), prompt)
        if edits and _BLOCK_FORMAT in prompt:
            return self.write(Step("blocks", _as_blocks(prompt, edits)), prompt)
        if transcript.tools and (errand := next_errand(transcript)):
            step = Step("errand" if errand[1] else "end", *errand)
            return self.write(_ended(step, transcript), prompt)
        # Clients ask for a title of the task, with the task and without tools.
        return Answer("Edit files and run the tests" if edits else _HELP)

    def _in_fields(self, transcript: Transcript, edits: Sequence[Edit]) -> str:
        step = _Work(transcript, edits, 1).next_step() if transcript.tools else Step("end", _HELP)
        call = next(((call.name, call.arguments) for call in step.calls), None)
        results = [call.result for call in transcript.calls if call.result and call.name != "finish"]
        return fields.write(step.says, call, results[-1] if results else step.says, transcript.fields)

    def write(self, step: Step, prompt: str) -> Answer:
        """`step` as the model writes it down."""
        return Answer("\n".join((step.says, *map(call_text, step.calls))))


class FlawedAgent(ScriptedAgent):
    """Does the same with the bad habits of real models, in tiny pieces, and two calls at once."""

    at_once = 2
    malformed = staticmethod(malformed.malformed)

    def write(self, step: Step, prompt: str) -> Answer:
        texts = [call_text(call) for call in step.calls]
        text = self.malformed(step.kind, step.says, texts, step.calls, prompt)
        return Answer(text, writes=tuple((piece,) for piece in malformed.tiny(text)))


class LooseAgent(FlawedAgent):
    """Quotes calls and drafts them in thoughts, writes them in other families' syntax, and goes on as the user."""

    malformed = staticmethod(malformed.loosen)


def has_task(prompt: str) -> bool:
    """Whether a prompt asks for an edit."""
    return _EDIT.search(prompt) is not None


def call_text(call: Call) -> str:
    """A call in the form that the prompt asks for."""
    body = {"name": call.name, "arguments": call.arguments}
    return f"<tool_call>{json.dumps(body, ensure_ascii=False)}</tool_call>"


def _ended(step: Step, transcript: Transcript) -> Step:
    """The last message, with a call where the client has a tool for its end."""
    call = ToolAdapter(transcript.tools).answering(step.says) if step.kind == "end" else None
    return step if call is None or _result(call, transcript.calls) else Step("answer", step.says, [call])


class _Work:
    """The task of a transcript, and how far it is."""

    def __init__(self, transcript: Transcript, edits: Sequence[Edit], at_once: int) -> None:
        self._calls = transcript.calls
        refused = [at for at, call in enumerate(self._calls) if _REFUSED.search(call.result or "")]
        self._since = self._calls[refused[-1] + 1 :] if refused else self._calls
        self._gives_up = len(refused) >= _TRIES
        done = _CHANGED.findall(transcript.request)
        self._done = [edit for edit in edits if edit.name in done]
        self._edits = [edit for edit in edits if edit.name not in done]
        run = _RUN.search(transcript.request)
        self._command = run[1] if run else None
        self._at_once = 1 if transcript.one_call else at_once
        # Codex tells of `apply_patch` in its instructions; models know its shell without them.
        self._tools = ToolAdapter(transcript.tools, patches="exec_command" in transcript.tools)

    def next_step(self) -> Step:
        listing = self._tools.listing()
        if listing is None:
            return Step("end", "There is no tool here that lists files.")
        if self._gives_up:
            return Step("end", "My edits are refused.")
        if (listed := self._listed()) is None:
            return Step("list", "I will look around first.", [listing])
        if missing := [edit.name for edit in self._edits if edit.name not in listed]:
            # A client's search may give up early on a busy machine: what is not there is looked for twice.
            if len(self._listings()) < 2:
                return Step("list", "I look once more.", [listing])
            return Step("end", f"The folder has no {', '.join(missing)}.")
        for edit in self._edits:
            if step := self._change(edit):
                return step
        return self._run(len(self._done) + len(self._edits))

    def _change(self, edit: Edit) -> Step | None:
        """The next step for one file; None when it is changed."""
        if self._result(self._reading(edit)) is None:
            unread = [call for call in map(self._reading, self._edits) if call and self._result(call) is None]
            if not unread:
                return Step("end", "There is no tool here that reads files.")
            return Step("read", "Now I read what is to be changed.", unread[: self._at_once])
        editing = self._editing(edit)
        if isinstance(editing, str):
            return Step("end", editing)
        if editing is None or self._result(editing) is not None:
            return None
        return Step("first edit" if edit == self._edits[0] else "edit", "This file needs the change.", [editing])

    def _run(self, changed: int) -> Step:
        if self._command is None:
            return Step("end", f"Done: {changed} files changed.")
        if (running := self._tools.running(self._command)) is None:
            return Step("end", "There is no tool here that runs commands.")
        if (ran := self._result(running)) is None:
            return Step("run", "Both files are changed; now the tests.", [running])
        verdict = "pass" if _PASSED.search(ran) else "do not pass"
        return Step("end", f"Done: {changed} files changed, and the tests {verdict}.")

    def _listed(self) -> str | None:
        return next(reversed(self._listings()), None)

    def _listings(self) -> list[str]:
        wanted = self._tools.listing()
        return [call.result for call in self._calls if wanted and call.result is not None and wanted.is_like(call)]

    def _reading(self, edit: Edit) -> Call | None:
        return self._tools.reading(folder_in(self._listed() or ""), edit.name)

    def _editing(self, edit: Edit) -> Call | str | None:
        """The call that makes the edit, None if it is made, or why there is none."""
        lines = (self._result(self._reading(edit)) or "").splitlines()
        line = next((line for line in lines if edit.old in line), None)
        if line is None:
            return None if any(edit.new in line for line in lines) else f"I do not see `{edit.old}` in {edit.name}."
        call = self._tools.editing(folder_in(self._listed() or ""), edit.name, line, edit.old, edit.new)
        return call or "There is no tool here that edits files."

    def _result(self, wanted: Call | None) -> str | None:
        return _result(wanted, self._since)


def _result(wanted: Call | None, calls: Sequence[Call]) -> str | None:
    if wanted is None:
        return None
    return next((call.result for call in calls if call.result is not None and wanted.is_like(call)), None)


def _summary(transcript: Transcript, edits: Sequence[Edit]) -> str:
    """What whoever goes on without the conversation must know: the task, and what of it is done."""
    made = [str(call.arguments) for call in transcript.calls if call.result and not _REFUSED.search(call.result)]
    done = _CHANGED.findall(transcript.request)
    done += [edit.name for edit in edits if any(edit.name in call and edit.new in call for call in made)]
    run = _RUN.search(transcript.request)
    return "\n".join(
        [
            *(f"Changed already: `{name}`." for name in dict.fromkeys(done)),
            *(f"In `{edit.name}` replace `{edit.old}` with `{edit.new}`." for edit in edits),
            *([run[0]] if run else []),
        ]
    )


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
