"""Each container of the Docker stack has the secrets that it needs and no others, and has them in its environment."""

import re
from typing import Any

import pytest
import yaml

from tests.harness import ROOT

SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
ACCOUNT = {"STACKSPOT_CLIENT_SECRET", "STACKSPOT_CLIENT_KEY", "STACKSPOT_API_KEY", "OTEL_EXPORTER_OTLP_HEADERS"}
OWN = {"LITELLM_MASTER_KEY", "LITELLM_SALT_KEY", "UI_PASSWORD"}
WANTED = {
    "preflight": ACCOUNT,
    "gateway": {*ACCOUNT, *OWN, "POSTGRES_PASSWORD", "REDIS_PASSWORD"},
    "database": {"POSTGRES_PASSWORD"},
    "redis": {"REDIS_PASSWORD"},
    "prometheus": set[str](),
    "grafana": {"GRAFANA_PASSWORD"},
}
_SECRET = re.compile(r"(?<!\$)\$\{?([A-Z_]*(?:KEY|PASSWORD|SECRET|TOKEN|HEADERS)\b)")
_NAME = re.compile(r"_(KEY|PASSWORD|SECRET|HEADERS)$")


def secrets_in(value: Any) -> set[str]:
    """What compose fills in there. `$$NAME` is for a shell in the container, and stays a name."""
    return set(_SECRET.findall(yaml.safe_dump(value)))


def passed_on(environment: dict[str, Any]) -> set[str]:
    """Names without a value, which compose takes from .env."""
    return {name for name, value in environment.items() if value is None and _NAME.search(name)}


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_has_its_own_secrets_in_its_environment(name: str) -> None:
    service = SERVICES[name]
    environment = service.get("environment", {})
    assert secrets_in(environment) | passed_on(environment) == WANTED[name]
    assert secrets_in({part: value for part, value in service.items() if part != "environment"}) == set()


def test_a_secret_elsewhere_would_be_found() -> None:
    assert secrets_in({"command": ["redis-server", "--requirepass", "${REDIS_PASSWORD:?}"]}) == {"REDIS_PASSWORD"}
    assert secrets_in({"command": 'requirepass "$$REDIS_PASSWORD"'}) == set()
    assert secrets_in({"labels": {"x": "$LITELLM_MASTER_KEY"}}) == {"LITELLM_MASTER_KEY"}


def test_only_litellms_containers_have_the_file_of_further_accounts() -> None:
    assert {name for name, service in SERVICES.items() if "env_file" in service} == {"preflight", "gateway"}
