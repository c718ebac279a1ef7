"""What is asked. Every contestant gets the same request and gives the same text in the same pieces."""

import json
from dataclasses import dataclass
from typing import Any, Literal

from bench.requests import CODE, PROSE, messages, tools

Prompt = Literal["1 KB", "230 KB and 36 tools", "100,000 tokens"]
NONCE = "@nonce@"  # each request differs there, so that no cache answers for the work
TOKENS_OF_A_UNIT = 47  # by cl100k_base, of prose and code together
LONG = "Five hundred pieces, please."
# Of three characters each, as LiteLLM's mock cuts whatever it is given.
FIRST, LAST = "Go ", "end"


def answer(deltas: int) -> list[str]:
    return [FIRST, *(f"{number % 100:02d} " for number in range(deltas - 2)), LAST]


@dataclass(frozen=True)
class Cell:
    """One kind of request, and how many clients send it at once."""

    clients: int
    stream: bool
    deltas: int = 20
    prompt: Prompt = "1 KB"
    pace: float = 0.0  # seconds between the upstream's deltas

    @property
    def name(self) -> str:
        asked = "plain" if not self.stream else f"stream of {self.deltas}"
        asked += f", {1000 * self.pace:.0f} ms apart" if self.pace else ""
        asked += "" if self.prompt == "1 KB" else f", {self.prompt}"
        return f"{asked}, {self.clients} client{'s' if self.clients > 1 else ''}"

    def body(self, model: str) -> tuple[str, str]:
        """What stands before and after the nonce."""
        wanted = {"model": model, "stream": self.stream, **_asked(self.prompt)}
        wanted["messages"].append({"role": "user", "content": LONG if self.deltas == 500 else "Twenty, please."})
        before, _, after = json.dumps(wanted).partition(NONCE)
        return before, after


def _asked(prompt: Prompt) -> dict[str, Any]:
    match prompt:
        case "1 KB":
            return {"messages": [{"role": "system", "content": f"Request {NONCE}. " + PROSE * 20}]}
        case "230 KB and 36 tools":
            offered = tools()
            talk = messages(230_000 - len(json.dumps(offered)))
            talk[0]["content"] = f"Request {NONCE}. {talk[0]['content']}"
            return {"messages": talk, "tools": offered}
        case _:
            text = (PROSE + CODE) * (100_000 // TOKENS_OF_A_UNIT)
            return {"messages": [{"role": "system", "content": f"Request {NONCE}. {text}"}]}


CORE = (
    *(Cell(clients, stream) for stream in (False, True) for clients in (1, 16, 64)),
    Cell(16, True, deltas=500),
    Cell(16, True, pace=0.02),
    *(Cell(4, stream, prompt="230 KB and 36 tools") for stream in (False, True)),
    *(Cell(4, stream, prompt="100,000 tokens") for stream in (False, True)),
)
TWO = (Cell(16, False), Cell(16, True))
