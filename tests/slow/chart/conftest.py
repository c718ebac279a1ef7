"""Helm, and the values of a small and of a full installation."""

from pathlib import Path
from typing import Any

import pytest

from tests.slow.chart.helm import Helm, Rendered, install

LEAST: dict[str, Any] = {
    "secret": "gateway-secrets",
    "database": {"host": "postgres.internal"},
    "redis": {"host": "redis.internal"},
}
MOST: dict[str, Any] = LEAST | {
    "secretVariables": ["AZURE_API_KEY"],
    "database": {"host": "postgres.internal", "port": 6432, "sslmode": "verify-full"},
    "redis": {"host": "redis.internal", "tls": True},
    "settings": {"STACKSPOT_REALM": "acme", "STACKSPOT_MAX_JSON_VALUES": 1_000_000, "STACKSPOT_UPLOADS": True}
    | {"KEY_BUDGET": 0.5, "NO_PROXY": ".internal", "HTTPS_PROXY": "http://proxy.internal:3128"},
    "certificates": {"configMap": "company-ca"},
    "image": {"digest": f"sha256:{'0' * 64}"},
    "imagePullSecrets": [{"name": "mirror"}],
    "networkPolicy": {"clients": [{"namespaceSelector": {}}], "egressPorts": [443, 3128]},
    "metrics": {"port": 4001, "serviceMonitor": True, "labels": {"release": "prometheus"}},
    "podAnnotations": {"team": "platform"},
    "nodeSelector": {"kubernetes.io/arch": "amd64"},
    "tolerations": [{"key": "team", "operator": "Exists"}],
}


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    return Helm(install(), tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="session")
def least(helm: Helm) -> Rendered:
    return helm.rendered(LEAST)


@pytest.fixture(scope="session")
def most(helm: Helm) -> Rendered:
    return helm.rendered(MOST)


@pytest.fixture
def app(least: Rendered, tmp_path: Path) -> Path:
    """What a container finds under /app."""
    least.lay_out(tmp_path / "app")
    return tmp_path / "app"
