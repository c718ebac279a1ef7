"""The scripted model in DSPy's form: tools told in prose, calls and results as fields of a text."""

from typing import Any

from custom_handlers.emulation.emulator import prepare
from simulator.model.scripted_agent import ScriptedAgent
from simulator.model.transcript import Transcript

TOOLS = """\
When selecting the next_tool_name and its next_tool_args, the tool must be one of:

    (1) run_command, whose description is <desc>Run {'a': 1}</desc>. It takes arguments {'command': {'type': 'string'}}.
    (2) finish, whose description is <desc>Marks the task as complete.</desc>. It takes arguments {}."""
TASK = "In `a.py` replace `one` with `two`. Run `make test`."
NEXT = ("next_thought", "next_tool_name", "next_tool_args", "completed")
LAST = ("reasoning", "answer", "completed")


def field(name: str, value: str = "") -> str:
    return f"[[ ## {name} ## ]]\n{value}\n\n"


def answer(calls: list[tuple[str, str, str]], wanted: tuple[str, ...] = NEXT) -> str:
    """What the model says after `calls`: each a tool, its arguments and what it said."""
    trajectory = "".join(
        field(f"thought_{at}", "So.") + field(f"tool_name_{at}", name) + field(f"tool_args_{at}", arguments)
        + field(f"observation_{at}", result)
        for at, (name, arguments, result) in enumerate(calls)
    )  # fmt: skip
    first, *others = (f"`[[ ## {name} ## ]]`" for name in wanted)
    asked = f"Respond with the corresponding output fields, starting with the field {first}, then {', '.join(others)}."
    user = field("task", TASK) + "[[ ## trajectory ## ]]\n" + trajectory + asked
    messages: list[dict[str, Any]] = [{"role": "system", "content": TOOLS}, {"role": "user", "content": user}]
    prompt = prepare(messages, {}).prompt
    assert Transcript(prompt).fields == list(wanted)
    return ScriptedAgent().answer(prompt).text


LISTED = ("run_command", '{"command": "echo folder:$PWD; ls"}', "folder:/home/dev\na.py")
READ = ("run_command", '{"command": "cat a.py"}', "value = 'one'")
EDITED = ("run_command", '{"command": "sed -i s/one/two/ a.py"}', "")
RAN = ("run_command", '{"command": "make test"}', "1 passed")


def test_the_next_call_is_written_in_fields() -> None:
    text = answer([])
    assert text.startswith(
        "[[ ## next_thought ## ]]\nI will look around first.\n\n[[ ## next_tool_name ## ]]\nrun_command"
    )
    assert '[[ ## next_tool_args ## ]]\n{"command": "echo folder:$PWD; ls"}' in text
    assert text.endswith("[[ ## completed ## ]]")


def test_each_step_follows_the_results() -> None:
    calls = [LISTED, READ, EDITED, RAN]
    for done, following in enumerate((*calls, ("finish", "{}", "Completed."))):
        text = answer(calls[:done])
        assert f"[[ ## next_tool_name ## ]]\n{following[0]}\n\n[[ ## next_tool_args ## ]]\n{following[1]}\n" in text


def test_at_the_end_it_says_what_the_last_tool_said() -> None:
    text = answer([LISTED, READ, EDITED, RAN, ("finish", "{}", "Completed.")], LAST)
    assert "[[ ## answer ## ]]\n1 passed\n" in text
    assert "next_tool_name" not in text
