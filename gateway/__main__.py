"""`python -m gateway`. A Python without the packages that it needs hands over to one of the project's own."""

import importlib.util
import os
import sys
from pathlib import Path

PACKAGES = ("click", "dotenv", "httpx")
ROOT = Path(__file__).resolve().parent.parent


def _need_packages() -> None:
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if not missing:
        return
    folders = [ROOT / ".venv", ROOT / ".venv-admin"]
    if Path(sys.prefix) not in folders:
        for folder in folders:
            if (folder / ".installed").exists():
                python = str(folder / "bin" / "python")
                os.execv(python, [python, "-m", "gateway", *sys.argv[1:]])  # noqa: S606 - no shell
    print(
        f"The commands need packages that {sys.executable} does not have ({', '.join(missing)}). To have them, once, "
        "in about ten seconds: python3 -m gateway.install .venv-admin requirements-admin.lock",
        file=sys.stderr,
    )
    sys.exit(1)


_need_packages()

from gateway.cli import main  # noqa: E402

sys.exit(main())
