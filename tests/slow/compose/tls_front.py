"""TLS in front of a simulator on loopback: python3 tls_front.py CERTIFICATE KEY PORT; listens at 443."""

import asyncio
import ssl
import sys
from contextlib import suppress


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(65536):
            writer.write(piece)
    writer.close()


async def main(certificate: str, key: str, port: int) -> None:
    async def both_ways(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, asks = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(copy(reader, asks), copy(answers, writer))

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    async with await asyncio.start_server(both_ways, "0.0.0.0", 443, ssl=tls) as server:  # noqa: S104
        print("front ready", flush=True)
        await server.serve_forever()


asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
