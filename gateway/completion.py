"""`completion`: what a shell needs to complete the commands, and to have them as `gateway` in every folder.

click's own scripts complete one program by its name. This one is started as a module, so they get a function.
"""

from __future__ import annotations

import shlex
import sys

import click
from click.shell_completion import get_completion_class

from gateway.options import Command
from gateway.project import ROOT

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_GATEWAY_COMPLETE"


@click.command(cls=Command)
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print what a shell needs to complete commands.

    It also makes them available as `gateway`, in every folder.

    \b
    bash, zsh:  eval "$(python -m gateway completion bash)"
    fish:       python -m gateway completion fish | source
    """
    print(script(shell, click.get_current_context().find_root().command))


def script(shell: str, program: click.Command) -> str:
    """A function `gateway`, and click's own script for it."""
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"There is no completion for {shell}.")
    source = kind(program, {}, "gateway", VARIABLE)
    text = source.source_template % source.source_vars()
    path, python = shlex.quote(f"PYTHONPATH={ROOT}"), shlex.quote(sys.executable)
    start = f"env {path} {python} -m gateway"
    function = f'gateway() {{ {start} "$@"; }}' if shell != "fish" else f"function gateway; {start} $argv; end"
    # What asks for the completions is a process, which knows no functions of the shell's.
    text = text.replace("=bash_complete $1)", f"=bash_complete {path} {python} -m gateway)")
    text = text.replace("=zsh_complete gateway)", f"=zsh_complete {path} {python} -m gateway)")
    text = text.replace("(commandline -t) gateway)", f"(commandline -t) {path} {python} -m gateway)")
    text = text.replace("    (( ! $+commands[gateway] )) && return 1\n", "")
    return f"{function}\n{text}"
