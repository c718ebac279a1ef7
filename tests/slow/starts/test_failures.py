"""How `make run` and `make demo` fail: in one sentence that says what to set, before anything is started."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from database.local import require_answer
from gateway.environment import left_out
from gateway.failures import EXIT_INTERRUPTED, GatewayError, InputError, guarded, last_words
from gateway.locks import alone
from gateway.names import named_in_configuration
from gateway.run import mistakes
from tests.harness import ROOT, Account, clean_environment, free_port

KEY = "sk-of-these-tests-0123456789"
PROJECT = (
    *("gateway", "database", "simulator", "custom_handlers"),
    *("litellm_config.yaml", "docker-compose.yml", ".env.example"),
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what the commands need, so that their data are not the owner's."""
    for name in PROJECT:
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "gateway").unlink()
    shutil.copytree(ROOT / "gateway", tmp_path / "gateway", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


@pytest.fixture
def settings(account: Account) -> dict[str, str]:
    """Enough for a start that gets as far as the port."""
    return {
        **account.for_gateway("http://127.0.0.1:9"),
        "LITELLM_MASTER_KEY": KEY,
        "GATEWAY_PORT": str(free_port()),
    }


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


def run(command: str, environ: Mapping[str, str], cwd: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        [sys.executable, "-m", "gateway", command],
        cwd=cwd,
        env=clean_environment(environ),
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done


def refused(done: "subprocess.CompletedProcess[str]") -> str:
    """The one sentence."""
    assert done.returncode not in (0, EXIT_INTERRUPTED)
    [sentence] = done.stderr.splitlines()
    return sentence


def test_a_busy_port(settings: dict[str, str], taken: int) -> None:
    told = refused(run("run", {**settings, "GATEWAY_PORT": str(taken)}))
    assert told.startswith(f"Port {taken} is in use")
    assert told.endswith("or choose another port with GATEWAY_PORT.")
    assert refused(run("demo", {"GATEWAY_PORT": str(taken)})).startswith(f"Port {taken} is in use")


def test_a_database_that_is_away(settings: dict[str, str]) -> None:
    told = refused(run("run", {**settings, "DATABASE_URL": "postgresql://u:s3cret@127.0.0.1:1/y?connection_limit=5"}))
    assert told.startswith("The database of DATABASE_URL cannot be used: ")
    assert "s3cret" not in told


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("mysql://x/y", "DATABASE_URL is no address like postgresql://"),
        ("postgresql://u:s3cret@127.0.0.1:port/y", "DATABASE_URL is no address like postgresql://"),
        ("postgresql://u:s3cret@nowhere.invalid/y", "The database of DATABASE_URL cannot be used"),
    ],
)
def test_an_address_of_no_database(address: str, sentence: str) -> None:
    with pytest.raises(GatewayError, match=sentence) as caught:
        require_answer(address)
    assert "s3cret" not in str(caught.value)


def test_every_mistake_in_one_message(tmp_path: Path, settings: dict[str, str]) -> None:
    own = tmp_path / "own"
    own.write_text("KEY_BUGDET=5\nSTACKSPOT_AGENTID=x\n")
    wrong = {"GATEWAY_PORT": "abc", "GATEWAY_WORKERS": "many", "LITELLM_MASTER_KEY": "sk-1234"}
    done = run("run", {**settings, **wrong, "STACKSPOT_LOG_LEVEL": "LOUD", "GATEWAY_ENV_FILE": str(own)})
    assert done.returncode == 78
    heading, *told = done.stderr.splitlines()
    assert heading == "The StackSpot configuration is not usable:"
    assert [line.split()[1] for line in told] == [
        "STACKSPOT_AGENTID",
        "STACKSPOT_LOG_LEVEL",
        "KEY_BUGDET",
        "LITELLM_MASTER_KEY",
        "GATEWAY_PORT",
        "GATEWAY_WORKERS",
    ]


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ({"LITELLM_MASTER_KEY": ""}, "LITELLM_MASTER_KEY is missing"),
        ({"LITELLM_MASTER_KEY": "sk-1234"}, "LITELLM_MASTER_KEY is known to everybody"),
        ({"LITELLM_MASTER_KEY": "sk-<your key here>"}, "LITELLM_MASTER_KEY has to begin with sk-"),
        ({"LITELLM_MASTER_KEY": "no-such-prefix-here"}, "LITELLM_MASTER_KEY has to begin with sk-"),
        ({"GATEWAY_WORKERS": "2"}, "GATEWAY_WORKERS above 1 needs Redis"),
        ({"GATEWAY_WORKERS": "0"}, "GATEWAY_WORKERS is '0'"),
        ({"GATEWAY_PORT": "many", "GATEWAY_METRICS_PORT": "4001"}, "GATEWAY_PORT is 'many'"),
        ({"GATEWAY_METRICS_PORT": "many"}, "GATEWAY_METRICS_PORT is 'many'"),
        ({"GATEWAY_METRICS_PORT": "4000", "GATEWAY_PORT": ""}, "GATEWAY_METRICS_PORT is GATEWAY_PORT"),
        ({"GATEWAY_METRICS_PORT": "4001", "GATEWAY_BIND": "0.0.0.0"}, "GATEWAY_METRICS_PORT would show"),  # noqa: S104
        ({"GATEWAY_WORKER": "2"}, "GATEWAY_WORKER is not a setting of the gateway; did you mean GATEWAY_WORKERS?"),
    ],
)
def test_the_gateways_own_mistakes(settings: dict[str, str], setting: dict[str, str], sentence: str) -> None:
    assert mistakes({}, settings) == []
    [told] = mistakes({}, {**settings, **setting})
    assert told.startswith(sentence)


def test_a_second_providers_key_has_to_be_handed_on(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("model_list: [{litellm_params: {api_key: os.environ/X_KEY}}]  # not os.environ/IN_A_COMMENT\n")
    assert named_in_configuration(config) >= {"X_KEY"}
    assert left_out(sorted(named_in_configuration(config)), {"X_KEY": "sk-other"}) == ["X_KEY"]
    assert left_out(["X_KEY"], {"X_KEY": "sk-other", "GATEWAY_PASS_ENV": "X_KEY"}) == []


@pytest.mark.parametrize("command", ["run", "demo"])
def test_data_that_cannot_be_written(project: Path, settings: dict[str, str], command: str) -> None:
    (project / ".data").write_text("a file where a folder should be")
    environ = settings if command == "run" else {}
    assert str(project / ".data") in refused(run(command, environ, project))


def test_a_second_demo_leaves_the_first_one_alone(project: Path) -> None:
    (project / ".data" / "demo").mkdir(parents=True)
    mark = project / ".data" / "demo" / "of the first"
    mark.write_text("data")
    with alone(project / ".data" / "demo.lock") as free:
        assert free
        assert refused(run("demo", {}, project)).startswith("Another `make demo` runs from this folder: stop it first")
    assert mark.exists()


def test_a_simulator_that_does_not_start(project: Path) -> None:
    (project / "simulator").unlink()
    (project / "simulator").mkdir()
    (project / "simulator" / "__main__.py").write_text("raise SystemExit('no room left')")
    done = run("demo", {}, project)
    assert done.returncode == 1
    assert done.stderr == "The simulator did not start (it ended with status 1):\n  no room left\n"


def test_an_engine_that_is_missing(project: Path) -> None:
    (project / "database").unlink()
    shutil.copytree(ROOT / "database", project / "database", ignore=shutil.ignore_patterns("node_modules"))
    (project / "bin").mkdir()
    assert "`node` is missing: LiteLLM's database client needs Node.js 18" in refused(
        run("demo", {"PATH": str(project / "bin")}, project)
    )


@pytest.mark.parametrize("seconds", [0.05, 0.5, 2.0])
@pytest.mark.parametrize("command", ["run", "demo"])
def test_ctrl_c_at_any_moment(settings: dict[str, str], command: str, seconds: float) -> None:
    started = subprocess.Popen(
        [sys.executable, "-m", "gateway", command],
        cwd=ROOT,
        env=clean_environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    time.sleep(seconds)
    os.killpg(started.pid, signal.SIGINT)
    told = started.communicate(timeout=200)[0]
    # Before the first line of ours runs, Python itself reports the interrupt.
    assert "Traceback" not in told or "gateway" not in told
    assert gone(started.pid), "something is left over"


def gone(group: int) -> bool:
    for _ in range(300):  # what has just ended counts until somebody has asked for its status
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


# The guard around every command


def test_what_a_command_may_raise(capsys: pytest.CaptureFixture[str]) -> None:
    def failing(error: BaseException) -> tuple[int, str]:
        def command() -> int:
            raise error

        return guarded(command), capsys.readouterr().err

    assert failing(GatewayError("No.")) == (1, "No.\n")
    assert failing(InputError("No.")) == (2, "No.\n")
    assert failing(KeyboardInterrupt()) == (130, "\nStopped.\n")
    assert failing(OSError(28, "No space left on device", "/data/x")) == (1, "/data/x: No space left on device.\n")
    status, told = failing(RuntimeError("over\nseveral\nlines"))
    assert status == 1
    assert told == "This command failed, which it should not: RuntimeError: over several lines\n"


def test_a_reader_that_has_seen_enough() -> None:
    script = "from gateway.failures import guarded\nguarded(lambda: [print(i) for i in range(200000)] and 0)"
    pipe = f"{sys.executable} -c '{script}' | head -1"
    done = subprocess.run(["bash", "-c", pipe], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("0\n", "")


def test_the_last_words_of_a_log() -> None:
    log = 'first\nTraceback (most recent call last):\n  File "x.py", line 1\n    call()\nValueError: port 1\n\nlast\n'
    assert last_words(log) == "  first\n  ValueError: port 1\n  last"
