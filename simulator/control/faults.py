"""Every way in which the service can vary or fail, as one value.

Defaults are the service as last measured: bare deltas (MIDIR), usage as `input` and `output` (STKAI, MIDIR), CRLF line
ends (MIDIR's own stand-in), an empty delta at both ends (STKAI), a final object and no `[DONE]` (MIDIR, STKAI, GAMBI),
and a cut of plain calls at 120 s (GAMBI).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from simulator.api.flood import Flood
from simulator.usage import UsageForm


@dataclass(frozen=True, slots=True)
class ServiceFaults:
    """What can go wrong with any service. `times`: gone after so many requests; None: until replaced or reset."""

    times: int | None = None
    status: int | None = None
    """Answer with this status at once, and the service's known body for it unless `body` or `html` says other."""
    body: Any = None
    """The body for `status`: a string goes out as it is, anything else as JSON."""
    html: bool = False
    """The body is a gateway's HTML page (status 502 unless `status` says other)."""
    content_type: str | None = None
    """Content type of such a body."""
    headers: dict[str, str] | None = None
    """Headers added to whatever is answered."""
    redirect: str | None = None
    """302 (or `status`) to this address."""
    header_delay: float = 0.0
    """Seconds before anything is answered, status line included."""
    disconnect: Literal["close", "reset"] | None = None
    """Drop the connection before any response: orderly, or with a TCP reset."""
    retry_after: str | None = None
    """A Retry-After header on 429 and 503. The service sends none (MIDIR)."""


@dataclass(frozen=True, slots=True)
class ModelFaults(ServiceFaults):
    """What can go wrong with any service that answers with a model's text: agents, and the OpenAI-shaped API."""

    # It refuses.
    rate_limit: int | None = None
    """More chats than this in `rate_window` by one realm and client: 429 with the 3008 body (MIDIR)."""
    rate_window: float = 60.0
    token_limit: int | None = None
    """A longer prompt is refused with the 6001 body (MIDIR)."""

    # It takes its time.
    first_byte_delay: float | None = None
    """Seconds between the headers and the first byte of the body; None: as started."""
    delta_delay: float | None = None
    """Seconds between two writes of deltas; None: as started."""
    non_streaming_limit: float | None = 120.0
    """A plain call that takes longer is cut with no response at all (GAMBI)."""

    # It counts.
    usage: UsageForm = "input"
    """Which form of `tokens` is sent; `null` and `absent` send none. For `key`: `absent` withholds usage."""
    extra_input: int = 0
    """Tokens of the agent's own system prompt, which count as input (STKAI)."""
    extra_output: int = 0
    """Tokens of reasoning, which count as output (MIDIR)."""

    # It writes.
    stream_content_type: str = "text/event-stream; charset=utf-8"
    """No capture shows it. Python's SSE library names the charset, and STKAI needs it to read more than ASCII."""
    line_end: Literal["crlf", "lf", "cr"] = "crlf"
    comments: bool = False
    """A comment line before every write."""
    pieces: Literal["tokens", "characters", "surrogates", "whole"] | None = None
    """How the text is cut: by about a token, by character, by UTF-16 unit (pairs over two deltas), not at all."""
    deltas_per_write: int = 1
    cut_bytes: int | None = None
    """Cut the whole stream into writes of so many bytes, wherever that falls."""
    escape: bool = False
    """JSON with \\u escapes instead of UTF-8."""
    done: bool | None = None
    """Whether `[DONE]` ends the stream; None: as the API does (agents no, `key` yes)."""

    # It breaks.
    empty_answer: bool = False
    break_after: int | None = None
    """Drop the connection after so many deltas; a plain answer breaks in the middle of its body."""
    stall_after: int | None = None
    """Silence for ever after so many deltas; a plain answer stalls in the middle of its body."""
    error_after: int | None = None
    """After so many deltas an error, which ends the stream (STKAI's parser; invented there)."""
    error_form: Literal["object", "event"] = "object"
    """The error as an object with `type` = `error`, or as an SSE event called error."""
    flood: Flood | None = None
    """Before the answer as much of one thing as `flood_bytes` say: data lines without a blank one, comments, deltas
    that are empty or tiny, one line, one delta, or brackets."""
    flood_bytes: int = 64 * 1024 * 1024
    non_json: bool = False
    """A line that is not JSON after the first write of deltas."""
    json_instead: bool = False
    """A plain JSON answer although a stream was asked for (GAMBI, SHARK)."""


@dataclass(frozen=True, slots=True)
class Faults(ModelFaults):
    """One set of switches: what can go wrong with an agent, and the one that only quick commands know."""

    # It refuses.
    not_shared: bool = False
    """403 with an empty body (MIDIR)."""
    refuse_unknown_fields: bool = False
    """422 for a field that the reference does not list. Whether the service does so is unknown."""

    # It writes.
    delta_form: Literal["bare", "full", "answer"] = "bare"
    """Only `message` (MIDIR), also the empty containers (STKAI), or the shape of a plain answer (GAMBI)."""
    usage_as_strings: bool = False
    """Counts as strings (MIDIR tolerates them)."""
    final_object: bool = True
    """False: the stream ends, orderly, without the final object (MIDIR)."""
    final_message: Literal["empty", "absent"] = "empty"
    """Whether the final object has an empty `message`, or none."""
    stop_reason: Literal["stop", "null", "absent"] = "stop"
    """Only `stop` was ever seen (DOC-AG, GAMBI); MIDIR also ends on a null."""
    empties: int = 1
    """Empty deltas at the start, and as many before the final object (STKAI)."""
    knowledge: bool = False
    """The agent has a knowledge source, reported when `return_ks_in_response` is true (DOC-AG, POTENTII)."""
    cumulative: bool = False
    """Every delta repeats everything before it (GAMBI defends against it)."""

    # It breaks.
    null_message: bool = False
    """`message` is null, output tokens are counted (LCGRAPH)."""
    endless_empties: bool = False
    """Empty deltas for ever, no final object (COPILOT)."""
    non_text: bool = False
    """An object whose `message` is not text after the first write of deltas."""

    # A quick command.
    fail_execution: bool = False
    """A quick command ends as FAILURE (STKAI, POTENTII)."""
