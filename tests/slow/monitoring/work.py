"""What a team does to a gateway: a known number of calls, good and bad, so that figures can be compared with them."""

import itertools
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx

from simulator.client import Simulator
from tests.developers import Developer, hire
from tests.harness import Server

SECRET_WORD = "quinquagesima"  # in every prompt; no metric may hold it
END_USER = "whoever-a-client-says"
TOOL = {"type": "function", "function": {"name": "read", "parameters": {"type": "object", "required": ["path"]}}}
CALL = '<tool_call>{"name": "read", "arguments": {"path": "a"}}</tool_call>'
UNREADABLE = '<tool_call>{"name": "read", "arguments": {"path": "a</tool_call>'
MODELS = ("stackspot", "stackspot-code", "stackspot-assistant")


@dataclass
class Team:
    """Developers at one gateway. `statuses` and `tokens` are what they have seen."""

    gateway: Server
    simulator: Simulator
    ana: Developer
    bruno: Developer
    statuses: Counter[int] = field(default_factory=Counter)
    tokens: int = 0

    def ask(self, developer: Developer, model: str = "stackspot-code", **body: Any) -> httpx.Response:
        messages = [{"role": "user", "content": f"Say {SECRET_WORD}."}]
        answer = httpx.post(
            f"{self.gateway.url}/v1/chat/completions",
            headers={"Authorization": f"Bearer {developer.key}", "User-Agent": END_USER},
            json={"model": model, "messages": messages, "user": END_USER, **body},
            timeout=60,
            trust_env=False,
        )
        self.statuses[answer.status_code] += 1
        if answer.status_code == 200 and not body.get("stream"):
            self.tokens += answer.json()["usage"]["total_tokens"]
        return answer

    def stream(self, developer: Developer) -> None:
        answer = self.ask(developer, stream=True, stream_options={"include_usage": True})
        chunks = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: {")]
        usages = [chunk["usage"]["total_tokens"] for chunk in chunks if chunk.get("usage")]
        self.tokens += usages[-1] if usages else 0

    def answered(self, calls: int) -> None:
        for developer, model in itertools.islice(itertools.cycle(itertools.product(self.both, MODELS)), calls):
            self.ask(developer, model)
        self.stream(self.ana)

    def tools(self) -> None:
        """One call that is right at once, one that is corrected, and one that stays unreadable."""
        for answers in ([CALL], [UNREADABLE, CALL], [UNREADABLE, UNREADABLE]):
            self.simulator.answer(*answers)
            self.ask(self.ana, tools=[TOOL])

    def failures(self) -> None:
        """StackSpot is overloaded once, limits once, and refuses the agent: the first two nobody sees."""
        for status in (503, 429, 403):
            self.simulator.faults(status=status, times=1)
            self.ask(self.bruno)
        self.simulator.no_faults()

    def refused(self) -> None:
        """By the gateway itself, and with what would make one series for each client."""
        for number in range(3):
            self.ask(Developer("nobody", f"sk-unknown-{number}"))
            self.ask(self.ana, f"{END_USER}-{number}")

    def at_once(self, calls: int) -> None:
        with ThreadPoolExecutor(calls) as pool:
            for done in [pool.submit(self.ask, self.both[number % 3 == 0]) for number in range(calls)]:
                done.result()

    @property
    def both(self) -> tuple[Developer, Developer]:
        return self.ana, self.bruno


def form_team(gateway: Server, simulator: Simulator) -> Team:
    return Team(gateway, simulator, hire(gateway, "ana"), hire(gateway, "bruno"))
