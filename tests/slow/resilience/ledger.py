"""What the database holds of a developer's calls, read past the gateway, in tokens (the default prices make it so)."""

from dataclasses import dataclass
from pathlib import Path

import psycopg

from database.postgres import Server
from tests.developers import Developer
from tests.slow.resilience.load import Answer
from tests.waiting import eventually

BUDGET = """SELECT spend FROM "LiteLLM_VerificationToken" WHERE token = %s"""
DAILY = """SELECT sum(prompt_tokens + completion_tokens) FROM "LiteLLM_DailyUserSpend" WHERE api_key = %s"""
ROWS = """SELECT request_id FROM "LiteLLM_SpendLogs" WHERE api_key = %s AND status = 'success'"""


@dataclass(frozen=True)
class Account:
    """The three places in which LiteLLM keeps the same calls."""

    budget: int  # the key's own total, which its budget is checked against
    daily: int  # the totals a day, which the usage page and `make usage` show
    rows: frozenset[str]  # one row a call, by the id that its caller got


class Ledger:
    def __init__(self, data: Path) -> None:
        self._data = data

    def of(self, developer: Developer) -> Account:
        with psycopg.connect(Server(self._data).url()) as connection:
            found = connection.execute(BUDGET, [developer.token]).fetchone()
            assert found, f"the key of {developer.name} is gone"
            daily = connection.execute(DAILY, [developer.token]).fetchone()
            rows = frozenset(row[0] for row in connection.execute(ROWS, [developer.token]))
        return Account(round(found[0] * 1_000_000), int(daily[0] or 0) if daily else 0, rows)

    def wait_until_complete(self, developer: Developer, answers: list[Answer]) -> Account:
        """Every answer is in all three places."""
        tokens, ids = sum(answer.tokens for answer in answers), {answer.id for answer in answers}

        def complete() -> bool:
            account = self.of(developer)
            return account.budget >= tokens and account.daily >= tokens and account.rows >= ids

        eventually(complete, f"{tokens} tokens of {len(ids)} calls are recorded: {self._data}")
        return self.of(developer)
