"""`python -m supply_chain.sbom [FILE]` (`make sbom`): what the gateway runs on, as a CycloneDX 1.6 bill of materials.

Made from the locks alone, so that the same locks give the same bytes; licences are those of what is installed.
"""

from __future__ import annotations

import json
import sys
import tomllib
import uuid
from pathlib import Path

from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from supply_chain.licences import licence_of
from supply_chain.locks import ENGINE, ROOT, RUNTIME, STACK, Image, Pin, images, read

FILE = ROOT / "artifacts" / "sbom.cdx.json"
_PAGES = {
    "pypi": "https://pypi.org/project/{name}/{version}/",
    "npm": "https://www.npmjs.com/package/{name}/v/{version}",
}
_SAME = uuid.UUID("6f1c0f0e-7d0b-4f0e-9a43-1b6d5c8f2a10")


def bill() -> Bom:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    bom = Bom()
    gateway = Component(
        name=project["name"], version=project["version"], type=ComponentType.APPLICATION, bom_ref="gateway"
    )
    bom.metadata.component = gateway
    parts = [_package(pin) for path in (RUNTIME, ENGINE) for pin in read(path)]
    parts += [component_of(image) for image in images(STACK.read_text())]
    for part in parts:
        bom.components.add(part)
    bom.register_dependency(gateway, parts)
    bom.serial_number = uuid.uuid5(_SAME, "\n".join(sorted(str(part.purl) for part in parts)))
    return bom


def text() -> str:
    """The bill without the time at which it was made: who has the same locks gets the same file."""
    found = json.loads(JsonV1Dot6(bill()).output_as_string())
    del found["metadata"]["timestamp"]
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def _package(pin: Pin) -> Component:
    page = _PAGES[pin.ecosystem].format(name=pin.name, version=pin.version)
    hashes = [HashType(alg=HashAlgorithm(kind), content=digest) for kind, digest in pin.hashes]
    licence = pin.licence or (licence_of(pin.name) if pin.ecosystem == "pypi" else "")
    return Component(
        name=pin.name,
        version=pin.version,
        type=ComponentType.LIBRARY,
        purl=PackageURL.from_string(pin.purl),
        bom_ref=f"{pin.purl}#{pin.marker}" if pin.marker else pin.purl,
        licenses=[DisjunctiveLicense(name=licence)] if licence else None,
        # Of each file that the lock accepts; they are hashes of distributions, not of the package.
        external_references=[
            ExternalReference(type=ExternalReferenceType.DISTRIBUTION, url=XsUri(page), hashes=hashes)
        ],
        properties=[Property(name="python:environment-marker", value=pin.marker)] if pin.marker else None,
    )


def component_of(image: Image) -> Component:
    registry, _, path = image.name.rpartition("/") if "." in image.name.partition("/")[0] else ("", "", image.name)
    host, _, owner = registry.partition("/")
    tag, _, digest = image.tag.partition("@")
    name = f"{owner}/{path}" if owner else path
    where = {"repository_url": host} if host else {}
    namespace, _, short = name.rpartition("/")
    purl = PackageURL("docker", namespace or None, short, digest or tag, where)
    return Component(name=image.name, version=tag, type=ComponentType.CONTAINER, purl=purl, bom_ref=purl.to_string())


def main(arguments: list[str]) -> int:
    file = Path(arguments[0]) if arguments else FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text())
    print(f"{file}: {len(bill().components)} components")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
