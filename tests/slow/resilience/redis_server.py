"""A Redis of the tests' own, with the settings of docker-compose.yml, that can be killed and started again."""

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
import yaml

from tests.harness import ROOT, free_port
from tests.waiting import eventually


def shipped() -> dict[str, str]:
    """How the Docker stack tells its gateway to use Redis, apart from where that is."""
    gateway = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["gateway"]["environment"]
    place = ("REDIS_HOST", "REDIS_PORT", "REDIS_PASSWORD")
    return {name: value for name, value in gateway.items() if name.startswith("REDIS_") and name not in place}


class RedisServer:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.password = secrets.token_urlsafe(16)
        self._process: subprocess.Popen[bytes] | None = None

    def variables(self) -> dict[str, str]:
        """What tells LiteLLM of this server."""
        return {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(self.port), "REDIS_PASSWORD": self.password}

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = f'bind 127.0.0.1\nport {self.port}\ndir "{self.folder}"\nrequirepass {self.password}\n'
        settings += 'save ""\nappendonly yes\nmaxmemory 192mb\nmaxmemory-policy volatile-lru\n'
        with (self.folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(["redis-server", "-"], stdin=subprocess.PIPE, stdout=log, stderr=log)
        assert self._process.stdin
        self._process.stdin.write(settings.encode())
        self._process.stdin.close()
        eventually(self._answers, "Redis answers", seconds=30, pause=0.1)

    @contextmanager
    def full(self) -> Iterator[None]:
        """It refuses every write (OOM), as it does with its disk full (MISCONF)."""
        with redis.Redis(port=self.port, password=self.password, decode_responses=True) as client:
            before = {name: client.config_get(name)[name] for name in ("maxmemory", "maxmemory-policy")}
            client.config_set("maxmemory", 1)
            client.config_set("maxmemory-policy", "noeviction")
            with pytest.raises(redis.OutOfMemoryError):
                client.set("a", "b")
            yield
            for name, value in before.items():
                client.config_set(name, value)

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait(30)

    def _answers(self) -> bool:
        with redis.Redis(port=self.port, password=self.password, socket_timeout=2) as client:
            try:
                return bool(client.ping())
            except (redis.ConnectionError, redis.TimeoutError):
                return False
