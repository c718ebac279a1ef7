"""Exactly one outcome for a question: a whole answer, or one clear error of the right class."""

import re
from collections import Counter
from dataclasses import dataclass, field

from tests.gateway.calling import MESSAGES, RESPONSES, Reply
from tests.slow.chaos.lanes import Asked
from tests.slow.chaos.questions import id_of
from tests.slow.chaos.verdicts import ANSWER, CLASSES

HANGING, LOST, UNKNOWN = "hangs", "connection lost", "unknown error"
# What an error is called where a stream has begun with the status 200.
STREAM_TYPES = {
    MESSAGES: {400: {"invalid_request_error"}, 429: {"rate_limit_error"}},
    RESPONSES: {400: {"invalid_request_error", "context_length_exceeded"}, 429: {"rate_limit_exceeded"}},
}


@dataclass
class Findings:
    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    ids: Counter[str] = field(default_factory=Counter)

    def judge(self, asked: Asked, expected: set[str]) -> str:
        """The class of the outcome; what is wrong with it is noted."""
        kind = class_of(asked)
        self.outcomes[kind] += 1
        told = asked.reply.raw[-400:] if asked.reply else repr(asked.lost)
        if kind not in expected:
            self.note(asked, f"{kind} instead of {' or '.join(sorted(expected))}: {told}")
        elif kind == ANSWER and asked.reply:
            self.ids[id_of(asked.reply)] += 1
            try:
                asked.question.check(asked.reply)
            except AssertionError as error:
                self.note(asked, f"the answer is not whole: {error}: {told}")
        elif asked.reply:
            self._check_error(asked, asked.reply, kind)
        return kind

    def note(self, asked: Asked, what: str) -> None:
        question = asked.question
        way = "stream" if question.stream else "plain"
        self.wrong.append(f"#{question.number} {question.route} {way} {question.kind} {question.mix.attempts}: {what}")

    def _check_error(self, asked: Asked, reply: Reply, kind: str) -> None:
        failure, status = reply.failure, CLASSES[kind][0]
        assert failure
        if not reply.streamed:
            if reply.status != status:
                self.note(asked, f"status {reply.status} for {kind}")
            return
        # LiteLLM ends each stream of responses with the mark, whatever came before it, and each that began with a ping.
        marked = reply.route == RESPONSES or reply.raw.startswith(": ping")
        if reply.finish is not None or (reply.done and not marked):
            self.note(asked, f"an end behind an error: {reply.raw[-400:]}")
        types = STREAM_TYPES.get(reply.route, {}).get(status)
        known = failure.type if reply.route == MESSAGES else failure.code
        if reply.route in STREAM_TYPES:
            if types and known not in types:
                self.note(asked, f"{known} for {kind}: {reply.raw[-400:]}")
        elif failure.code != str(status):
            self.note(asked, f"code {failure.code} for {kind}")


def class_of(asked: Asked) -> str:
    if asked.lost or not asked.reply:
        return HANGING if "Timeout" in type(asked.lost).__name__ else LOST
    failure = asked.reply.failure
    if failure is None:
        return ANSWER if asked.reply.status == 200 else UNKNOWN
    found = [kind for kind, (_, words) in CLASSES.items() if re.search(words, failure.message)]
    return found[0] if len(found) == 1 else UNKNOWN
