"""What is typed behind `make`: a name that nobody takes is refused, and no value is more than a value."""

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

import click
import pytest

from gateway import cli
from gateway.failures import InputError
from gateway.make import ARGUMENTS, TARGETS, arguments, mistakes
from tests.harness import ROOT, clean_environment
from tests.sampling import every


def make(*words: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    setting = {"LITELLM_MASTER_KEY": "sk-of-this-test", "GATEWAY_URL": "http://127.0.0.1:9", **environ}
    return subprocess.run(
        ["make", "--silent", *words],
        cwd=ROOT,
        env=clean_environment(setting),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    every(
        3,
        [
            ("key NAME=zoe BUGDET=5", "BUGDET is unknown; did you mean BUDGET? `make key` takes NAME, TEAM, BUDGET,"),
            ("key name=zoe", "name is unknown; did you mean NAME?"),
            ("key NAME=zoe NMAE=zoe", "NMAE is unknown; did you mean NAME?"),
            ("keys BUDGET=5", "BUDGET has no meaning here: `make keys` takes no options."),
            ("revoke NAME=zoe BUDGET=5", "BUDGET has no meaning here: `make revoke` takes NAME."),
            ("team NAME=a EXPIRES=30d", "EXPIRES has no meaning here: `make team` takes NAME, BUDGET,"),
            ("usage DAY=3", "DAY is unknown; did you mean DAYS?"),
            ("client NAM=codex", "NAM is unknown; did you mean NAME?"),
            ("demo ONEC=1", "ONEC is unknown; did you mean ONCE?"),
            ("run GATEWAY_PROT=1", "GATEWAY_PROT is unknown; did you mean GATEWAY_PORT?"),
            ("run STACKSPOT_AGENTID=1", "STACKSPOT_AGENTID is unknown; did you mean STACKSPOT_AGENT_ID?"),
            ("restore FILES=x", "FILES is unknown; did you mean FILE?"),
            ("up KEY_BUGDET=1", "KEY_BUGDET is unknown; did you mean KEY_BUDGET?"),
            ("env FORCE=1", "FORCE is unknown"),
            ("run VENV=/tmp/other", "VENV is unknown"),
        ],
    ),
)
def test_what_no_target_takes_is_refused(words: str, sentence: str) -> None:
    run = make(*words.split())
    assert run.returncode != 0
    assert run.stderr.startswith(sentence)
    assert run.stdout == ""
    assert len(run.stderr.splitlines()) == 2, "the sentence, and make's own line"


@pytest.mark.parametrize(
    ("goals", "names"),
    [
        ("key keys", "NAME BUDGET ROTATE"),
        ("run", "GATEWAY_PORT HTTPS_PROXY DATABASE_URL"),
        ("up", "GATEWAY_WORKERS"),
        ("usage", "DAYS FORMAT GATEWAY_URL LITELLM_MASTER_KEY PYTHON"),
        ("lint test", "PYTEST_ADDOPTS WHATEVER"),
    ],
)
def test_what_has_a_meaning_is_not(goals: str, names: str) -> None:
    assert mistakes({"TYPED_GOALS": goals, "TYPED_VARIABLES": names}) == []


def test_every_target_for_users_is_checked() -> None:
    rules = re.findall(r"^([a-z-]+): \.(?:typed|admin)\b", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(rules) == set(TARGETS)


def command(words: Iterable[str]) -> click.Command:
    found: click.Command = cli.program
    for word in words:
        assert isinstance(found, click.Group)
        found = found.commands[word]
    return found


@pytest.mark.parametrize("target", [name for name, target in TARGETS.items() if target.words])
def test_both_spellings_are_one(target: str) -> None:
    """What may be typed behind a target are the options and arguments of its command, and no others."""
    wanted = TARGETS[target]
    behind = command(wanted.with_name or wanted.words)
    options = {name for each in behind.params if isinstance(each, click.Option) for name in each.opts}
    named = {each.name.upper() for each in behind.params if isinstance(each, click.Argument) and each.name}
    typed = set(wanted.variables) - {"ROTATE", "UPDATE"}
    assert {f"--{name.lower().replace('_', '-')}" for name in typed - set(ARGUMENTS)} == options - {"--json"}
    assert typed & set(ARGUMENTS) == named
    if target == "key":
        for flag in ("rotate", "update"):
            other = {name for each in command(["keys", flag]).params for name in each.opts}
            assert other | {"--json"} == options | {"name", "--json"}


@pytest.mark.parametrize(
    ("target", "typed", "expected"),
    [
        ("key", {"NAME": "a", "BUDGET": "5", "TEAM": "t"}, "keys create --team=t --budget=5 -- a"),
        ("key", {"NAME": "a", "ROTATE": "1"}, "keys rotate -- a"),
        ("key", {"NAME": "a", "UPDATE": "yes", "ROTATE": "0", "RPM": ""}, "keys update -- a"),
        ("key", {}, "keys create"),
        ("team", {}, "teams list"),
        ("team", {"NAME": "t", "RPM": "none"}, "teams set --rpm=none -- t"),
        ("restore", {"FILE": "--x"}, "restore -- --x"),
        ("demo", {"ONCE": "1"}, "demo --once"),
        ("usage", {"DAYS": "-1", "GATEWAY_URL": "x"}, "usage --days=-1"),
    ],
)
def test_what_the_command_line_is_given(target: str, typed: dict[str, str], expected: str) -> None:
    environ = {**typed, "TYPED_VARIABLES": " ".join(typed), "EXPIRES": "not typed"}
    assert arguments(target, environ) == expected.split()


def test_a_switch_is_on_or_off() -> None:
    with pytest.raises(InputError, match="ROTATE is 'maybe': it has to be 1 or 0"):
        arguments("key", {"ROTATE": "maybe", "TYPED_VARIABLES": "ROTATE"})


def test_what_merely_happens_to_be_set_is_no_mistake_and_no_option() -> None:
    run = make("key", NAME="wsl-sets-this", BUGDET="5")
    assert run.stderr.startswith("NAME is missing")
    assert make("client", NAME="codex").stderr.startswith("Say which client")


PLACES = [("restore", "FILE"), ("client", "NAME"), ("demo", "ONCE"), ("key", "BUGDET"), ("env", "PYTHON")]
SHAPES = ['x"; touch {}; "', "'; touch {}; '", "$(shell touch {})", "`touch {}`", "$$(touch {})"]


# One in six are each place once and each shape once.
@pytest.mark.parametrize(
    ("target", "variable", "shape"), every(6, [(*place, shape) for place in PLACES for shape in SHAPES])
)
def test_a_value_runs_nothing(tmp_path: Path, target: str, variable: str, shape: str) -> None:
    run = make(target, f"{variable}={shape.format(tmp_path / 'ran')}", GATEWAY_PORT="abc")
    assert run.returncode != 0
    assert not (tmp_path / "ran").exists()


def test_a_value_arrives_as_it_was_typed() -> None:
    assert "There is no client a$b \"c' $(d)" in make("client", "NAME=a$b \"c' $(d)").stderr
