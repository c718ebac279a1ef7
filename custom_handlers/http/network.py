"""What the environment says of the way out: proxies, which are never for loopback, and a company's certificates; and
which addresses are private in disguise.
"""

import ipaddress
import ssl
from collections.abc import Mapping

LOOPBACK = ("127.0.0.1", "localhost", "::1")
# With an IPv4 address in their last 32 bits: NAT64 (RFC 6052), translated (RFC 2765), compatible (RFC 4291).
_WITH_IPV4 = [ipaddress.IPv6Network(each) for each in ("64:ff9b::/96", "::ffff:0:0:0/96", "::/96")]
_NAT64_OF_ONES_OWN = ipaddress.IPv6Network("64:ff9b:1::/48")  # RFC 8215
_CERTIFICATES = "SSL_CERT_FILE"


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address without brackets, is this machine's loopback."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def hides_private(address: str) -> bool:
    """Whether an IPv6 address leads to a private IPv4 one: by NAT64, 6to4 or an outdated form; or is private itself."""
    try:
        found = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return False
    if found.is_site_local or found in _NAT64_OF_ONES_OWN:
        return True
    hidden = found.sixtofour
    if any(found in network for network in _WITH_IPV4):
        hidden = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    return hidden is not None and (not hidden.is_global or hidden.is_multicast)


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
