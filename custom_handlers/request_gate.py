"""The former name of request_guard.py: configurations that say `custom_handlers.request_gate.request_gate` go on."""

import runpy
from pathlib import Path

request_gate = runpy.run_path(str(Path(__file__).with_name("request_guard.py")))["request_guard"]
