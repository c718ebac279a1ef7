"""Doctor against faults of network and TLS."""

import datetime
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.doctor import stackspot
from gateway.processes import free_port
from tests.sampling import first
from tests.unit.gateway.doctor.conftest import Doctor, Examined, listening, saying, silent

TOKEN = b'{"access_token": "t", "expires_in": 1199}'
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(TOKEN), TOKEN)


def idm(doctor: Doctor, address: str, **environ: str) -> Examined:
    return doctor("--no-agents", STACKSPOT_IDM_URL=address, **environ)


def test_a_closed_port(doctor: Doctor) -> None:
    port = free_port()
    outcome, message, advice = idm(doctor, f"https://127.0.0.1:{port}").told("token endpoint")
    assert (outcome, message) == ("failure", f"TCP: 127.0.0.1 refuses the connection on port {port}")
    assert "STACKSPOT_IDM_URL" in advice


def test_a_name_that_nobody_has(doctor: Doctor) -> None:
    outcome, message, advice = idm(doctor, "https://idm.invalid").told("token endpoint")
    assert (outcome, message) == ("failure", "DNS: the name of idm.invalid is unknown")
    assert "STACKSPOT_IDM_URL" in advice
    assert "HTTPS_PROXY" in advice


def test_the_way_is_tried_without_credentials(doctor: Doctor) -> None:
    found = idm(doctor, "https://idm.invalid", STACKSPOT_REALM="")
    assert found.told("credentials") == ("failure", "missing: STACKSPOT_REALM", "Set STACKSPOT_REALM.")
    assert found.told("token endpoint")[1].startswith("DNS: ")


def test_a_server_that_says_nothing(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stackspot, "TOKEN_SECONDS", 2.0)
    with listening(silent) as port:
        outcome, message, advice = idm(doctor, f"http://127.0.0.1:{port}").told("token endpoint")
    assert (outcome, message) == ("failure", "127.0.0.1 takes the connection and stays silent")
    assert "STACKSPOT_IDM_URL" in advice


def test_a_server_without_tls(doctor: Doctor) -> None:
    with listening(saying(ANSWER)) as port:
        outcome, message, advice = idm(doctor, f"https://127.0.0.1:{port}").told("token endpoint")
    assert (outcome, message) == ("failure", f"TLS: port {port} of 127.0.0.1 does not speak it")
    assert "STACKSPOT_IDM_URL" in advice


@pytest.mark.parametrize("status", first(["403 Forbidden", "407 Proxy Authentication Required", "502 Bad Gateway"]))
def test_a_proxy_that_refuses(doctor: Doctor, status: str) -> None:
    with listening(saying(f"HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n".encode())) as port:
        proxy = f"http://somebody:hunter2secret@127.0.0.1:{port}"
        found = idm(doctor, "https://idm.invalid", HTTPS_PROXY=proxy)
    outcome, message, advice = found.told("token endpoint")
    assert (outcome, message) == ("failure", "the company's proxy refused the connection")
    assert "HTTPS_PROXY" in advice
    assert "hunter2secret" not in found.out


def test_a_proxy_that_is_away(doctor: Doctor) -> None:
    found = idm(doctor, "https://idm.invalid", HTTPS_PROXY=f"http://127.0.0.1:{free_port()}")
    outcome, message, advice = found.told("token endpoint")
    assert (outcome, message) == ("failure", "TCP: the company's proxy refuses the connection")
    assert "HTTPS_PROXY" in advice


def test_a_host_that_is_exempt_from_the_proxy(doctor: Doctor) -> None:
    proxy = {"HTTPS_PROXY": f"http://127.0.0.1:{free_port()}", "NO_PROXY": ".invalid"}
    assert idm(doctor, "https://idm.invalid", **proxy).told("token endpoint")[1].startswith("DNS: ")


Certificate = Callable[..., Path]


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    """Makes a self-signed certificate with its key, in one PEM file."""

    def make(name: str = "localhost", days: int = 30) -> Path:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=90))
            .not_valid_after(now + datetime.timedelta(days=days))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        file = tmp_path / f"{name}.pem"
        pem, traditional = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        secret = key.private_bytes(pem, traditional, serialization.NoEncryption())
        file.write_bytes(made.public_bytes(pem) + secret)
        return file

    return make


@contextmanager
def tls(certificate: Path) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def answer(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            saying(ANSWER)(secured)

    with listening(answer) as port:
        yield port


def test_a_certificate_that_is_trusted(doctor: Doctor, certificate: Certificate) -> None:
    file = certificate()
    with tls(file) as port:
        found = idm(doctor, f"https://localhost:{port}", CA_BUNDLE=str(file))
    assert found.told("token endpoint")[0] == "ok"
    assert found.told("clock")[0] == "note", "the answer has no Date"


def test_a_certificate_of_nobody_known(doctor: Doctor, certificate: Certificate) -> None:
    with tls(certificate()) as port:
        outcome, message, advice = idm(doctor, f"https://localhost:{port}").told("token endpoint")
    assert outcome == "failure"
    assert message == "TLS: the certificate of localhost is not trusted (self-signed certificate)"
    assert "CA_BUNDLE" in advice


def test_a_certificate_that_expired(doctor: Doctor, certificate: Certificate) -> None:
    file = certificate(days=-1)
    with tls(file) as port:
        found = idm(doctor, f"https://localhost:{port}", CA_BUNDLE=str(file))
    outcome, message, advice = found.told("token endpoint")
    assert outcome == "failure"
    assert "certificate has expired" in message
    assert "clock" in advice


def test_a_certificate_of_another_host(doctor: Doctor, certificate: Certificate) -> None:
    file = certificate("idm.invalid")
    with tls(file) as port:
        found = idm(doctor, f"https://localhost:{port}", CA_BUNDLE=str(file))
    outcome, message, advice = found.told("token endpoint")
    assert outcome == "failure"
    assert "localhost" in message
    assert advice == "Check the host's name in STACKSPOT_IDM_URL."


def test_a_bundle_that_is_not_there(doctor: Doctor, tmp_path: Path) -> None:
    found = idm(doctor, "https://idm.invalid", CA_BUNDLE=str(tmp_path / "none.pem"))
    outcome, message, advice = found.told("token endpoint")
    assert (outcome, message) == ("failure", "the certificates cannot be read")
    assert "CA_BUNDLE" in advice
