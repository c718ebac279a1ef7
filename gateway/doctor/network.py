"""The way out as the environment says it, and why a connection failed: name, port, TLS, proxy or silence."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator, Mapping
from functools import cache
from urllib.parse import urlsplit

import httpx

from gateway.doctor.results import Result, failure
from gateway.environment import for_gateway


def client(address: str, environ: Mapping[str, str], seconds: float) -> httpx.Client:
    """A client for one address, with the proxy and the certificates that `make run` gives the gateway."""
    way = for_gateway(environ)
    return httpx.Client(proxy=proxy(address, way), verify=_trusting(_bundle(way)), timeout=seconds, trust_env=False)


def proxy(address: str, environ: Mapping[str, str]) -> str | None:
    """The proxy for an address, or None."""
    parts = urlsplit(address)
    if _exempt(parts.hostname or "", environ.get("no_proxy") or environ.get("NO_PROXY") or ""):
        return None
    names = (f"{parts.scheme}_proxy", f"{parts.scheme}_PROXY".upper(), "all_proxy", "ALL_PROXY")
    found = next((environ[name] for name in names if environ.get(name)), None)
    return found if not found or "://" in found else f"http://{found}"


def _exempt(host: str, names: str) -> bool:
    """NO_PROXY holds hosts and domains, with or without a dot in front; `*` is everything."""
    wanted = [name.strip().lower().lstrip(".") for name in names.split(",") if name.strip()]
    return any(name == "*" or host == name or host.endswith(f".{name}") for name in wanted)


def _bundle(environ: Mapping[str, str]) -> str:
    verify = environ.get("SSL_VERIFY", "")
    return environ.get("SSL_CERT_FILE") or (verify if os.path.exists(verify) else "")


@cache  # to read the authorities takes 30 ms of CPU, and each check has clients of its own
def _trusting(bundle: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=bundle) if bundle else httpx.create_ssl_context(trust_env=False)


def unreachable(check: str, variable: str, address: str, environ: Mapping[str, str], error: Exception) -> Result:
    """What went wrong on the way to `address`, which `variable` sets."""
    parts = urlsplit(address)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    causes = list(_causes(error))
    through = proxy(address, for_gateway(environ))
    if isinstance(error, httpx.ProxyError):
        told = "the company's proxy refused the connection"
        return failure(check, told, "Check HTTPS_PROXY (user, password, port), or exempt the host in NO_PROXY.")
    if certificate := next((each for each in causes if isinstance(each, ssl.SSLCertVerificationError)), None):
        told = f"TLS: the certificate of {host} is not trusted ({certificate.verify_message})"
        if "expired" in certificate.verify_message or "not yet valid" in certificate.verify_message:
            return failure(check, told, f"Set this machine's clock, or have the certificate behind {variable} renewed.")
        if "match" in certificate.verify_message.lower():
            return failure(check, told, f"Check the host's name in {variable}.")
        return failure(check, told, "Set CA_BUNDLE to a PEM file with your company's certificate authority.")
    if any(isinstance(each, ssl.SSLError) for each in causes):
        return failure(check, f"TLS: port {port} of {host} does not speak it", f"Check {variable} and HTTPS_PROXY.")
    if isinstance(error, OSError | ssl.SSLError):
        return failure(
            check, "the certificates cannot be read", "Check the file that CA_BUNDLE or SSL_CERT_FILE names."
        )
    if isinstance(error, httpx.InvalidURL | ValueError):
        return failure(check, "the address or the proxy's cannot be used", f"Check {variable} and HTTPS_PROXY.")
    where, whose = ("the company's proxy", "HTTPS_PROXY") if through else (host, f"{variable} and this machine's DNS")
    if isinstance(error, httpx.ConnectTimeout):
        advice = f"Check {whose}; behind a company's proxy, set HTTPS_PROXY."
        return failure(check, f"TCP: {where} does not take the connection in time", advice)
    if isinstance(error, httpx.TimeoutException):
        return failure(check, f"{host} takes the connection and stays silent", f"Try again later; check {variable}.")
    if any(type(each).__name__ == "gaierror" for each in causes):
        told = f"DNS: the name of {where} is unknown"
        return failure(check, told, f"Check {whose}; behind a company's proxy, set HTTPS_PROXY.")
    if any(isinstance(each, ConnectionRefusedError) for each in causes) or isinstance(error, httpx.ConnectError):
        told = f"TCP: {where} refuses the connection" + ("" if through else f" on port {port}")
        return failure(check, told, f"Check {'HTTPS_PROXY' if through else variable}, and the firewall.")
    told = f"{host} broke the connection off ({type(error).__name__})"
    return failure(check, told, f"Try again; if it stays so, check {variable} and HTTPS_PROXY.")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
