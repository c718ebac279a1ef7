"""`python -m tests.unit.fuzz` (`make fuzz MINUTES=10`): new inputs for all targets in turn, for so long.

What makes one fail is kept in found/, where the tests try it from then on. The seed is printed; SEED= takes it again.
"""

import os
import secrets
import sys
import time
import traceback
from hashlib import sha256
from pathlib import Path
from random import Random

from tests.unit.fuzz.mutating import SHAPES, mutated
from tests.unit.fuzz.targets import TARGETS

FOUND = Path(__file__).parent / "found"


def fuzz(seconds: float, seed: int) -> int:
    """How many inputs made a target fail."""
    random, end = Random(seed), time.monotonic() + seconds
    tried, failed = dict.fromkeys(TARGETS, 0), set()
    while time.monotonic() < end:
        for name, (run, seeds) in TARGETS.items():
            data = mutated(random.choice(seeds), random.choice(SHAPES), random, random.randrange(1, 12))
            tried[name] += 1
            try:
                run(data)
            except Exception as error:
                place = traceback.extract_tb(error.__traceback__)[-1]
                if (kind := (name, type(error), place.filename, place.lineno)) not in failed:
                    failed.add(kind)
                    path = FOUND / f"{name}-{sha256(data).hexdigest()[:12]}"
                    path.write_bytes(data)
                    print(f"{path}: {type(error).__name__} in {place.filename}:{place.lineno}", file=sys.stderr)
    print(f"seed {seed}: " + ", ".join(f"{name} {count}" for name, count in tried.items()))
    return len(failed)


def main() -> int:
    minutes, seed = os.environ.get("MINUTES", "1"), os.environ.get("SEED", "")
    try:
        seconds, chosen = float(minutes) * 60, int(seed or secrets.randbelow(2**32))
    except ValueError:
        print("MINUTES and SEED are numbers, as in: make fuzz MINUTES=10", file=sys.stderr)
        return 2
    return 1 if fuzz(seconds, chosen) else 0


if __name__ == "__main__":
    sys.exit(main())
