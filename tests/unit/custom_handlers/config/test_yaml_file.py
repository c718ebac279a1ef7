"""A name that stands twice in the configuration file is a mistake, with both lines; what is merged in is none."""

from pathlib import Path

import pytest

from custom_handlers.config.settings import read
from custom_handlers.config.yaml_file import load
from custom_handlers.core.errors import ConfigurationError
from tests.harness import ROOT

TWICE = """\
router_settings:
  num_retries: 0
model_list:
  - model_name: mine
    model_name: other
router_settings: {fallbacks: []}
'router_settings': {}
"""
ONCE = """\
base: &base {a: 1, b: 2}
more: &more {<<: *base, a: 3}
both: {<<: *base, <<: *more, b: 4}
list: [{a: 1}, {a: 1}]
1: a
"1": a
"""


def mistakes(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    return [mistake.removeprefix(f"{file}, ") for mistake in load(file)[1]]


def test_each_is_told_with_its_lines(tmp_path: Path) -> None:
    end = "already, and only the last would count. Put both together."
    assert mistakes(tmp_path, TWICE) == [
        f"line 5: model_name stands in line 4 {end}",
        f"line 6: router_settings stands in line 1 {end}",
        f"line 7: router_settings stands in line 1 {end}",
    ]


@pytest.mark.parametrize("text", [ONCE, "", "[]", (ROOT / "litellm_config.yaml").read_text()])
def test_what_is_merged_or_stands_elsewhere_is_none(tmp_path: Path, text: str) -> None:
    assert mistakes(tmp_path, text) == []


def test_they_are_told_with_all_other_mistakes(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(TWICE + "litellm_settings: {callbacks: [otel]}\n")
    with pytest.raises(ConfigurationError) as caught:
        read({"STACKSPOT_AGENTID": "x"}, file)
    told = caught.value.mistakes
    assert sum("stands in line" in each for each in told) == 3
    assert sum(each.startswith("`otel` among `callbacks`") for each in told) == 1
    assert sum(each.startswith("STACKSPOT_AGENTID is not") for each in told) == 1


def test_half_a_character_is_a_mistake(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text('general_settings: {}\nmodel_list: [{"model_name": "os.environ/\\ud83dNAME"}]\n')
    with pytest.raises(ConfigurationError) as caught:
        read({"STACKSPOT_REALM": "team"}, file)
    assert f"{file} cannot be read (MarkedYAMLError in line 2)." in caught.value.mistakes
