"""The file that LiteLLM loads: `custom_handler: custom_handlers.stackspot.stackspot_llm`.

LiteLLM executes it by its path, from any working directory, and outside sys.modules: it only makes its package
importable, so that the real modules exist once, and stops the start when the configuration is wrong.
"""

import sys
from pathlib import Path

_root = str(Path(__file__).resolve().parent.parent)
if _root not in sys.path:
    sys.path.insert(0, _root)

from custom_handlers import stackspot_config  # noqa: E402
from custom_handlers.handler import stackspot_llm  # noqa: E402, F401

stackspot_config.configure_proxy()
