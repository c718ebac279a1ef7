"""The chart's own files, as far as they can be read without Helm; tests/slow/chart has Helm render them."""

import json
import tomllib
from typing import Any

import yaml

from tests.harness import ROOT

CHART = ROOT / "deploy" / "chart"
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["gateway"]
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
# Passed on from .env in the Docker stack, from the Secret here.
SECRETS = {"STACKSPOT_CLIENT_ID", "STACKSPOT_CLIENT_SECRET", "STACKSPOT_CLIENT_KEY", "STACKSPOT_API_KEY"}
SECRETS |= {"OTEL_EXPORTER_OTLP_HEADERS"}
# Put together in the Docker stack's file; here they are given as they are.
COMPOSED = {"NO_PROXY", "no_proxy", "UI_USERNAME"}


def test_its_settings_are_those_of_the_docker_stack() -> None:
    passed_on = {name for name, value in COMPOSE["environment"].items() if value is None}
    settings = SCHEMA["properties"]["settings"]["properties"].keys()
    assert settings == (passed_on - SECRETS) | COMPOSED, "deploy/chart/values.schema.json lists docker-compose.yml's"


def test_its_versions_are_the_projects() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["version"] == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"{VALUES['image']['repository']}:{chart['appVersion']}" == COMPOSE["image"]


def test_every_value_has_a_default_and_a_schema() -> None:
    assert names(SCHEMA) - names_of(VALUES) - {("global",)} == set()
    assert names_of(VALUES) - names(SCHEMA) == set()


def names(schema: dict[str, Any], above: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """Every value that the schema knows, and that nothing else is allowed beside them."""
    found: set[tuple[str, ...]] = set()
    for name, inner in schema["properties"].items():
        place = (*above, name)
        if inner.get("properties") and name != "settings":
            found |= names(inner, place)
        else:
            found.add(place)
    assert schema["additionalProperties"] is False, above
    return found


def names_of(values: dict[str, Any], above: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    for name, value in values.items():
        place = (*above, name)
        nested = isinstance(value, dict) and value and place not in {("settings",)} and above != ("resources",)
        found |= names_of(value, place) if nested else {place}
    return found


def test_it_reads_the_projects_files_and_has_no_copies() -> None:
    assert {path.name: path.resolve() for path in (CHART / "files").iterdir()} == {
        name: ROOT / name for name in ("custom_handlers", "gateway", "litellm_config.yaml")
    }
    assert all(path.is_symlink() for path in (CHART / "files").iterdir())
