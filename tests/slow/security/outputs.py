"""All that a gateway has written down or shows, as text: what may hold a prompt or a secret that it should not."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import redis
from psycopg import sql

from tests.developers import Developer
from tests.slow.security.conftest import Watched

# What an administrator sees in the UI, or can ask for.
SHOWN = (
    *("/model/info", "/v1/model/info", "/v2/model/info", "/model_group/info", "/key/list?return_full_object=true"),
    *("/spend/logs", "/spend/logs/ui?start_date=2020-01-01%2000:00:00&end_date=2099-01-01%2000:00:00"),
    *("/user/list", "/team/list", "/global/spend/logs", "/get/config/callbacks", "/health/readiness/details"),
    *("/config/list?config_type=general_settings", "/router/settings", "/stackspot/pace", "/settings", "/config/yaml"),
    *("/global/activity", "/health/history", "/health/latest", "/active/callbacks", "/openapi.json"),
)


def outputs(watched: Watched, developer: Developer) -> dict[str, str]:
    """By its name, each output with all that is in it."""
    found = {
        "log": watched.gateway.output(),
        "metrics": httpx.get(f"http://127.0.0.1:{watched.metrics_port}/metrics/", trust_env=False).text,
        "traces": "\n".join(raw.decode("latin-1") for raw in watched.collector.raw),
        "database": "\n".join(_rows(watched.database)),
        "redis": "\n".join(_values(watched)),
        "redis's file": "\n".join(_file(path) for path in sorted(watched.redis.folder.rglob("*.aof"))),
    }
    with httpx.Client(base_url=watched.gateway.url, timeout=60, trust_env=False) as client:
        for path in SHOWN:
            answer = client.get(path, headers={"Authorization": f"Bearer {watched.gateway.key}"})
            found[f"{path} ({answer.status_code})"] = answer.text
        for path in ("/key/info", "/v1/models"):
            found[f"{path}, to a developer"] = client.get(
                path, headers={"Authorization": f"Bearer {developer.key}"}
            ).text
    return found


def _rows(address: str) -> Iterator[str]:
    """Every row of every table."""
    with psycopg.connect(address, autocommit=True) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in tables:
            for (row,) in connection.execute(sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(table))):
                yield f"{table}: {row}"


def _values(watched: Watched) -> Iterator[str]:
    with redis.Redis(port=watched.redis.port, password=watched.redis.password) as client:
        for key in client.scan_iter(count=1000):
            yield f"{key.decode('latin-1')} {(client.dump(key) or b'').decode('latin-1')}"


def _file(path: Path) -> str:
    return path.read_bytes().decode("latin-1")
