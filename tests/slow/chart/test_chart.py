"""The chart as Helm renders it. No cluster runs here: what Kubernetes says of the objects is its schema's word."""

import shutil
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.harness import AGENTS, ROOT, clean_environment
from tests.markdown import Page
from tests.slow.chart.conftest import LEAST, MOST
from tests.slow.chart.helm import CHART, Helm, Rendered, release_bytes, variables

KUBERNETES = ("1.30", "1.36")
MOST_BYTES = 1024 * 1024  # of a ConfigMap, and of the Secret in which Helm keeps a release
# The Prometheus Operator's, which is no part of Kubernetes.
OPERATORS = {"ServiceMonitor"}
TEMPORARY = "/tmp"  # noqa: S108


def test_helm_finds_nothing_to_complain_about(helm: Helm) -> None:
    for values in (LEAST, MOST):
        done = helm.run("lint", "--strict", CHART, values=values)
        assert done.returncode == 0, done.stdout
        assert "0 chart(s) failed" in done.stdout


@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_knows_every_field(least: Rendered, most: Rendered, version: str) -> None:
    for rendered in (least, most):
        for document in rendered.documents:
            if document["kind"] not in OPERATORS:
                kubernetes_validate.validate(document, version, strict=True)


def test_a_misspelt_field_would_be_found(least: Rendered) -> None:
    deployment = deepcopy(least.one("Deployment"))
    deployment["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(deployment, KUBERNETES[0], strict=True)


def test_the_documentation_lists_what_is_rendered(most: Rendered) -> None:
    [table] = [
        text for language, text in Page.read(ROOT / "docs" / "kubernetes.md").blocks if text.startswith("NetworkPolicy")
    ]
    listed = [tuple(line.split()[:2]) for line in table.splitlines()]
    assert listed == [(document["kind"], document["metadata"]["name"]) for document in most.documents]


# ---------------------------------------------------------------- mistakes


def test_all_that_is_missing_is_told_at_once(helm: Helm) -> None:
    told = helm.mistakes({"metrics": {"serviceMonitor": True}})
    for name in ("secret", "database.host", "redis.host", "metrics.port"):
        assert f"\n{name} is missing: " in told


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"secrets": "x"}, "additional properties 'secrets' not allowed"),
        ({"settings": {"STACKSPOT_AGENTID": "x"}}, "additional properties 'STACKSPOT_AGENTID' not allowed"),
        ({"settings": {"STACKSPOT_CLIENT_SECRET": "x"}}, "'STACKSPOT_CLIENT_SECRET' not allowed"),
        ({"settings": {"LITELLM_MASTER_KEY": "sk-1"}}, "'LITELLM_MASTER_KEY' not allowed"),
        ({"replicas": 1}, "at '/replicas': minimum: got 1, want 2"),
        ({"image": {"digest": "v1"}}, "at '/image/digest'"),
    ],
)
def test_a_misspelt_value_is_a_mistake(helm: Helm, values: dict[str, Any], told: str) -> None:
    assert told in helm.mistakes(LEAST | values)


def test_the_chart_makes_no_secret_and_holds_none(most: Rendered) -> None:
    assert not [document for document in most.documents if document["kind"] == "Secret"]
    secret = [entry for container in most.containers for entry in container["env"] if "valueFrom" in entry]
    assert {entry["valueFrom"]["secretKeyRef"]["name"] for entry in secret} == {"gateway-secrets"}
    assert {entry["name"] for entry in secret} == {entry["valueFrom"]["secretKeyRef"]["key"] for entry in secret}
    assert not [entry for container in most.containers for entry in container.get("envFrom", [])]


# ---------------------------------------------------------------- what runs in it


# Set by one and not by the other, each with its reason.
ONLY_IN_THE_CHART = {
    "SSL_CERT_FILE": "compose's command line sets it from CA_BUNDLE",
    "REQUESTS_CA_BUNDLE": "compose's command line sets it from CA_BUNDLE",
    "DATABASE_SSLMODE": "compose's Postgres is in a network of its own",
    "DATABASE_SSLROOTCERT": "compose's Postgres is in a network of its own",
    "REDIS_SSL": "compose's Redis is in a network of its own",
    "DISABLE_SCHEMA_UPDATE": "the Job has migrated; compose has no Job",
    "AZURE_API_KEY": "an example of secretVariables",
    "PROMETHEUS_METRICS_PORT": "off unless metrics.port is set",
}


def test_its_environment_is_that_of_the_docker_stack(helm: Helm) -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["gateway"]["environment"]
    settings = yaml.safe_load((CHART / "values.schema.json").read_text())["properties"]["settings"]["properties"]
    every = helm.rendered(MOST | {"settings": dict.fromkeys(settings, "1")})
    [gateway] = every.pod["containers"]
    ours = variables(gateway)
    only_here = ours.keys() - compose.keys()
    assert compose.keys() - ours.keys() == set(), "add them to deploy/chart (settings: to values.schema.json)"
    assert only_here == ONLY_IN_THE_CHART.keys() - compose.keys()
    both = {name: value for name, value in compose.items() if isinstance(value, str) and "$" not in value}
    # Where the stores are is the installation's own.
    places = {name for name in both if name.startswith("DATABASE_") or name in ("REDIS_HOST", "REDIS_PORT")}
    assert {name: ours[name]["value"] for name in both.keys() - places} == {
        name: both[name] for name in both.keys() - places
    }


def test_values_arrive_as_they_were_written(most: Rendered) -> None:
    environment = {name: entry.get("value") for name, entry in variables(most.pod["containers"][0]).items()}
    assert environment["STACKSPOT_MAX_JSON_VALUES"] == "1000000"
    assert environment["STACKSPOT_UPLOADS"] == "true"
    assert environment["KEY_BUDGET"] == "0.5"
    assert environment["NO_PROXY"] == "127.0.0.1,localhost,::1,postgres.internal,redis.internal,.internal"
    assert environment["NUM_WORKERS"] == "1", "a pod is one worker"
    assert environment["DATABASE_HOST"] == "postgres.internal:6432"
    assert most.pod["containers"][0]["image"] == f"ghcr.io/berriai/litellm@sha256:{'0' * 64}"


def test_no_process_has_more_rights_than_it_needs(most: Rendered) -> None:
    for pod in (most.pod, most.job):
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
        security = pod["securityContext"]
        assert (security["runAsNonRoot"], security["runAsUser"]) == (True, 65532)
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in most.containers:
        security = container["securityContext"]
        assert security["readOnlyRootFilesystem"] is True
        assert security["allowPrivilegeEscalation"] is False
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"]["memory"]
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        writable = [mount["mountPath"] for mount in container["volumeMounts"] if not mount.get("readOnly")]
        assert writable == [TEMPORARY]


def test_a_pod_has_time_to_finish_its_streams(least: Rendered) -> None:
    [gateway] = least.pod["containers"]
    [_, delay] = gateway["lifecycle"]["preStop"]["exec"]["command"]
    drain = int(variables(gateway)["GRACEFUL_SHUTDOWN_TIMEOUT"]["value"])
    models = yaml.safe_load((ROOT / "litellm_config.yaml").read_text())["model_list"]
    assert drain >= max(model["litellm_params"]["timeout"] for model in models)
    assert least.pod["terminationGracePeriodSeconds"] >= int(delay) + drain + 30


def test_the_services_and_the_budget_find_the_pods(most: Rendered) -> None:
    labels = most.one("Deployment")["spec"]["template"]["metadata"]["labels"].items()
    services = [document for document in most.documents if document["kind"] == "Service"]
    assert len(services) == 2
    for service in services:
        assert service["spec"]["selector"].items() <= labels
    for kind in ("Deployment", "PodDisruptionBudget"):
        assert most.one(kind)["spec"]["selector"]["matchLabels"].items() <= labels
    assert most.one("NetworkPolicy")["spec"]["podSelector"]["matchLabels"].items() <= labels
    migrations = most.one("Job")["spec"]["template"]["metadata"]["labels"].items()
    assert not services[0]["spec"]["selector"].items() <= migrations, "a Job must not get requests"
    monitor = most.one("ServiceMonitor")["spec"]["selector"]["matchLabels"].items()
    assert [monitor <= service["metadata"]["labels"].items() for service in services] == [False, True]


# ---------------------------------------------------------------- its files


def tracked(folder: str) -> set[Path]:
    listed = subprocess.run(["git", "ls-files", folder], cwd=ROOT, capture_output=True, text=True, check=True)
    return {Path(line) for line in listed.stdout.splitlines()}


def test_a_pod_finds_the_projects_own_files(app: Path) -> None:
    mounted = {
        Path(root.name, path.relative_to(root / "..first"))
        for root in app.iterdir()
        for path in (root / "..first").rglob("*")
        if path.is_file()
    }
    assert mounted >= tracked("custom_handlers") | tracked("gateway")
    for path in mounted:
        assert (app / path).read_text() == (ROOT / path).read_text()
    assert (app / "config.yaml").read_text() == (ROOT / "litellm_config.yaml").read_text()


def test_what_python_leaves_behind_stays_outside(helm: Helm, least: Rendered, tmp_path: Path) -> None:
    copy = tmp_path / "chart"
    shutil.copytree(CHART, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for folder in ("__pycache__", "emulation/__pycache__"):
        left = copy / "files" / "custom_handlers" / folder / "left.cpython-313.pyc"
        left.parent.mkdir()
        left.write_bytes(b"\xff\x00")
    assert helm.rendered(LEAST, copy).documents == least.documents


def test_there_is_room_left(helm: Helm, least: Rendered) -> None:
    sizes = {
        document["metadata"]["name"]: sum(len(key) + len(value.encode()) for key, value in document["data"].items())
        for document in least.documents
        if document["kind"] == "ConfigMap"
    }
    sizes["what Helm keeps of a release"] = release_bytes(helm, LEAST)
    left = {name: f"{1 - size / MOST_BYTES:.0%} left" for name, size in sizes.items()}
    print(left)
    assert max(sizes.values()) < MOST_BYTES * 0.97, left


def test_a_package_is_the_same_chart(helm: Helm, least: Rendered, tmp_path: Path) -> None:
    done = helm.run("package", CHART, "--destination", tmp_path)
    assert done.returncode == 0, done.stderr
    [package] = tmp_path.glob("*.tgz")
    assert helm.rendered(LEAST, package).documents == least.documents


def preflight(rendered: Rendered, app: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    [container] = rendered.pod["initContainers"]
    program, *words = [word.replace("/app/", f"{app}/") for word in container["command"]]
    assert program == "python3"
    given = {
        name: entry.get("value", "").replace(TEMPORARY, str(app.parent)) for name, entry in variables(container).items()
    }
    return subprocess.run(
        [sys.executable, *words],
        env=clean_environment({**given, **settings}),
        cwd=app,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_preflight_runs_on_them(least: Rendered, app: Path) -> None:
    told = preflight(least, app)
    assert told.returncode == 78
    assert "STACKSPOT_REALM is missing" in told.stderr
    assert "STACKSPOT_CLIENT_SECRET is missing" in told.stderr
    right = {"STACKSPOT_REALM": "acme", "STACKSPOT_CLIENT_ID": "id", "STACKSPOT_CLIENT_SECRET": "secret-value"}
    fine = preflight(least, app, STACKSPOT_AGENT_ID=next(iter(AGENTS.values())), **right)
    assert (fine.returncode, fine.stderr) == (0, "")
