"""Lanes: each with an account, an agent and a key of its own, so that what is set for one touches no other."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from simulator.client import Simulator
from simulator.control.fault_store import for_account
from tests.developers import Developer
from tests.gateway.calling import PATHS, Reply, read
from tests.harness import ROOT, Account, Server
from tests.slow.chaos.questions import Question

LANES = 16
KEY, UPLOADS, STORAGE = "key", "uploads", "storage"
# Seconds, as long as a busy machine needs and as short as a stall may cost.
FIRST_BYTE, IDLE = 6.0, 5.0
# Longer than all that one question may take: whatever reaches it hangs.
HANGS = 60.0


@dataclass
class Asked:
    """One question and its outcome: an answer that was read to its end, or why there is none."""

    question: Question
    started: float
    reply: Reply | None = None
    lost: Exception | None = None
    ended: float = 0.0


@dataclass
class Lane:
    number: int
    service: str = ""  # whose switches its questions set: its agent's, unless it is key, uploads or storage
    developer: Developer | None = None
    asked: list[Asked] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"chaos-{self.number:02}"

    @property
    def agent(self) -> str:
        return f"01J0000000000000000CHA0S{self.number:02}"

    @property
    def account(self) -> Account:
        return Account("acme", f"{self.name}-client", f"{self.name}-secret", f"sk-{self.name}")

    @property
    def target(self) -> str:
        return for_account(self.service, self.account.client_id) if self.service else self.agent

    def asked_for(self, records: list[dict[str, Any]], asked: Asked) -> list[Mapping[str, Any]]:
        """What StackSpot was asked for one question."""
        key = f"Bearer {self.account.api_key}"
        return [
            one
            for one in records
            if (one["path"] == f"/v1/agent/{self.agent}/chat" or one["headers"].get("authorization") == key)
            and asked.started <= one["started"] <= asked.ended
        ]

    def deployment(self, first: dict[str, Any]) -> dict[str, Any]:
        """An entry of model_list beside the `first` of the repository's."""
        info = first["model_info"] | {
            "access_groups": [],
            "stackspot_account": self.name,
            "stackspot_agent_id": self.agent,
            "stackspot_first_byte_timeout": FIRST_BYTE,
            "stackspot_idle_timeout": IDLE,
        }
        params = first["litellm_params"] | {"model": f"stackspot_ai/{self.name}"}
        if self.service == KEY:
            del info["stackspot_agent_id"]
            params = first["litellm_params"]  # the key API has three models, and no other
        return {"model_name": self.name, "litellm_params": params, "model_info": info}

    def variables(self) -> dict[str, str]:
        prefix = f"STACKSPOT_{self.name.upper().replace('-', '_')}_"
        account = self.account
        if self.service == KEY:
            return {f"{prefix}API_KEY": account.api_key}
        values = {"REALM": account.realm, "CLIENT_ID": account.client_id, "CLIENT_SECRET": account.client_secret}
        return {prefix + name: value for name, value in values.items()}

    def run(self, server: Server, simulator: str, questions: Sequence[Question | None]) -> None:
        """Asks one after the other."""
        assert self.developer
        headers = {"Authorization": f"Bearer {self.developer.key}"}
        http = httpx.Client(base_url=server.url, headers=headers, timeout=HANGS, trust_env=False)
        with http, Simulator(simulator) as switches:
            for question in filter(None, questions):
                switches.faults(*question.mix.as_faults(), target=self.target)
                asked = Asked(question, time.monotonic())
                self.asked.append(asked)
                try:
                    response = http.post(PATHS[question.route], json=question.body(self.name))
                    asked.reply = read(question.route, response)
                except Exception as error:  # a hang or a broken connection: judged with the others
                    asked.lost = error
                asked.ended = time.monotonic()


def configuration(lanes: list[Lane], place: Path, settings: Mapping[str, Any]) -> Path:
    """The repository's configuration with a model for each lane; `settings` join those of LiteLLM."""
    content = yaml.safe_load((ROOT / "litellm_config.yaml").read_text())
    first = content["model_list"][0]
    content["model_list"] += [lane.deployment(first) for lane in lanes]
    content["litellm_settings"] |= settings
    place.write_text(yaml.safe_dump(content))
    return place


def run_all(lanes: list[Lane], server: Server, simulator: str, questions: Sequence[Question | None]) -> None:
    """Deals the questions out to the lanes, and waits for all."""
    threads = [
        threading.Thread(target=lane.run, args=(server, simulator, questions[lane.number :: len(lanes)]))
        for lane in lanes
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
