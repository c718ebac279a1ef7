"""The file that the stock proxy loads: from anywhere, in every worker; not at all when the configuration is wrong."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from simulator.client import Simulator
from tests.harness import ALL_NAMES, BIN, ROOT, Account, Server, clean_environment, free_port, running_gateway

# Importing LiteLLM takes longer than uvicorn's parent waits for a worker by itself.
TWO_WORKERS = {"TIMEOUT_WORKER_HEALTHCHECK": "60"}


def in_place(folder: Path) -> tuple[Path, dict[str, str]]:
    return ROOT / "litellm_config.yaml", {}


def copied(folder: Path) -> tuple[Path, dict[str, str]]:
    shutil.copytree(ROOT / "custom_handlers", folder / "custom_handlers")
    return config_in(folder), {}


def linked(folder: Path) -> tuple[Path, dict[str, str]]:
    (folder / "custom_handlers").symlink_to(ROOT / "custom_handlers")
    return config_in(folder), {}


def alone(folder: Path) -> tuple[Path, dict[str, str]]:
    return config_in(folder), {"PYTHONPATH": str(ROOT)}


def config_in(folder: Path) -> Path:
    return Path(shutil.copy(ROOT / "litellm_config.yaml", folder / "config.yaml"))


@pytest.mark.parametrize(
    ("mounted", "workers"),
    [(in_place, 1), (linked, 1), (copied, 2), (alone, 2)],
    ids=["in place", "linked", "copied, two workers", "alone, two workers"],
)
def test_it_loads_from_anywhere(
    simulator: Simulator,
    account: Account,
    tmp_path: Path,
    mounted: Callable[[Path], tuple[Path, dict[str, str]]],
    workers: int,
) -> None:
    folder, elsewhere = tmp_path / "etc", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    config, more = mounted(folder)
    environ = {**account.for_gateway(simulator.url), **more, "LITELLM_LOG": "DEBUG", "STACKSPOT_LOG_LEVEL": "DEBUG"}
    arguments = ("--num_workers", str(workers)) if workers > 1 else ()
    environ |= TWO_WORKERS if workers > 1 else {}
    log = tmp_path / "gateway.log"
    with running_gateway(environ, log, *arguments, config=config, cwd=elsewhere, cold=True) as gateway:
        answers = [ask(gateway, name) for name in ALL_NAMES]
        simulator.faults(not_shared=True)
        refused = ask(gateway, "stackspot")
    assert [answer.status_code for answer in answers] == [200] * len(ALL_NAMES)
    assert all("Hello!" in answer.json()["choices"][0]["message"]["content"] for answer in answers)
    assert refused.status_code == 502
    told = gateway.output()
    assert told.count("StackSpot configured") == workers
    assert "DEBUG" in told
    for secret in (account.client_secret, account.api_key):
        assert secret not in told
    assert not re.search(r"eyJhbGci[\w-]+\.[\w-]+\.", told)  # the simulator's tokens


def ask(gateway: Server, name: str) -> httpx.Response:
    return httpx.post(
        f"{gateway.url}/v1/chat/completions",
        headers={"Authorization": f"Bearer {gateway.key}"},
        json={"model": name, "messages": [{"role": "user", "content": "Hi"}]},
        timeout=60,
    )


WRONG = {"STACKSPOT_REALM": "acme", "STACKSPOT_API_KEY": "s3cret with blanks", "LITELLM_MASTER_KEY": "sk-of-this-test"}
TOLD = [
    "STACKSPOT_API_KEY is malformed",
    "Model stackspot-ai-code: the agent id is not a ULID",
    "STACKSPOT_CLIENT_ID is missing",
    "STACKSPOT_CLIENT_SECRET is missing",
]


@pytest.mark.parametrize(
    "arguments",
    [(), ("--num_workers", "2"), ("--run_gunicorn",)],
    ids=["one worker", "two workers", "gunicorn"],
)
def test_a_wrong_configuration_ends_the_start(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "custom_handlers").symlink_to(ROOT / "custom_handlers")
    config = tmp_path / "config.yaml"
    own = (ROOT / "litellm_config.yaml").read_text()
    config.write_text(own.replace("os.environ/STACKSPOT_CODE_AGENT_ID", "s3cret-in-the-wrong-place"))
    status, output = start({**WRONG, **TWO_WORKERS}, tmp_path, "--config", str(config), *arguments)
    assert status != 0
    assert "Traceback" not in output
    assert "s3cret" not in output
    *_, message = output.split("The StackSpot configuration is not usable:\n")
    told = message.splitlines()
    assert [line[: len(f"  - {start}")] for line, start in zip(told, TOLD, strict=False)] == [f"  - {t}" for t in TOLD]
    after = told[len(TOLD) :]  # gunicorn's master says in its own words that its worker did not start
    assert [line for line in after if line.strip()] == [] or (
        "--run_gunicorn" in arguments and all("[ERROR]" in line for line in after)
    )


# Whoever imports the entry and is no start of the proxy: alone, from a child process, beside LiteLLM's app.
IMPORTERS = """
import multiprocessing

def attempt():
    try:
        import custom_handlers.stackspot
    except ValueError as error:
        return f"{type(error).__name__}: {error}"

def child(answers):
    answers.put(attempt())

async def serve():
    from litellm.proxy.proxy_server import app
    try:
        async with app.router.lifespan_context(app):
            return "served"
    except ValueError as error:
        return f"{type(error).__name__}: {error}"

if __name__ == "__main__":
    found["alone"] = attempt()
    for method in ("fork", "spawn"):
        context = multiprocessing.get_context(method)
        answers = context.Queue()
        process = context.Process(target=child, args=(answers,))
        process.start()
        found[method] = answers.get(timeout=120)
        process.join()
    found["lifespan"] = asyncio.run(serve())
    tell()
"""


def test_an_importer_is_told_and_nothing_else_ends(tmp_path: Path) -> None:
    program, config = tmp_path / "program.py", tmp_path / "config.yaml"
    tools = "import asyncio, json, os, sys\nfound = {}\ndef tell():\n    print('found:' + json.dumps(found))\n"
    program.write_text(tools + IMPORTERS)
    own = (ROOT / "litellm_config.yaml").read_text()
    config.write_text(re.sub(r"^  callbacks:.*$", "", own, flags=re.MULTILINE))  # the guard is for a proxy that serves
    environ = clean_environment({**WRONG, "PYTHONPATH": str(ROOT), "CONFIG_FILE_PATH": str(config)})
    done = subprocess.run(
        [sys.executable, program], env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    [line] = [line for line in done.stdout.splitlines() if line.startswith("found:")]
    found = json.loads(line.removeprefix("found:"))
    assert set(found) == {"alone", "fork", "spawn", "lifespan"}
    for case, told in found.items():
        assert told.startswith("ConfigurationError: "), case
        assert "STACKSPOT_API_KEY is malformed" in told, case


def start(environ: Mapping[str, str], folder: Path, *arguments: str) -> tuple[int, str]:
    """The exit status of a proxy that ends by itself, and all that was printed until its last worker was gone."""
    command = [str(BIN / "litellm"), "--host", "127.0.0.1", "--port", str(free_port()), *arguments]
    log = folder / "gateway.log"
    with log.open("wb") as output:
        started = subprocess.Popen(
            command,
            env=clean_environment(environ),
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that its workers can be told from other processes
        )
    try:
        status = started.wait(200)
        for _ in range(600):
            os.killpg(started.pid, 0)
            time.sleep(0.1)
        raise AssertionError(f"A worker is left over:\n{log.read_text()[-4000:]}")
    except ProcessLookupError:
        return status, log.read_text()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
        started.wait(20)
