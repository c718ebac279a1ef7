"""Credentials in variables, and the mistakes that are told of what is set."""

from collections.abc import Mapping
from typing import Any

import pytest

from custom_handlers.config.settings import ModelEntry, read_settings
from custom_handlers.core.errors import ConfigurationError
from tests.harness import AGENTS

CHAT = AGENTS["stackspot-ai-chat"]
SECRET = "Kp3-vErYsEcReT"
WITH_AGENTS = {
    "STACKSPOT_REALM": "acme",
    "STACKSPOT_CLIENT_ID": "client",
    "STACKSPOT_CLIENT_SECRET": SECRET,
    "STACKSPOT_AGENT_ID": CHAT,
}
WITH_KEY = {"STACKSPOT_API_KEY": f"sk-{SECRET}"}
NAMES = [
    *WITH_AGENTS,
    *WITH_KEY,
    "STACKSPOT_CLIENT_KEY",
    "STACKSPOT_CHAT_AGENT_ID",
    "STACKSPOT_CODE_AGENT_ID",
    "STACKSPOT_ASSISTANT_AGENT_ID",
    "STACKSPOT_API_BASE",
    "STACKSPOT_IDM_URL",
    "STACKSPOT_INFERENCE_URL",
    "STACKSPOT_UPLOAD_URL",
    "STACKSPOT_LOG_CONTENT",
    "STACKSPOT_UPLOADS",
    "STACKSPOT_FETCH_IMAGES",
    "STACKSPOT_MASK_PERSONAL_DATA",
]


def mistakes(environ: Mapping[str, str], deployments: list[ModelEntry] | None = None) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read_settings(environ, deployments)
    assert SECRET not in str(caught.value)
    return caught.value.mistakes


def model(info: dict[str, Any] | None = None, name: str = "stackspot-ai-code") -> ModelEntry:
    return ModelEntry(name, name, info or {})
