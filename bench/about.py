"""Where and with what something was measured."""

import platform
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil


def about(command: str, **versions: str) -> dict[str, Any]:
    """`versions` are those of what was measured besides LiteLLM."""
    names = [line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    return {
        "command": command,
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": f"{psutil.cpu_count()} cores of {names[0] if names else platform.machine()}, "
        f"{psutil.virtual_memory().total / 2**30:.0f} GB, {platform.system()} {platform.release()}",
        "load": psutil.getloadavg()[0],
        "versions": {"Python": platform.python_version(), "LiteLLM": metadata.version("litellm"), **versions},
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []
