"""What the emulation costs, in CPU time of one core: a coding agent's request, and answers read in pieces.

To reach: 36 tools in a request of 230 KB cost less than 10 ms beyond the same request without tools, most of it once
per distinct tool list; the parser reads more than 20 MB/s whole and 10 MB/s in pieces of 4 characters; time grows
linearly with the prompt and with the answer.
"""

import asyncio
import functools
import itertools
import json
import os
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

from bench.requests import CODE, PROSE, messages, tools, write_call
from custom_handlers.core.events import Delta, Event, Finish
from custom_handlers.emulation import context_window, tokenizer
from custom_handlers.emulation.emulator import emulate, prepare
from custom_handlers.emulation.parser.tool_call_parser import ToolCallParser
from custom_handlers.emulation.tools import forget

MB = 1_000_000
WHOLE = 10 * MB


def cpu(work: Callable[[], Any], rounds: int = 7, before: Callable[[], Any] = lambda: None) -> float:
    """Seconds of CPU time, the best of some rounds: others share the machine."""
    best = float("inf")
    for _ in range(rounds):
        before()
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return best


def pieces(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def requests() -> float:
    """Milliseconds that a list of tools costs the first time."""
    offered = {"tools": tools()}
    talk = messages(230_000 - len(json.dumps(offered)))
    size = len(json.dumps({"messages": talk, **offered}))
    plain = cpu(lambda: prepare(talk, {}))
    first = cpu(lambda: prepare(talk, offered), before=forget)
    later = cpu(lambda: prepare(talk, offered))
    print(f"A request of {size / 1000:.0f} KB with {len(offered['tools'])} tools")
    print(f"  without tools               {plain * 1000:7.2f} ms")
    print(f"  first time with this list   {(first - plain) * 1000:+7.2f} ms   (to reach: below 10)")
    print(f"  every other time            {(later - plain) * 1000:+7.2f} ms")
    return (first - plain) * 1000


def parser() -> dict[int, float]:
    """The least MB/s of all answers, by the size of the pieces."""
    tool_config = prepare([{"role": "user", "content": "Go."}], {"tools": tools()}).tool_config
    answers = {
        "prose": PROSE * 25_000,
        "code in prose": CODE * 12_000,
        "one call with a file": write_call(MB),
        "200 calls with files": (PROSE * 20 + write_call(4000)) * 200,
    }

    def read(cut: list[str]) -> None:
        reader = ToolCallParser(tool_config)
        for piece in cut:
            reader.feed(piece)
        reader.finish()

    sizes = (4, 64, 1024, WHOLE)
    print("\nThe parser, MB/s by size of the pieces (to reach: above 20 whole, 10 in pieces of 4)")
    print(f"  {'':22}" + "".join(f"{size if size < WHOLE else 'whole':>9}" for size in sizes))
    least = dict.fromkeys(sizes, float("inf"))
    for name, answer in answers.items():
        speeds = {size: len(answer) / MB / cpu(functools.partial(read, pieces(answer, size)), 9) for size in sizes}
        print(f"  {name:22}" + "".join(f"{speed:9.1f}" for speed in speeds.values()))
        least = {size: min(least[size], speed) for size, speed in speeds.items()}
    return least


def growth() -> None:
    print("\nGrowth, time for each size as a multiple of the one before (linear: 2)")
    offered = {"tools": tools(), "tool_choice": "auto", "stop": ["\0"], "max_tokens": 10 * MB}

    def prompts(size: int) -> Callable[[], Any]:
        talk = messages(size)
        return lambda: prepare(talk, offered)

    def answers(text: Callable[[int], str]) -> Callable[[int], Callable[[], Any]]:
        return lambda size: lambda: asyncio.run(answer(text(size), offered))

    sizes = [250_000, 500_000, MB, 2 * MB]
    for name, make in {
        "prompt": prompts,
        "answer, text": answers(lambda size: CODE * (size // len(CODE))),
        "answer, one call": answers(write_call),
        "answer, a call cut off": answers(lambda size: write_call(size)[: -len('"}}</tool_call>')] + '"'),
        "answer, blanks": answers(lambda size: "a" + " " * size),
        "answer, brackets": answers(lambda size: "<tool_call>" + "[{" * (size // 2)),
        "answer, end marks": answers(lambda size: '<tool_call>"' + "</tool_call>" * (size // 12)),
    }.items():
        times = [cpu(make(size), 2) for size in sizes]
        factors = "  ".join(f"{after / before:.2f}" for before, after in itertools.pairwise(times))
        print(f"  {name:24} {factors}   ({sizes[-1] // MB} MB: {times[-1] * 1000:.0f} ms)")


async def answer(text: str, parameters: dict[str, Any]) -> None:
    async def upstream(prompt: str) -> AsyncGenerator[Event]:
        for piece in pieces(text if prompt == planned.prompt else "No.", 16):
            yield Delta({"content": piece})
        yield Finish()

    planned = prepare([{"role": "user", "content": "Go."}], parameters)
    async for _ in emulate(planned, upstream):
        pass


def context() -> None:
    prompt = (PROSE + CODE) * 8000
    print(f"\nThe check of the context of {len(prompt) / MB:.1f} MB of prompt")
    tokens = tokenizer.count(prompt)
    for name, limit in {
        "far below": len(prompt),
        "under half of it": tokens * 9 // 4,
        "two thirds": tokens * 3 // 2,
        "near": tokens + 1,
    }.items():
        took = cpu(functools.partial(context_window.check_context, prompt, limit), 3)
        print(f"  {name:22}{took * 1000:9.2f} ms")


if __name__ == "__main__":
    requests()
    parser()
    growth()
    context()
