"""What fails, fails with Prisma's codes, undoes what has to be undone, and leaves an engine that works on."""

import asyncio
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import prisma
import prisma.errors
import psycopg
import pytest
from litellm.proxy.db.exception_handler import PrismaDBExceptionHandler

from database.postgres import Server
from tests.slow.prisma_engine.conftest import engine_pid, is_running, name


async def test_batches_are_whole_or_not_at_all(client: Any) -> None:
    first, second = name(), name()
    async with client.batch_() as batch:
        batch.litellm_usertable.create(data={"user_id": first, "metadata": prisma.Json("{}")})
        batch.litellm_usertable.update(where={"user_id": first}, data={"spend": {"increment": 2.0}})
    assert (await client.litellm_usertable.find_unique(where={"user_id": first})).spend == 2.0
    batch = client.batch_()
    batch.litellm_usertable.create(data={"user_id": second})
    batch.litellm_usertable.create(data={"user_id": first})
    with pytest.raises(prisma.errors.UniqueViolationError):
        await batch.commit()
    assert await client.litellm_usertable.find_unique(where={"user_id": second}) is None


async def test_transactions(client: Any) -> None:
    kept, dropped = name(), name()
    async with client.tx() as transaction:
        await transaction.litellm_usertable.create(data={"user_id": kept})
        assert await client.litellm_usertable.find_unique(where={"user_id": kept}) is None, "not seen before its end"
    assert await client.litellm_usertable.find_unique(where={"user_id": kept}) is not None
    undone = client.tx()
    transaction = await undone.start()
    await transaction.litellm_usertable.create(data={"user_id": dropped})
    await undone.rollback()
    assert await client.litellm_usertable.find_unique(where={"user_id": dropped}) is None
    late = await client.tx(timeout=timedelta(milliseconds=200)).start()
    await asyncio.sleep(0.5)
    with pytest.raises(prisma.errors.TransactionExpiredError):
        await late.litellm_usertable.create(data={"user_id": dropped})


async def test_errors_have_prismas_codes(client: Any) -> None:
    user = name()
    await client.litellm_usertable.create(data={"user_id": user})
    with pytest.raises(prisma.errors.UniqueViolationError) as unique:
        await client.litellm_usertable.create(data={"user_id": user})
    assert unique.value.code == "P2002"
    assert unique.value.meta == {"target": ["user_id"]}
    with pytest.raises(prisma.errors.ForeignKeyViolationError):
        await client.litellm_verificationtoken.create(data={"token": name(), "budget_id": "no-such-budget"})
    with pytest.raises(prisma.errors.RawQueryError, match='relation "nowhere" does not exist') as raw:
        await client.query_raw("SELECT * FROM nowhere")
    assert raw.value.meta["code"] == "42P01"
    with pytest.raises(prisma.errors.FieldNotFoundError):
        await client.litellm_usertable.create(data={"user_id": name(), "no_such_field": 1})


async def test_many_at_once(client: Any) -> None:
    """More than the pool has connections (five)."""
    prefix = name()
    await asyncio.gather(*(client.litellm_usertable.create(data={"user_id": f"{prefix}-{i}"}) for i in range(50)))
    assert await client.litellm_usertable.count(where={"user_id": {"startswith": prefix}}) == 50


async def test_no_connection_is_free(client: Any) -> None:
    sleeping = [asyncio.create_task(client.query_raw("SELECT pg_sleep(4)::text")) for _ in range(5)]
    await asyncio.sleep(0.5)
    with pytest.raises(prisma.errors.DataError) as full:
        await client.query_raw("SELECT 1")
    assert full.value.code == "P2024"
    assert PrismaDBExceptionHandler.is_database_capacity_error(full.value)
    await asyncio.gather(*sleeping)
    assert await client.query_raw("SELECT 1 AS one") == [{"one": 1}]


@pytest.mark.parametrize("kind", ["raw", "model"])
async def test_a_lost_connection(client: Any, migrated: str, kind: str) -> None:
    with psycopg.connect(migrated) as admin:
        admin.execute('LOCK TABLE "LiteLLM_UserTable"')  # so that the query is under way when its connection ends
        query = client.query_raw('TABLE "LiteLLM_UserTable"') if kind == "raw" else client.litellm_usertable.count()
        waiting = asyncio.create_task(query)
        await asyncio.sleep(0.5)
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        with pytest.raises(
            prisma.errors.DataError, match="terminating connection due to administrator command"
        ) as lost:
            await waiting
    assert PrismaDBExceptionHandler.is_database_lifecycle_error(lost.value), "LiteLLM tries again"
    assert await client.query_raw("SELECT 1 AS one") == [{"one": 1}], "on a new connection"


async def test_a_server_that_goes_and_comes_back(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("PATH", "PRISMA_QUERY_ENGINE_BINARY"):
        monkeypatch.setenv(variable, variables[variable])
    with tempfile.TemporaryDirectory(prefix="gateway-tests-") as folder:
        server = Server(Path(folder) / "postgres")
        with server.running() as address:
            prisma_client = prisma.Prisma(datasource={"url": address})
            await prisma_client.connect()
            for process in server.processes():
                process.kill()
            await asyncio.sleep(0.5)
            with pytest.raises(prisma.errors.DataError) as gone:
                await prisma_client.query_raw("SELECT 1")
            assert gone.value.code == "P1001"
            assert PrismaDBExceptionHandler.is_database_transport_error(gone.value), "LiteLLM connects anew"
            with Server(server.data).running():
                assert await prisma_client.query_raw("SELECT 1 AS one") == [{"one": 1}]
            await prisma_client.disconnect()


async def test_the_engine_ends_with_its_client(client: Any) -> None:
    pid = engine_pid(client)
    assert is_running(pid)
    await client.disconnect()
    for _ in range(50):
        if not is_running(pid):
            break
        await asyncio.sleep(0.1)
    assert not is_running(pid)
    await client.connect()


async def test_the_engine_ends_when_its_client_is_killed(migrated: str, variables: dict[str, str]) -> None:
    script = """
import asyncio, sys
from prisma import Prisma

async def main():
    prisma = Prisma(datasource={"url": sys.argv[1]})
    await prisma.connect()
    print("engine", prisma._engine.process.pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, migrated, env=variables, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    line = b""
    while not line.startswith(b"engine "):
        line = await process.stdout.readline()
    pid = int(line.split()[1])
    process.kill()
    await process.wait()
    for _ in range(100):
        if not is_running(pid):
            break
        await asyncio.sleep(0.1)
    assert not is_running(pid)
