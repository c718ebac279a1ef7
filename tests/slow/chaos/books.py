"""What a question may have cost by what the simulator has recorded, and what LiteLLM has booked for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from custom_handlers.emulation.tokenizer import estimate
from custom_handlers.meter import texts
from tests.developers import Developer
from tests.slow.chaos.lanes import Asked
from tests.slow.chaos.verdicts import CHARGED

MOST_PROMPT = 2000
A_WORD = 3
BUDGET = """SELECT spend FROM "LiteLLM_VerificationToken" WHERE token = %s"""
DAILY = """SELECT sum(prompt_tokens + completion_tokens) FROM "LiteLLM_DailyUserSpend" WHERE api_key = %s"""
ROWS = """SELECT prompt_tokens + completion_tokens, status, request_id FROM "LiteLLM_SpendLogs"
          WHERE api_key = %s ORDER BY "startTime" """


@dataclass(frozen=True)
class Booked:
    """The three places in which LiteLLM keeps the same calls, in tokens."""

    budget: int
    daily: int
    rows: list[tuple[int, str, str]]

    @classmethod
    def of(cls, developer: Developer, database: str) -> "Booked":
        with psycopg.connect(database) as connection:
            budget = connection.execute(BUDGET, [developer.token]).fetchone()
            daily = connection.execute(DAILY, [developer.token]).fetchone()
            rows = [(int(row[0]), str(row[1]), str(row[2])) for row in connection.execute(ROWS, [developer.token])]
        return cls(round(budget[0] * 1_000_000) if budget else 0, int((daily and daily[0]) or 0), rows)


def cost(asked: Asked, kind: str, records: list[Mapping[str, Any]]) -> tuple[int, int]:
    """The least and the most tokens: equal unless an answer broke off, of which a part may not have arrived."""
    if kind not in CHARGED:
        return 0, 0
    if not records:  # lost on the way: the gateway cannot know, and books the prompt
        return 0, MOST_PROMPT
    last = records[-1]
    if usage := last["usage"]:
        told = usage["input"] + usage["output"]
        if kind in ("answer", "empty"):
            return told, told
    body = last["body"]
    prompt = estimate(body["user_prompt"] if "user_prompt" in body else "\n".join(texts(body["messages"])))
    # Of the switch that repeats itself, each delta has all before it; a scripted body may hold a word, too.
    # An answer that is no stream has no deltas, and repeats nothing.
    repeated = max(last["deltas"], 1) if any(one.get("cumulative") for one in asked.question.mix.attempts) else 1
    written = estimate(last["answer"]) * repeated if last["answer"] else A_WORD
    if last["status"] not in (200, None):  # refused, and then there was no token, or no time, for another try
        return 0, prompt + written
    if kind == "answer" and repeated == 1:
        return prompt + written, prompt + written
    return prompt, prompt + written
