"""Before LiteLLM is imported: it would fetch its price list from the network."""

import os

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
