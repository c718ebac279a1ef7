"""What the environment says of the way out: proxies, which are never for loopback, and a company's certificates."""

import ipaddress
import ssl
from collections.abc import Mapping

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_CERTIFICATES = "SSL_CERT_FILE"


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address without brackets, is this machine's loopback."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def exempt_loopback(environ: Mapping[str, str]) -> dict[str, str]:
    """NO_PROXY with loopback in it, in both spellings, since programs differ in which of them they read."""
    given = [name for variable in ("NO_PROXY", "no_proxy") for name in environ.get(variable, "").split(",")]
    names = [name for name in dict.fromkeys(name.strip() for name in given) if name]
    # Alone, `*` exempts everything; in a list, Python's urllib does not know it.
    value = "*" if "*" in names else ",".join(dict.fromkeys([*names, *LOOPBACK]))
    return {"NO_PROXY": value, "no_proxy": value}


def certificate_mistakes(environ: Mapping[str, str]) -> list[str]:
    """What is wrong with the bundle in SSL_CERT_FILE, which LiteLLM would pass over without a word."""
    path = environ.get(_CERTIFICATES)
    if not path:
        return []
    try:
        ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        return [f"{_CERTIFICATES} is {path}, which holds no certificates in PEM form."]
    except OSError as error:
        return [f"{_CERTIFICATES} is {path}, which cannot be read ({error.strerror})."]
    return []
