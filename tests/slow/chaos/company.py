"""A company's proxy that opens TLS: tunnels by CONNECT, and speaks for StackSpot with its own certificate."""

import asyncio
from pathlib import Path

from tests.slow.chaos.network import HEAD_END, PASS, FaultProxy
from tests.unit.custom_handlers.serving import Certificate, self_signed

HOST = "inference.stackspot.test"
SELF_SIGNED, EXPIRED, WRONG_HOST = "self-signed", "expired", "wrong host"
UNKNOWN_HOST, UNKNOWN_USER = "unknown host", "unknown user"
CUT_HANDSHAKE, SILENT_TUNNEL = "cut handshake", "silent tunnel"
REFUSALS = {
    UNKNOWN_HOST: b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
    UNKNOWN_USER: b"HTTP/1.1 407 Who are you?\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
}


class CompanyProxy(FaultProxy):
    """Behind the tunnel it does what FaultProxy does; `bundle` is what the company has its machines trust."""

    def __init__(self, upstream: str, folder: Path) -> None:
        super().__init__(upstream)
        self.tunnels = 0

        def made(name: str, host: str, days: int = 1) -> Certificate:
            place = folder / name.replace(" ", "-")
            place.mkdir()
            return self_signed(place, names=[host], days=days)

        self._certificates = {
            PASS: made("good", HOST),
            SELF_SIGNED: made(SELF_SIGNED, HOST),
            EXPIRED: made(EXPIRED, HOST, days=-1),
            WRONG_HOST: made(WRONG_HOST, "elsewhere.test"),
        }
        self.bundle = folder / "bundle.pem"
        trusted = [self._certificates[name].path.read_text() for name in (PASS, EXPIRED, WRONG_HOST)]
        self.bundle.write_text("".join(trusted))

    async def _between(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, mode: str) -> None:
        head = await reader.readuntil(HEAD_END)
        assert head.startswith(f"CONNECT {HOST}:443 ".encode())
        self.tunnels += 1
        if mode == SILENT_TUNNEL:
            await asyncio.Event().wait()
        writer.write(REFUSALS.get(mode, b"HTTP/1.1 200 Connection established\r\n\r\n"))
        await writer.drain()
        if mode in REFUSALS:
            return
        if mode == CUT_HANDSHAKE:
            await reader.read(100)
            return
        await writer.start_tls(self._certificates.get(mode, self._certificates[PASS]).tls)
        await super()._between(reader, writer, PASS if mode in self._certificates else mode)
