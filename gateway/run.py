"""`run`: the gateway with your own credentials, on this machine and without Docker."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import httpx

from database.local import data_folder, database, require_answer
from gateway.addresses import DEFAULT_PORT, local_url, metrics_port, port, whole
from gateway.dotenv import environment, file_values
from gateway.environment import HAND_ON, for_gateway, left_out
from gateway.failures import GatewayError, InputError, interrupt_once, last_words
from gateway.names import misspelt, named_in_configuration
from gateway.ports import require_free
from gateway.progress import note, step
from gateway.project import PROXY, ROOT
from gateway.proxy_log import ProxyLog

EXIT_CONFIG = 78
MOST_WORKERS = 256
LEAST_KEY = 8
LOG = Path(".data") / "gateway.log"
LOOK_SECONDS = 0.3
LAST_LINES_SECONDS = 2.0
HEADING = "The gateway's configuration is not usable:"
# Keys of examples and tutorials: LiteLLM refuses the first by itself, minutes later and at length.
WELL_KNOWN = {
    "sk-1234",
    "sk-12345",
    "sk-123456",
    "sk-12345678",
    "sk-master-key",
    "sk-litellm",
    "sk-test",
    "sk-changeme",
}


class UnusableError(GatewayError):
    exit_code = EXIT_CONFIG


def main() -> int:
    interrupt_once()
    in_file = file_values(ROOT)
    environ = environment(ROOT)
    check(in_file, environ)
    host, number = environ.get("GATEWAY_BIND", "127.0.0.1"), port(environ)
    require_free(host, number)
    if metrics := metrics_port(environ):
        require_free(host, metrics, "GATEWAY_METRICS_PORT")
    if address := environ.get("DATABASE_URL"):
        require_answer(address)
    else:
        data_folder(ROOT).parent.mkdir(parents=True, exist_ok=True)
    if others := left_out(in_file, environ):
        print(f"Not handed to the gateway, as they are none of its settings: {', '.join(others)} ({HAND_ON} would).")
    with database(ROOT, environ, tell=note) as variables:
        return serve({**for_gateway(environ), **variables}, host, number)


def check(in_file: Mapping[str, str], environ: Mapping[str, str]) -> None:
    """Raises Unusable with every mistake of the environment, .env and litellm_config.yaml."""
    done = subprocess.run(
        [sys.executable, "-m", "custom_handlers.stackspot_config"],
        env=for_gateway(environ), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    if done.returncode not in (0, EXIT_CONFIG):
        raise GatewayError(f"The configuration cannot be checked: run `make install`.\n{last_words(done.stderr)}")
    told = done.stderr.rstrip() if done.returncode else HEADING
    own = mistakes(in_file, environ)
    if done.returncode or own:
        raise UnusableError("\n".join([told, *(f"  - {mistake}" for mistake in own)]))


def mistakes(in_file: Mapping[str, str], environ: Mapping[str, str]) -> list[str]:
    """What is wrong with the gateway's own settings, beside StackSpot's."""
    found = [mistake for mistake in misspelt(in_file, environ) if not mistake.upper().startswith("STACKSPOT")]
    found += _master_key(environ.get("LITELLM_MASTER_KEY", ""))
    for reader in (lambda: port(environ), lambda: workers(environ), lambda: metrics_port(environ)):
        if (mistake := _mistake_of(reader)) and mistake not in found:
            found.append(mistake)
    if not _mistake_of(lambda: workers(environ)) and workers(environ) > 1 and not environ.get("REDIS_HOST"):
        found.append(
            "GATEWAY_WORKERS above 1 needs Redis (REDIS_HOST): without it each worker counts limits for itself."
        )
    wanted = named_in_configuration()
    found += [
        f"litellm_config.yaml names {name}, which is set but not handed to the gateway: add it to {HAND_ON}."
        for name in left_out(sorted(wanted), environ)
    ]
    return found


def workers(environ: Mapping[str, str]) -> int:
    return whole(environ, "GATEWAY_WORKERS", 1, MOST_WORKERS)


def _master_key(key: str) -> list[str]:
    if not key:
        return ["LITELLM_MASTER_KEY is missing: `make env` writes a .env with one."]
    if key.strip().lower() in WELL_KNOWN or len(key.strip()) < LEAST_KEY:
        return ["LITELLM_MASTER_KEY is known to everybody or easily guessed: take one of `openssl rand -hex 32`."]
    if not re.fullmatch(r"sk-[!-~]+", key) or re.search(r"[<>]", key):
        return ["LITELLM_MASTER_KEY has to begin with sk- and to hold no blanks, placeholders or accents."]
    return []


def _mistake_of(reader: Callable[[], object]) -> str | None:
    try:
        reader()
    except InputError as mistake:
        return str(mistake)
    return None


def serve(environ: Mapping[str, str], host: str, number: int = DEFAULT_PORT) -> int:
    """Runs the proxy until it ends, or until a signal ends it; its exit status."""
    command = [
        *PROXY,
        *("--config", str(ROOT / "litellm_config.yaml"), "--host", host, "--port", str(number)),
        # Slow machines need longer to import LiteLLM than uvicorn waits for a worker by default.
        *("--num_workers", str(workers(environ)), "--timeout_worker_healthcheck", "60"),
    ]
    if metrics := metrics_port(environ):
        command += ["--prometheus_metrics_port", str(metrics)]
    if metrics or workers(environ) > 1:  # LiteLLM's own folder would be one for all gateways of the machine
        environ = {**environ, "PROMETHEUS_MULTIPROC_DIR": str(data_folder(ROOT).parent / "metrics")}
    debug = "DEBUG" in (environ.get("LITELLM_LOG", "").upper(), environ.get("STACKSPOT_LOG_LEVEL", "").upper())
    log = ProxyLog(ROOT / LOG, note, everything=debug)
    proxy = subprocess.Popen(
        command, env=dict(environ), cwd=ROOT, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    stopped = []

    def stop(*_: object) -> None:
        stopped.append(True)
        proxy.send_signal(signal.SIGTERM)

    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, stop)
    reader = log.follow(proxy.stdout) if proxy.stdout else None
    url = local_url(host, number, environ.get("SERVER_ROOT_PATH", ""))
    with step(f"Starting the gateway (its log: {LOG})") as starting:
        starting.failed = not _comes_up(url, proxy)
    log.ready = True
    if not starting.failed:
        print("\n".join(greeting(url, environ)), flush=True)
    status = proxy.wait()
    if reader:
        reader.join(LAST_LINES_SECONDS)  # not for ever: what outlives the proxy may hold its output open
    if starting.failed and not stopped:
        print(last_words(log.of_this_start()), file=sys.stderr, flush=True)
    return 0 if status == -signal.SIGTERM else status


def greeting(url: str, environ: Mapping[str, str]) -> list[str]:
    """What somebody needs who has just started the gateway."""
    user = environ.get("UI_USERNAME") or "admin"
    password = "UI_PASSWORD" if environ.get("UI_PASSWORD") else "LITELLM_MASTER_KEY"
    if environ.get("DATABASE_URL"):
        page, command = f"{url}/ui (login: {user}, with the password in {password})", "make key NAME=you"
    else:
        page, command = "none without a database", "make client NAME=codex"
    return [f"The gateway is ready:  {url}/v1", f"Admin UI:              {page}", f"Next:                  {command}"]


def _comes_up(url: str, proxy: subprocess.Popen[bytes]) -> bool:
    """Waits until the proxy can serve; False when it has ended."""
    while proxy.poll() is None:
        with suppress(httpx.HTTPError):
            if httpx.get(f"{url}/health/readiness", timeout=5, trust_env=False).status_code == httpx.codes.OK:
                return True
        time.sleep(LOOK_SECONDS)
    return False
