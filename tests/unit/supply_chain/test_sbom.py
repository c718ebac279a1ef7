"""The bill of materials is one by CycloneDX's own schema, and has what is locked."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import cyclonedx.schema
import pytest
from jsonschema import Draft7Validator
from referencing import Registry, Resource

from supply_chain import sbom
from supply_chain.locks import ENGINE, RUNTIME, images, read
from tests.harness import ROOT
from tests.sampling import thorough

SCHEMAS = Path(str(cyclonedx.schema.__file__)).parent / "_res"
PLACE = "http://cyclonedx.org/schema/"


@cache
def bill() -> Mapping[str, Any]:
    found: dict[str, Any] = json.loads(sbom.text())
    return found


def validator() -> Draft7Validator:
    registry: Registry[Any] = Registry()
    for path in SCHEMAS.glob("*.schema.json"):
        content = json.loads(path.read_text())
        registry = registry.with_resource(PLACE + path.name.replace(".SNAPSHOT", ""), Resource.from_contents(content))
    schema = json.loads((SCHEMAS / "bom-1.6.SNAPSHOT.schema.json").read_text())
    return Draft7Validator(schema, registry=registry)


def test_it_is_valid() -> None:
    assert [error.message for error in validator().iter_errors(bill())] == []
    broken = {**bill(), "components": [{"type": "library"}]}
    assert [error.message for error in validator().iter_errors(broken)] == ["'name' is a required property"]


def test_it_has_every_package_of_the_locks_with_its_hashes() -> None:
    parts = {(part["name"], part["version"]): part for part in bill()["components"]}
    pins = read(RUNTIME) + read(ENGINE)
    assert len(pins) > 150
    for pin in pins:
        part = parts[pin.name, pin.version]
        assert part["purl"] == pin.purl
        [reference] = part["externalReferences"]
        assert {(each["alg"], each["content"]) for each in reference["hashes"]} == {*pin.hashes}
    [gateway] = [each for each in bill()["dependencies"] if each["ref"] == "gateway"]
    assert {*gateway["dependsOn"]} == {part["bom-ref"] for part in bill()["components"]}


def test_it_has_the_images_of_the_docker_stack() -> None:
    images = {part["name"]: part["version"] for part in bill()["components"] if part["type"] == "container"}
    text = (ROOT / "docker-compose.yml").read_text()
    assert len(images) == 5
    assert all(f"image: {name}:{tag}" in text for name, tag in images.items())


def test_an_image_with_its_digest_is_named_by_it() -> None:
    digest = "sha256:" + "ab" * 32
    [image] = images(f"services: {{gateway: {{image: 'registry.local:5000/team/litellm:v1.108.14@{digest}'}}}}")
    part = sbom.component_of(image)
    assert (part.name, part.version) == ("registry.local:5000/team/litellm", "v1.108.14")
    assert str(part.purl) == f"pkg:docker/team/litellm@{digest}?repository_url=registry.local:5000"


@thorough
def test_the_same_locks_give_the_same_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "folder" / "sbom.json"
    assert sbom.main([str(file)]) == 0
    assert file.read_text() == sbom.text()
    assert f"{len(bill()['components'])} components" in capsys.readouterr().out
