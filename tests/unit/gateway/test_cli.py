"""The command line: help, versions, what is refused, and shells that complete it."""

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from custom_handlers.version import __version__
from gateway import cli
from gateway.completion import script
from gateway.make import arguments, mistakes
from tests.harness import ROOT, clean_environment
from tests.sampling import every

NOWHERE = {"LITELLM_MASTER_KEY": "sk-of-this-test", "GATEWAY_URL": "http://127.0.0.1:9"}
DOCUMENTED = (ROOT / "docs" / "administration.md").read_text()
HOST_ONLY = ("env", "run", "demo", "backup", "restore x", "upgrade", "data remove", "clients list")


def gateway(*words: str, cwd: Path = ROOT, **environ: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "gateway", *words],
        cwd=cwd,
        env=clean_environment({**NOWHERE, **environ}),
        capture_output=True,
        text=True,
        check=False,
    )


@dataclass(frozen=True)
class Ran:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """The same without a process of its own, which costs more than the command."""
    for name in [name for name in os.environ if name.startswith(("GATEWAY_", "KEY_"))]:
        monkeypatch.delenv(name)
    for name, value in {**NOWHERE, "GATEWAY_ENV_FILE": os.devnull}.items():
        monkeypatch.setenv(name, value)

    def run(*words: str) -> Ran:
        status = cli.main(words)
        told = capsys.readouterr()
        return Ran(status, told.out, told.err)

    return run


def every_command(group: click.Group = cli.program, words: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, found in group.commands.items():
        if isinstance(found, click.Group):
            yield from every_command(found, f"{words}{name} ")
        else:
            yield f"{words}{name}", found


@pytest.mark.parametrize("words", ["", "--help", "-h", "keys", "keys create --help"])
def test_help(here: Callable[..., Ran], words: str) -> None:
    done = here(*words.split())
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: python -m gateway")


def test_every_command_and_option_says_what_it_is_for() -> None:
    for words, found in every_command():
        assert found.help, words
        assert not found.get_short_help_str(60).endswith("..."), words
        for parameter in found.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, (words, parameter.name)


def test_the_version_is_one() -> None:
    assert gateway("--version").stdout == f"stackspot-ai-team-gateway {__version__}\n"
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == __version__


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("bogus", "No such command 'bogus'."),
        ("keys creat", "No such command 'creat'."),
        ("keys create dev1 --bugdet 5", "No such option"),
        ("keys create dev1 dev2", "Got unexpected extra argument (dev2)"),
        ("keys create --budget", "Option '--budget' requires an argument."),
        ("keys create", "NAME is missing: say for whom, as in `python -m gateway keys create dev1`."),
        ("keys create a/b", "NAME is 'a/b': letters, digits and"),
        ("keys create dev1 --budget lots", "--budget is 'lots': it has to be a number above 0, or none."),
        ("keys rotate dev1 --rpm 1.5", "--rpm is '1.5': it has to be a whole number from 1, or none."),
        ("keys update dev1 --expires never", "--expires is 'never': it has to be a time like"),
        ("keys revoke", "NAME is missing: say whose, as in `python -m gateway keys revoke dev1`."),
        ("teams create", "NAME is missing: say which, as in `python -m gateway teams create backend`."),
        ("teams update backend --period month", "--period is 'month'"),
        ("usage --days 0", "--days is '0': it has to be a whole number from 1 to 3650."),
        ("usage --format xml", "--format is 'xml': it has to be table, csv or json."),
        ("clients show emacs", "There is no client emacs; NAME is one of: agno, "),
        ("restore no-such-file", "Say which backup: `python -m gateway restore backups/"),
        ("completion tcsh", "Invalid value for '{bash|zsh|fish}'"),
        ("--url ftp://x keys list", "--url is 'ftp://x': it has to be an address like"),
    ],
)
def test_bad_input_is_one_sentence(here: Callable[..., Ran], words: str, sentence: str) -> None:
    done = here(*words.split())
    assert (done.returncode, done.stdout) == (2, "")
    [told] = done.stderr.splitlines()
    assert told.startswith(sentence)


def test_every_mistake_is_told_at_once(here: Callable[..., Ran]) -> None:
    done = here("keys", "create", "--budget", "x", "--rpm", "0")
    assert [line.partition(" ")[0] for line in done.stderr.splitlines()] == ["--budget", "--rpm", "NAME"]


@pytest.mark.parametrize(
    "words",
    [words for words, _ in every_command() if words.split()[0] in ("keys", "teams", "usage", "admins", "forget")],
)
def test_a_gateway_that_is_away_is_one_sentence(here: Callable[..., Ran], words: str) -> None:
    name = [] if words in ("keys list", "teams list", "usage", "admins list") else ["dev1"]
    done = here(*words.split(), *name)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("The gateway at http://127.0.0.1:9 cannot be reached")
    assert len(done.stderr.splitlines()) == 1


def test_the_address_may_be_typed(here: Callable[..., Ran]) -> None:
    assert "http://localhost:7 cannot be reached" in here("--url", "localhost:7/v1", "keys", "list").stderr


def test_a_script_reads_json(here: Callable[..., Ran]) -> None:
    assert "codex" in json.loads(here("clients", "list", "--json").stdout)


@pytest.fixture(scope="module")
def container(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What docker-compose.yml mounts."""
    folder = tmp_path_factory.mktemp("container")
    for name in ("gateway", "custom_handlers"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.mark.parametrize("words", every(4, HOST_ONLY))
def test_what_is_for_the_host_says_so_in_the_container(container: Path, words: str) -> None:
    done = gateway(*words.split(), cwd=container)
    name = words.removesuffix(" x")
    told = f"`{name}` is for the host: run it in the gateway's own folder, not in the container.\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", told)


def test_the_rest_works_in_the_container(container: Path) -> None:
    for words in ("--help", "--version", "keys create --help"):
        assert gateway(*words.split(), cwd=container).returncode == 0
    assert "cannot be reached" in gateway("keys", "list", cwd=container, GATEWAY_ENV_FILE="").stderr


def test_administration_imports_only_what_the_stock_image_has() -> None:
    """What run, demo and the database need is imported by those commands alone."""
    code = "import gateway.cli, sys; print('\\n'.join(getattr(m, '__file__', '') or '' for m in sys.modules.values()))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    own = [Path(line) for line in done.stdout.splitlines() if Path(line).parent.is_relative_to(ROOT)]
    own = [path for path in own if path.relative_to(ROOT).parts[0] in ("gateway", "custom_handlers", "database")]
    assert len(own) > 20
    imported = {name for path in own for name in imports(path)}
    assert "database" not in imported
    assert imported - {*sys.stdlib_module_names, "gateway", "custom_handlers"} == {"click", "httpx", "dotenv"}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_of_this_program(here: Callable[..., Ran], shell: str) -> None:
    done = here("completion", shell)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == script(shell, cli.program) + "\n"
    assert done.stdout.count(f"PYTHONPATH={ROOT}") == 2, "the function, and what asks for the completions"


def test_bash_completes(tmp_path: Path) -> None:
    (tmp_path / "gateway.sh").write_text(script("bash", cli.program))
    ask = "source gateway.sh; COMP_WORDS=(gateway keys r); COMP_CWORD=2; _gateway_completion gateway; "
    ask += "echo ${COMPREPLY[*]}"
    done = subprocess.run(["bash", "-c", ask], cwd=tmp_path, env=clean_environment({}), capture_output=True, text=True)
    assert done.stdout == "revoke rotate\n"
    done = subprocess.run(
        ["bash", "-c", "source gateway.sh; gateway --version"],
        cwd=tmp_path, env=clean_environment({}), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert __version__ in done.stdout


def test_a_reader_that_has_seen_enough() -> None:
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m gateway clients show codex | head -1"],
        cwd=ROOT, env=clean_environment({}), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("# Codex CLI\n", "")


def test_the_documentation_names_what_there_is() -> None:
    """docs/administration.md has every command and every option, and none that there is not."""
    text = DOCUMENTED.partition("## And LiteLLM's own")[0]
    for words, found in every_command():
        if not found.hidden:
            assert re.search(rf"`{re.escape(words)}\b", text), words
            for option in options(found):
                assert re.search(rf"`[^`\n]*{option}\b", text), (words, option)
    known = {option for _, found in every_command() for option in options(found)} | {"--help", *options(cli.program)}
    assert set(re.findall(r"`(--[a-z-]+)", text)) <= known


def options(found: click.Command) -> set[str]:
    return {name for parameter in found.params for name in parameter.opts if name.startswith("--")}


def parsed(words: list[str]) -> tuple[str, dict[str, object]]:
    """The command that is meant, and what it would be given."""
    context = cli.program.make_context("gateway", list(words))
    found: click.Command = cli.program
    while isinstance(found, click.Group):
        name, found_next, rest = found.resolve_command(context, [*context._protected_args, *context.args])
        assert found_next
        found, context = found_next, found_next.make_context(name, rest, parent=context)
    return context.command_path, {name: value for name, value in context.params.items() if value is not None}


@pytest.mark.parametrize(
    ("typed", "made"), re.findall(r"^\| `([a-z][^`]*)` \| (?:`make ([^`]*)`)? ?\|", DOCUMENTED, re.M)
)
def test_both_spellings_of_an_example_mean_the_same(typed: str, made: str) -> None:
    command, given = parsed(shlex.split(typed))
    if not made:
        return
    target, *variables = shlex.split(made)
    environ = dict(variable.split("=", 1) for variable in variables)
    assert mistakes({"TYPED_GOALS": target, "TYPED_VARIABLES": " ".join(environ)}) == []
    by_make, given_by_make = parsed(arguments(target, {**environ, "TYPED_VARIABLES": " ".join(environ)}))
    if target == "team" and environ:  # one target that makes, changes and shows
        assert by_make == "gateway teams set"
        given.pop("as_json")
        assert given_by_make == given
    else:
        assert (by_make, given_by_make) == (command, given)


def test_ctrl_c_is_quiet() -> None:
    code = "import os, signal; from gateway import cli; cli.write = lambda _: os.kill(os.getpid(), signal.SIGINT); "
    code += "import sys; sys.exit(cli.main(['env']))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "\nStopped.\n")
