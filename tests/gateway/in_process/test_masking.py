"""A program that uses the handler without the proxy masks personal numbers, too."""

from pathlib import Path

import pytest

from simulator.client import Simulator
from tests.gateway.in_process.scripts import run_script
from tests.harness import Account

SCRIPT = """
from custom_handlers.stackspot_config import configure_stackspot
import litellm

configure_stackspot()
message = {"role": "user", "content": "O CPF 529.982.247-25"}
for model in ("stackspot-code", "stackspot"):
    litellm.completion(model=model, messages=[message], timeout=30)
found["kept"] = message["content"]
tell()
"""


@pytest.mark.parametrize("by_key", [False, True], ids=["agents", "key API"])
def test_stackspot_gets_no_number(simulator: Simulator, account: Account, tmp_path: Path, by_key: bool) -> None:
    environ = account.for_gateway(simulator.url) | {"STACKSPOT_MASK_PERSONAL_DATA": "true"}
    if by_key:
        environ = {name: value for name, value in environ.items() if not name.endswith("_AGENT_ID")}
    ran = run_script(SCRIPT, environ, tmp_path)
    assert ran.found == {"kept": "O CPF 529.982.247-25"}, ran.printed
    bodies = [str(request["body"]) for request in simulator.requests() if "CPF" in str(request["body"])]
    assert len(bodies) == 2
    assert all("O CPF [CPF_REDACTED]" in body and "529.982" not in body for body in bodies)
