"""The switches from Python: what tests hold in their hands."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

import httpx

Script = str | dict[str, Any]


class SimulatorError(Exception):
    """A control call was refused; the message is the simulator's sentence."""


class Simulator:
    """A running stand-in at `url`. `control_token` is what it was started with, if anything."""

    def __init__(self, url: str, control_token: str | None = None) -> None:
        self.url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {control_token}"} if control_token else {}
        # The environment's proxies are for the outside world.
        self._http = httpx.Client(base_url=f"{self.url}/simulator/", headers=headers, timeout=30, trust_env=False)

    def __enter__(self) -> Simulator:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections of this client; the simulator runs on."""
        self._http.close()

    def requests(self, path: str | None = None) -> list[dict[str, Any]]:
        """Everything received, in order; only requests whose path holds `path` if given."""
        records: list[dict[str, Any]] = self._call("GET", "requests")
        return [record for record in records if path is None or path in record["path"]]

    def wait_for(
        self, wanted: Callable[[list[dict[str, Any]]], bool], path: str | None = None, seconds: float = 5
    ) -> list[dict[str, Any]]:
        """The requests once `wanted(requests)` holds; `TimeoutError` after `seconds`."""
        until = time.monotonic() + seconds
        while True:
            records = self.requests(path)
            if wanted(records):
                return records
            if time.monotonic() > until:
                raise TimeoutError(f"after {seconds} s the simulator still has: {records}")
            time.sleep(0.02)

    def clear(self) -> None:
        """Forget the requests received so far."""
        self._call("DELETE", "requests")

    def reset(self) -> None:
        """Forget requests, counts, faults, answers, rules, uploads and the model chosen; keep agents and tokens.

        Revoked tokens are good again: whoever holds one is not surprised by what an earlier test did.
        """
        self._call("POST", "reset")

    def faults(self, *in_turn: dict[str, Any], target: str | None = None, **switches: Any) -> None:
        """Set the faults of every agent, or of `target`: an agent's id, key, token, uploads, storage, quick-commands.

        key, uploads and storage can be one account's: `key@client-id`.

        Either switches by name, or several objects that come into force one after the other as each has been used
        `times` times. Replaces what was set before for the same target.
        """
        if in_turn and switches:
            raise TypeError("either several objects, or switches by name")
        self._call("PUT", _faults_path(target), list(in_turn) or switches)

    def no_faults(self, target: str | None = None) -> None:
        """Reset the faults of `target`, or all faults."""
        self._call("DELETE", _faults_path(target))

    def answer(self, *answers: Script, agent: str | None = None) -> None:
        """Queue answers, for everyone or one agent (or `key`, `quick-commands`); each is given once."""
        self._call("POST", "answers", [_envelope(answer, agent) for answer in answers])

    def rule(
        self, answer: Script, when: str | None = None, pattern: str | None = None, agent: str | None = None
    ) -> None:
        """Give `answer` to every prompt that holds `when`, or in which the expression `pattern` finds something."""
        matching = {name: value for name, value in (("when", when), ("pattern", pattern)) if value is not None}
        self._call("POST", "answers", {**_envelope(answer, agent), **matching})

    def no_answers(self) -> None:
        """Forget queued answers and rules."""
        self._call("DELETE", "answers")

    def model(self, name: str) -> None:
        """Choose who answers what is not scripted."""
        self._call("PUT", "model", {"name": name})

    def revoke_tokens(self) -> int:
        """Make every bearer bad at once; how many there were."""
        return int(self._call("POST", "tokens/revoke")["revoked"])

    def add_account(self, realm: str, client_id: str, client_secret: str) -> None:
        """Let one more credential have tokens."""
        self._call("POST", "accounts", {"realm": realm, "client_id": client_id, "client_secret": client_secret})

    def cut_off(self, client_id: str) -> None:
        """Refuse an account's credentials and tokens, until the reset."""
        self._call("POST", "accounts/cut", {"client_id": client_id})

    def add_agent(self, agent_id: str, client_id: str | None = None) -> None:
        """Let one more agent be there, for all accounts or for that of `client_id` alone."""
        self._call("POST", "agents", {"id": agent_id} | ({"client_id": client_id} if client_id else {}))

    def add_key(self, key: str, client_id: str) -> None:
        """Let one more key be good for the key API; it belongs to the account of `client_id`."""
        self._call("POST", "keys", {"key": key, "client_id": client_id})

    def outage(self, seconds: float) -> None:
        """Refuse all connections, control calls included, for so many seconds; open ones are dropped."""
        self._call("POST", "outage", {"seconds": seconds})
        time.sleep(0.15)

    def uploads(self) -> list[dict[str, Any]]:
        """The uploads begun: what each was asked for, whether and what was stored."""
        uploads: list[dict[str, Any]] = self._call("GET", "uploads")
        return uploads

    def uploaded(self, upload_id: str) -> bytes:
        """The bytes stored under an upload's id."""
        response = self._http.get(f"uploads/{upload_id}")
        if response.is_error:
            raise SimulatorError(response.json()["error"])
        return response.content

    def state(self) -> dict[str, Any]:
        """Counts: tokens issued, concurrent token requests at most, streams open now, and so on."""
        state: dict[str, Any] = self._call("GET", "state")
        return state

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        response = self._http.request(method, path, json=body)
        if response.is_error:
            raise SimulatorError(response.json()["error"])
        return response.json()


def _faults_path(target: str | None) -> str:
    return "faults" if target is None else f"faults/{target}"


def _envelope(answer: Script, agent: str | None) -> dict[str, Any]:
    return {"answer": answer} if agent is None else {"answer": answer, "agent": agent}
