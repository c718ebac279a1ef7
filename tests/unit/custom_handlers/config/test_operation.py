"""Settings that LiteLLM itself would misread in silence."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from custom_handlers.config.config_file import read_model_list
from custom_handlers.config.operation import check_operation
from tests.harness import ROOT

IN, OUT, LOG = "STACKSPOT_INPUT_COST_PER_TOKEN", "STACKSPOT_OUTPUT_COST_PER_TOKEN", "STACKSPOT_KEEP_REQUEST_LOG"


def mistakes(environ: dict[str, str]) -> list[str]:
    found: list[str] = []
    check_operation(environ, found)
    return found


@pytest.mark.parametrize(
    "environ",
    [{}, {IN: "0.0000025", OUT: "1e-5"}, {IN: "0", OUT: "0"}, {LOG: "90d"}, {LOG: " 12w "}, {LOG: "48h"}],
)
def test_what_litellm_understands(environ: dict[str, str]) -> None:
    assert mistakes(environ) == []


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({IN: "0,0000025", OUT: "0.00001"}, [f"{IN} must be the price of one token"]),
        ({IN: "", OUT: "nan"}, [f"{IN} must be", f"{OUT} must be"]),
        ({IN: "2.5", OUT: "-1"}, [f"{IN} must be", f"{OUT} must be"]),
        ({IN: "0.001"}, [f"{IN} is set and {OUT} is not"]),
        ({LOG: "90"}, [f"{LOG} must be a time such as 90d"]),
        ({LOG: ""}, [f"{LOG} must be a time"]),
    ],
)
def test_what_it_would_misread(environ: dict[str, str], told: list[str]) -> None:
    found = mistakes(environ)
    assert [sentence.startswith(start) for sentence, start in zip(found, told, strict=True)] == [True] * len(told)


@pytest.mark.parametrize(
    ("environ", "change", "expected"),
    [
        ({}, {}, True),
        ({IN: "0.001", OUT: "0.001"}, {}, False),
        ({IN: "0.000001", OUT: "0.000001"}, {}, True),
        ({}, {"input_cost_per_token": 0.5}, False),
        ({}, {"input_cost_per_token": None}, False),
    ],
)
def test_whether_a_unit_is_a_million_tokens(
    environ: dict[str, str], change: dict[str, Any], expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (IN, OUT):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    content = yaml.safe_load((ROOT / "litellm_config.yaml").read_text())
    content["model_list"][0]["model_info"] |= change
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(content))
    first, *others = read_model_list(config)
    assert first.default_prices is expected
    assert all(entry.default_prices is (expected or bool(change)) for entry in others)
