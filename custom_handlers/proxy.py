"""The `litellm` command, ready in about half the time: `python3 -m custom_handlers.proxy --config litellm_config.yaml`.

Its options are LiteLLM's. Workers import this module as well, before they serve.
"""

import sys
from pathlib import Path

from custom_handlers.litellm_adapter import starting

_folder = str(Path(__file__).resolve().parent.parent)
# As with LiteLLM's own command, what is installed comes first: the image has a copy of LiteLLM in its folder.
if _folder in sys.path[:1]:
    sys.path.append(sys.path.pop(0))
starting.import_proxy()

if __name__ == "__main__":
    sys.exit(starting.run(sys.argv[1:]))
