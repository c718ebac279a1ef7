"""Switches of the simulator, alone and mixed: what is set for the attempts of one question."""

import random
from dataclasses import dataclass, fields
from typing import Any

from simulator.control.faults import Faults

Switches = dict[str, Any]
MB = 1024 * 1024
FOR_EVER = 600.0  # longer than any time limit here
HUGE = 1_000_000
STATUSES = (400, 401, 403, 404, 408, 413, 418, 422, 429, 500, 502, 503, 504)
BODIES: tuple[Any, ...] = ("", "no JSON", {"message": "no"}, {"code": "INFERENCE_9999_UNHEARD_OF", "details": "no"})

# In place of an answer.
REFUSALS: tuple[Switches, ...] = (
    *({"status": status} for status in STATUSES),
    *({"status": status, "body": body} for status in (200, 400, 503) for body in BODIES),
    *({"html": True, "status": status} for status in (200, 403, 429, 502, 503, 504)),
    {"html": True, "content_type": "application/json"},
    *({"redirect": "http://127.0.0.1:9/elsewhere", "status": status} for status in (301, 302, 307, 308)),
    {"disconnect": "close"},
    {"disconnect": "reset"},
    {"header_delay": FOR_EVER},
    {"status": 429, "retry_after": "3000"},
    {"status": 503, "retry_after": "3000"},
    {"status": 503, "retry_after": "soon"},
    {"rate_limit": 0},
    {"rate_limit": 0, "rate_window": 1.0},
    {"not_shared": True},
    {"token_limit": 200_000, "extra_input": HUGE},
)
# Instead of the end of an answer.
BREAKS: tuple[Switches, ...] = (
    *({"break_after": after} for after in (0, 1, 3, 1000)),
    *({"stall_after": after} for after in (0, 1, 3, 1000)),
    *({"error_after": after, "error_form": form} for after in (0, 2, 1000) for form in ("object", "event")),
    {"empty_answer": True},
    {"null_message": True},
    {"endless_empties": True},
    {"final_object": False},
    {"stop_reason": "absent", "usage": "absent"},
    {"first_byte_delay": FOR_EVER},
    {"flood": "lines", "flood_bytes": MB // 4},
    {"flood": "line", "flood_bytes": 5 * MB},
    {"flood": "delta", "flood_bytes": 5 * MB},
    {"flood": "nested", "flood_bytes": 5 * MB},
    {"json_instead": True, "first_byte_delay": 0.3, "non_streaming_limit": 0.1},
)
# Other ways to write the same answer.
WRITINGS: tuple[Switches, ...] = (
    *({"line_end": end} for end in ("crlf", "lf", "cr")),
    *({"pieces": pieces} for pieces in ("tokens", "characters", "surrogates", "whole")),
    *({"cut_bytes": size} for size in (1, 7, 1000)),
    *({"deltas_per_write": size} for size in (2, 50)),
    *({"delta_form": form} for form in ("bare", "full", "answer")),
    *({"usage": form} for form in ("input", "user", "nulls", "absent", "null")),
    *({"stop_reason": reason} for reason in ("stop", "null", "absent")),
    *({"empties": count} for count in (0, 1, 5)),
    {"comments": True},
    {"escape": True},
    {"done": True},
    {"done": False},
    {"usage_as_strings": True},
    {"extra_input": 777},
    {"extra_output": 99},
    {"final_message": "absent"},
    {"knowledge": True},
    {"cumulative": True},
    {"refuse_unknown_fields": True},
    {"non_json": True},
    {"non_text": True},
    {"json_instead": True},
    {"header_delay": 0.2},
    {"first_byte_delay": 0.2},
    {"delta_delay": 0.01},
    {"stream_content_type": "application/octet-stream"},
    {"headers": {"X-Strange": "yes", "Set-Cookie": "a=b"}},
    {"flood": "comments", "flood_bytes": MB},
    {"flood": "empties", "flood_bytes": MB // 4},
    {"flood": "nested", "flood_bytes": 10_000},
)
SINGLES = ({}, *WRITINGS, *BREAKS, *REFUSALS)
# Means nothing for an agent.
ELSEWHERE = {"fail_execution"}


@dataclass(frozen=True)
class Mix:
    """The switches of each attempt in turn; the last ones stay."""

    attempts: tuple[Switches, ...]

    def as_faults(self) -> list[dict[str, Any]]:
        *passing, last = self.attempts
        return [*({**one, "times": 1} for one in passing), dict(last)]


def alone(at: int) -> Mix:
    """The single switches, one after the other."""
    return Mix((SINGLES[at % len(SINGLES)],))


def random_mix(dice: random.Random) -> Mix:
    """Some ways of writing, often a break or a refusal, sometimes one that passes before it."""
    passing = [_refusal(dice)] if dice.random() < 0.25 else []
    last: Switches = {}
    for writing in dice.sample(WRITINGS, dice.randint(0, 5)):
        last |= writing
    for _ in range(dice.choice((0, 1, 1, 2))):
        last |= dice.choice(BREAKS)
    if dice.random() < 0.15:
        last |= _refusal(dice)
    return Mix((*passing, last))


def _refusal(dice: random.Random) -> Switches:
    return dice.choice(REFUSALS)


def switches_used() -> set[str]:
    return {name for one in SINGLES for name in one} | {"times", "flood_bytes"}


def all_switches() -> set[str]:
    return {field.name for field in fields(Faults)} - ELSEWHERE
