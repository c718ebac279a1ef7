"""Compresses and encrypts values: Redis writes what it is given to a disk, and others may read there.

The key is made of the gateway's secret, so that all of its processes have the same, and of the value's owner.
"""

import hashlib
import hmac
import zlib

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

_FAST = 1  # zlib's level


class Seal:
    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def sealed(self, owner: str, value: bytes) -> bytes:
        return bytes(self._box(owner).encrypt(zlib.compress(value, _FAST)))

    def opened(self, owner: str, sealed: bytes) -> bytes | None:
        """None for what was sealed with another secret, or for another owner."""
        try:
            return zlib.decompress(self._box(owner).decrypt(sealed))
        except (CryptoError, ValueError, zlib.error):
            return None

    def _box(self, owner: str) -> SecretBox:
        return SecretBox(hmac.digest(self._secret, f"stackspot-responses:{owner}".encode(), hashlib.sha256))
