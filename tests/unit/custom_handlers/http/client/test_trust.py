"""Whom the client believes: redirects, TLS, cookies, and answers that are none."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from custom_handlers.core.errors import BadGatewayError
from custom_handlers.http.client import Request
from simulator.client import Simulator
from tests.unit.custom_handlers.http.client.calling import PATH, answer, failure, hello
from tests.unit.custom_handlers.serving import self_signed, serving, speaking


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(simulator: Simulator, chat: Request, status: int) -> None:
    simulator.faults(status=status, redirect=f"{simulator.url}/v1/code/completions", target="key")
    error = await failure(chat)
    assert type(error) is BadGatewayError
    assert "redirect" in error.message
    assert [request["path"] for request in simulator.requests()] == [f"/v1/{PATH}"]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("setting", ["none", "SSL_VERIFY=False", "litellm.ssl_verify = False", "AIOHTTP_TRUST_ENV"])
async def test_an_unknown_certificate_is_refused_whatever_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_VERIFY", raising=False)
    if setting == "SSL_VERIFY=False":
        monkeypatch.setenv("SSL_VERIFY", "False")
    elif setting == "litellm.ssl_verify = False":
        monkeypatch.setattr("litellm.ssl_verify", False)
    elif setting == "AIOHTTP_TRUST_ENV":
        monkeypatch.setenv("AIOHTTP_TRUST_ENV", "True")
    async with serving(hello, self_signed(tmp_path).tls) as server:
        assert type(await failure(Request(server.url, json={}))) is BadGatewayError
        assert server.sources == []


@pytest.mark.parametrize("setting", ["SSL_CERT_FILE", "SSL_VERIFY", "litellm.ssl_verify"])
@pytest.mark.parametrize("switched_off", [False, True])
async def test_an_own_authority_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str, switched_off: bool
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_VERIFY", raising=False)
    certificate = self_signed(tmp_path)
    if setting == "litellm.ssl_verify":
        monkeypatch.setattr("litellm.ssl_verify", str(certificate.path))
    else:
        monkeypatch.setenv(setting, str(certificate.path))
    if switched_off and setting == "SSL_CERT_FILE":
        monkeypatch.setenv("SSL_VERIFY", "False")
    async with serving(hello, certificate.tls) as server:
        assert json.loads(await answer(Request(server.url, json={}))) == {"message": "Hi"}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("wrong", [{"address": "127.0.0.2"}, {"days": -1}])
async def test_a_trusted_certificate_must_be_for_this_address_and_this_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, Any]
) -> None:
    certificate = self_signed(tmp_path, **wrong)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.path))
    async with serving(hello, certificate.tls) as server:
        assert type(await failure(Request(server.url, json={}))) is BadGatewayError
        assert server.sources == []


async def test_no_cookie_is_kept() -> None:
    async def with_cookie(request: web.Request) -> web.StreamResponse:
        response = web.json_response({})
        response.set_cookie("session", "someone")
        return response

    async with serving(with_cookie) as server:
        for _ in range(2):
            await answer(Request(server.url, json={}))
        assert ["cookie" in headers for headers in server.headers] == [False, False]


async def test_a_compressed_answer_is_unpacked() -> None:
    async def compressed(request: web.Request) -> web.StreamResponse:
        response = web.json_response({"message": "Hi"})
        response.enable_compression(web.ContentCoding.gzip)
        return response

    async with serving(compressed) as server:
        assert json.loads(await answer(Request(server.url, json={}))) == {"message": "Hi"}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"x" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n",
        b"\x00\xff\xfe",
    ],
)
async def test_whatever_is_answered_the_error_is_ours(sent: bytes) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(sent)
        await writer.drain()

    async with speaking(speak) as url:
        assert isinstance(await failure(Request(url, json={})), BadGatewayError)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("url", ["http://", "http://[", "nonsense", "http://127.0.0.1:99999", "ftp://127.0.0.1"])
async def test_an_address_that_is_none(url: str) -> None:
    assert type(await failure(Request(url, json={}))) is BadGatewayError
