"""What is asked of the model, how its answer is read, and how a correction is asked for."""

from dataclasses import dataclass

from custom_handlers.emulation.parser.segments import ToolCall
from custom_handlers.emulation.structured_output import OutputFormat
from custom_handlers.emulation.tools import ToolConfig


@dataclass(frozen=True, slots=True)
class EmulatedRequest:
    """What to ask, and how to read the answer."""

    prompt: str
    tool_config: ToolConfig | None = None
    output: OutputFormat | None = None
    stop: tuple[str, ...] = ()
    max_tokens: int | None = None
    turns: bool = False  # the prompt is a transcript, of which the model may invent the next turn
    thinking_open: bool = False  # an answer begins inside a thought


@dataclass(frozen=True, slots=True)
class RepairRequest:
    """What is wrong with an answer: `kind` is telemetry's word for it, `error` is the caller's sentence, `reason` and
    `instruction` are the model's.
    """

    kind: str
    error: str
    reason: str
    instruction: str
    call: ToolCall | None = None  # the one at fault, when it could be passed on as it is
    refusal: str | None = None
