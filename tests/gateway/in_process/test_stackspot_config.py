"""Configuring LiteLLM in-process, what is logged about it, and the check that starts nothing."""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from simulator.client import Simulator
from tests.gateway.in_process.scripts import Ran, run_script
from tests.harness import ROOT, Account, Server, clean_environment

MISTAKES = """
import litellm
from custom_handlers.stackspot_config import configure_stackspot

ASK = {"messages": [{"role": "user", "content": "Hi"}]}
GOOD = dict(os.environ)

def attempt(**environ):
    for name in [name for name in os.environ if name.startswith("STACKSPOT_")]:
        del os.environ[name]
    os.environ.update(environ)
    try:
        configure_stackspot()
    except ValueError as error:
        return [type(error).__name__, str(error)]

def ask(model):
    try:
        return litellm.completion(model=model, **ASK).choices[0].message.content
    except Exception as error:
        return str(error)

found["missing"] = attempt()
found["malformed key"] = attempt(STACKSPOT_API_KEY="s3cret with blanks")
found["realm alone"] = attempt(STACKSPOT_API_KEY="sk-s3cret", STACKSPOT_REALM="acme")
found["registered"] = [item["provider"] for item in litellm.custom_provider_map]
found["before"] = ask("stackspot")
good = {name: value for name, value in GOOD.items() if name.startswith("STACKSPOT_")}
found["good"] = attempt(**good)
found["after"] = ask("stackspot")
found["wrong again"] = attempt(STACKSPOT_API_KEY="s3cret with blanks")
found["still"] = ask("stackspot")
found["again"] = attempt(**good)
found["and again"] = ask("stackspot")
only_key = {name: good[name] for name in ("STACKSPOT_API_KEY", "STACKSPOT_API_BASE")}
found["only key"] = attempt(**{**only_key, "STACKSPOT_API_KEY": good["STACKSPOT_API_KEY"].removeprefix("sk-")})
found["by key"] = ask("stackspot-code")
tell()
"""

LOGS = """
import logging
from custom_handlers.stackspot_config import configure_stackspot
from simulator.client import Simulator
import litellm, openai

class Lines(logging.Handler):
    def emit(self, record):
        found.setdefault(case, []).append([record.levelname, record.getMessage()])

logger = logging.getLogger("stackspot_config")
logger.addHandler(Lines())
logger.propagate = False
litellm._turn_on_debug()
simulator = Simulator(os.environ["SIMULATOR"])
ASK = {"messages": [{"role": "user", "content": "my very own words"}]}

def use():
    configure_stackspot()
    litellm.completion(model="stackspot", **ASK)
    list(litellm.completion(model="stackspot-code", stream=True, **ASK))
    for faults in ({"not_shared": True}, {"null_message": True}):
        simulator.faults(**faults)
        try:
            litellm.completion(model="stackspot", **ASK)
        except openai.APIError:
            pass
    simulator.no_faults()
    simulator.revoke_tokens()
    litellm.completion(model="stackspot", **ASK)

for level in ("WARNING", "INFO", "DEBUG"):
    case = level
    found[case] = []
    logger.setLevel(level)
    use()
case = "refused"
os.environ["STACKSPOT_LOG_CONTENT"] = "perhaps"
try:
    configure_stackspot()
except ValueError:
    pass
case = "content"
os.environ["STACKSPOT_LOG_CONTENT"] = "true"
use()
case = "content at INFO"
found[case] = []
logger.setLevel("INFO")
use()
tell()
"""

LIVES = """
import threading, warnings
from concurrent.futures import ThreadPoolExecutor
from custom_handlers.stackspot_config import configure_stackspot
from simulator.client import Simulator
import litellm

configure_stackspot()
simulator = Simulator(os.environ["SIMULATOR"])
ASK = {"model": "stackspot", "messages": [{"role": "user", "content": "Hi"}]}

def now():
    return litellm.completion(**ASK).choices[0].message.content[:6]

async def later():
    return (await litellm.acompletion(**ASK)).choices[0].message.content[:6]

async def inside():
    return [now(), "".join(c.choices[0].delta.content or "" for c in litellm.completion(stream=True, **ASK))[:6]]

found["in a row"] = [asyncio.run(later()) for _ in range(4)]
found["inside a running loop"] = asyncio.run(inside())
with ThreadPoolExecutor(8) as threads:
    found["threads"] = list(threads.map(lambda _: now(), range(24)))
    found["loops"] = list(threads.map(lambda _: asyncio.run(later()), range(16)))

def gone():
    simulator.wait_for(lambda requests: requests[-1]["client_left"], "chat", seconds=30)
    return True

simulator.faults(stall_after=1)
stream = litellm.completion(stream=True, **ASK)
next(stream)
del stream
found["dropped stream"] = gone()

async def leave():
    stream = await litellm.acompletion(stream=True, **ASK)
    await anext(stream)
    await stream.aclose()

asyncio.run(leave())
found["closed stream"] = gone()

async def cancel():
    task = asyncio.create_task(litellm.acompletion(**ASK))
    await asyncio.sleep(0.5)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        return gone()

found["cancelled call"] = asyncio.run(cancel())
simulator.no_faults()

reading, writing = os.pipe()
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Python 3.12 and later warn of forks beside threads
    child = os.fork()
if child == 0:
    os.write(writing, now().encode())
    os._exit(0)
os.close(writing)
found["forked"] = os.read(reading, 100).decode()
os.waitpid(child, 0)

simulator.faults(stall_after=1)
forgotten = litellm.completion(stream=True, **ASK)
next(forgotten)
tell()
"""


def environment(server: Server, account: Account) -> dict[str, str]:
    return {**account.for_gateway(server.url), "SIMULATOR": server.url}


def run(script: str, server: Server, environ: Mapping[str, str], folder: Path) -> Ran:
    with Simulator(server.url) as simulator:
        simulator.reset()
        ran = run_script(script, environ, folder)
        simulator.reset()
    return ran


@pytest.fixture(scope="module")
def mistakes(simulator_server: Server, account: Account, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("mistakes")
    return run(MISTAKES, simulator_server, environment(simulator_server, account), folder).found


@pytest.fixture(scope="module")
def logged(simulator_server: Server, account: Account, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("logs")
    return run(LOGS, simulator_server, environment(simulator_server, account), folder)


@pytest.fixture(scope="module")
def lives(simulator_server: Server, account: Account, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return run(LIVES, simulator_server, environment(simulator_server, account), tmp_path_factory.mktemp("lives"))


@pytest.mark.parametrize(
    ("case", "word"),
    [
        ("missing", "STACKSPOT_AGENT_ID"),
        ("missing", "STACKSPOT_API_KEY"),
        ("missing", "STACKSPOT_CLIENT_SECRET"),
        ("malformed key", "STACKSPOT_API_KEY is malformed"),
        ("realm alone", "STACKSPOT_CLIENT_SECRET is missing"),
    ],
)
def test_a_wrong_environment_is_a_value_error(mistakes: Any, case: str, word: str) -> None:
    kind, message = mistakes[case]
    assert kind == "ConfigurationError"
    assert word in message
    assert "s3cret" not in message


def test_nothing_is_registered_before_all_is_well(mistakes: Any) -> None:
    assert mistakes["registered"] == []
    assert "Provider NOT provided" in mistakes["before"]


def test_a_good_environment_after_wrong_ones(mistakes: Any) -> None:
    assert (mistakes["good"], mistakes["again"]) == (None, None)
    assert mistakes["wrong again"][0] == "ConfigurationError"
    for when in ("after", "still", "and again"):
        assert mistakes[when].startswith("Hello!"), when


def test_the_key_alone_is_enough(mistakes: Any) -> None:
    assert mistakes["only key"] is None
    assert mistakes["by key"].startswith("Hello!")


def lines(logged: Ran, case: str, level: str = "") -> list[str]:
    return [message for name, message in logged.found[case] if not level or name == level]


def test_nothing_is_logged_that_nobody_asked_for(logged: Ran) -> None:
    assert logged.found["WARNING"] == []


def test_at_info_one_line_per_configuration(logged: Ran) -> None:
    (line,) = lines(logged, "INFO")
    assert "agents for stackspot-ai-chat, stackspot-ai-code, stackspot-ai-assistant" in line
    assert "key API available" in line


def test_at_debug_keys_requests_answers_and_errors(logged: Ran) -> None:
    assert len(lines(logged, "DEBUG", "INFO")) == 1
    told = "\n".join(lines(logged, "DEBUG", "DEBUG"))
    for words in (
        "credentials are well-formed",
        "token renewed",
        "request: ",
        "answered stackspot: ",
        "streamed answer of stackspot-code is complete",
        "failed: StackSpot refused the agent",
        "failed: StackSpot's answer is empty",
    ):
        assert words in told
    assert lines(logged, "refused", "DEBUG") == ["StackSpot configuration refused: 1 mistakes"]


def test_content_only_when_asked_for(logged: Ran) -> None:
    for case in ("INFO", "DEBUG", "refused", "content at INFO"):
        assert "my very own words" not in "\n".join(lines(logged, case)), case
    told = "\n".join(lines(logged, "content", "DEBUG"))
    assert "my very own words" in told
    assert "Hello!" in told


def test_no_secret_is_ever_logged_not_even_by_litellm_at_debug(logged: Ran, account: Account) -> None:
    told = logged.printed + "\n".join(message for case in logged.found for message in lines(logged, case))
    assert "LiteLLM" in logged.printed
    for secret in (account.client_secret, account.api_key, account.api_key.removeprefix("sk-")):
        assert secret not in told
    assert not re.search(r"eyJhbGci[\w-]+\.[\w-]+\.", told)  # the simulator's tokens


@pytest.mark.parametrize(
    ("case", "answers"), [("in a row", 4), ("inside a running loop", 2), ("threads", 24), ("loops", 16)]
)
def test_threads_and_loops(lives: Ran, case: str, answers: int) -> None:
    assert lives.found[case] == ["Hello!"] * answers


@pytest.mark.parametrize("case", ["dropped stream", "closed stream", "cancelled call"])
def test_the_upstream_is_left_when_the_caller_goes_away(lives: Ran, case: str) -> None:
    assert lives.found[case] is True


def test_a_forked_process_can_call_too(lives: Ran) -> None:
    assert lives.found["forked"] == "Hello!"


def test_the_program_ends_although_a_stream_was_not_read_to_its_end(lives: Ran) -> None:
    assert lives.status == 0


def test_nothing_is_printed(lives: Ran) -> None:
    assert lives.printed == ""


# The check that starts nothing


def check(environ: Mapping[str, str], *arguments: str | Path, cwd: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "custom_handlers.stackspot_config", *map(str, arguments)]
    clean = clean_environment({"PYTHONPATH": str(ROOT), **environ})
    return subprocess.run(command, env=clean, cwd=cwd, capture_output=True, text=True, timeout=200, check=False)


def test_a_good_configuration_is_silent(account: Account, tmp_path: Path) -> None:
    environ = account.for_gateway("http://127.0.0.1:1")
    done = check(environ, "--config", ROOT / "litellm_config.yaml", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_every_mistake_is_told_and_the_status_says_configuration(tmp_path: Path) -> None:
    environ = {
        "STACKSPOT_REALM": "acme",
        "STACKSPOT_CLIENT_KEY": "s3cret with blanks",
        "STACKSPOT_CODE_AGENT_ID": "no-ulid",
        "STACKSPOT_IDM_URL": "http://idm.example.com",
    }
    done = check(environ)  # the repository's own file, without being told
    assert done.returncode == 78
    told = done.stderr.splitlines()
    assert told[0] == "The StackSpot configuration is not usable:"
    for name in (
        "STACKSPOT_IDM_URL is a plain-http address",
        "STACKSPOT_CODE_AGENT_ID is not a ULID",
        "Models stackspot-ai-chat and stackspot-ai-assistant have neither",
        "STACKSPOT_CLIENT_ID is missing",
        "STACKSPOT_CLIENT_SECRET holds blanks",
    ):
        assert any(line.startswith(f"  - {name}") for line in told), name
    assert len(told) == 6
    assert "s3cret" not in done.stderr


def test_a_bundle_of_certificates_that_litellm_would_pass_over_is_a_mistake(account: Account, tmp_path: Path) -> None:
    environ = {**account.for_gateway("http://127.0.0.1:1"), "STACKSPOT_LOG_LEVEL": "LOUD"}
    (tmp_path / "empty.pem").write_text("no certificate\n")
    for path, told in ((tmp_path / "none.pem", "No such file"), (tmp_path / "empty.pem", "holds no certificates")):
        done = check({**environ, "SSL_CERT_FILE": str(path)})
        assert done.returncode == 78
        assert f"  - SSL_CERT_FILE is {path}, which " in done.stderr
        assert told in done.stderr
        assert "STACKSPOT_LOG_LEVEL" in done.stderr


def test_the_check_does_without_litellm() -> None:
    """Importing LiteLLM takes seconds, and prints what nobody asked for."""
    program = (
        "import sys, custom_handlers.stackspot_config; "
        "print(sorted(name for name in sys.modules if name.partition('.')[0] == 'litellm'))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
