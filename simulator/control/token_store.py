"""Bearer tokens: who may have one, and which are good."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import time
import uuid
from typing import Any

from simulator.settings import Account


class TokenStore:
    """The accounts, and the tokens that they were given."""

    def __init__(self, account: Account, life: float) -> None:
        self.accounts = [account]
        self.life = life
        self.cut_off: set[str] = set()  # client ids whose credentials and tokens are refused
        self.issued = 0
        self.asked = 0
        self.asking_now = 0
        self.most_asking = 0
        self._good: dict[str, tuple[Account, float]] = {}
        self._revoked: dict[str, tuple[Account, float]] = {}

    def knows_realm(self, realm: str) -> bool:
        """Whether any account is in `realm`."""
        return any(account.realm == realm for account in self.accounts)

    def find(self, realm: str, client_id: str, client_secret: str) -> Account | None:
        """The account with exactly this credential."""
        for account in self.accounts:
            if client_id in self.cut_off:
                continue
            if (account.realm, account.client_id) == (realm, client_id) and hmac.compare_digest(
                account.client_secret.encode(), client_secret.encode()
            ):
                return account
        return None

    def issue(self, account: Account, issuer: str) -> dict[str, Any]:
        """A token response with the Keycloak field set (POTENTII). No refresh token: the grant does not work there."""
        now = time.time()
        token = _jwt({"iss": issuer, "clientId": account.client_id, "iat": int(now), "exp": int(now + self.life)})
        self._good = {t: kept for t, kept in self._good.items() if kept[1] > time.monotonic()}
        self._good[token] = (account, time.monotonic() + self.life)
        self.issued += 1
        return {
            "access_token": token,
            "expires_in": int(self.life) if self.life >= 1 else self.life,
            "refresh_expires_in": 0,
            "token_type": "Bearer",
            "not-before-policy": 0,
            "session_state": str(uuid.uuid4()),
            "scope": "email profile",
        }

    def owner(self, authorization: str | None) -> Account | None:
        """Whose good token the Authorization header carries."""
        scheme, _, token = (authorization or "").partition(" ")
        kept = self._good.get(token)
        if scheme.lower() != "bearer" or kept is None or kept[1] <= time.monotonic():
            return None
        return None if kept[0].client_id in self.cut_off else kept[0]

    def revoke(self) -> int:
        """Make every token bad at once, as happens in mid-life; how many there were."""
        count = len(self._good)
        self._revoked |= self._good
        self._good.clear()
        return count

    def restore(self) -> None:
        """Make revoked tokens good again, so that who holds one is not surprised by an earlier test."""
        self._good |= self._revoked
        self._revoked.clear()

    def live(self) -> int:
        """How many tokens are good now."""
        return sum(until > time.monotonic() for _, until in self._good.values())

    def forget_counts(self) -> None:
        self.issued = self.asked = self.most_asking = 0


def _jwt(claims: dict[str, Any]) -> str:
    # Three parts like a real one; nobody but this store can check it, as with the real one's clients.
    parts = [json.dumps(part).encode() for part in ({"alg": "RS256", "typ": "JWT"}, claims)]
    return ".".join(base64.urlsafe_b64encode(p).decode().rstrip("=") for p in [*parts, secrets.token_bytes(48)])
