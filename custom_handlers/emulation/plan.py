"""What is asked of the model, how its answer is read, and what can be wrong with it."""

from dataclasses import dataclass

from custom_handlers.emulation.parts import Call
from custom_handlers.emulation.structured import OutputFormat
from custom_handlers.emulation.tool_prompt import Tooling


@dataclass(frozen=True, slots=True)
class Plan:
    """What to ask, and how to read the answer."""

    prompt: str
    tooling: Tooling | None = None
    output: OutputFormat | None = None
    stops: tuple[str, ...] = ()
    max_tokens: int | None = None
    turns: bool = False  # the prompt is a transcript, of which the model may invent the next turn
    thinking_open: bool = False  # an answer begins inside a thought


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an answer cannot be used: `told` to the caller, `reason` and `remedy` to the model."""

    told: str
    reason: str
    remedy: str
    call: Call | None = None  # the one at fault, when it could be passed on as it is
    refusal: str | None = None
