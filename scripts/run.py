"""`make run`: the gateway with your own credentials, on this machine and without Docker."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from scripts.database import DatabaseError, database
from scripts.dotenv import environment

ROOT = Path(__file__).resolve().parent.parent
EXIT_CONFIG = 78


def main() -> int:
    environ = environment(ROOT)
    environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # otherwise the start waits for a remote price list
    check = subprocess.run(
        [sys.executable, "-m", "custom_handlers.stackspot_config"],
        env=environ, cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    problems = check.stderr.rstrip() if check.returncode else ""
    if not environ.get("LITELLM_MASTER_KEY"):
        problems += "\nLITELLM_MASTER_KEY is missing: `make env` writes a .env with one."
    if environ.get("GATEWAY_WORKERS", "1") != "1" and not environ.get("REDIS_HOST"):
        problems += (
            "\nGATEWAY_WORKERS above 1 needs Redis (REDIS_HOST): without it each worker counts limits for itself."
        )
    if problems:
        print(problems.lstrip(), file=sys.stderr)
        return EXIT_CONFIG
    try:
        with database(ROOT, environ) as variables:
            return serve({**environ, **variables})
    except DatabaseError as error:
        print(error, file=sys.stderr)
        return 1


def serve(environ: Mapping[str, str]) -> int:
    """Runs the proxy until it ends, or until a signal ends it; its exit status."""
    command = [
        str(Path(sys.executable).parent / "litellm"),
        *("--config", str(ROOT / "litellm_config.yaml")),
        *("--host", environ.get("GATEWAY_BIND", "127.0.0.1"), "--port", environ.get("GATEWAY_PORT", "4000")),
        # Slow machines need longer to import LiteLLM than uvicorn waits for a worker by default.
        *("--num_workers", environ.get("GATEWAY_WORKERS", "1"), "--timeout_worker_healthcheck", "60"),
    ]
    proxy = subprocess.Popen(command, env=dict(environ), cwd=ROOT, start_new_session=True)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: proxy.send_signal(signal.SIGTERM))
    status = proxy.wait()
    return 0 if status == -signal.SIGTERM else status


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main())
