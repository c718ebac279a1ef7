"""The work that every client does in these tests, and how it is seen that it was done."""

from pathlib import Path

TASK = """\
Two functions in this folder are wrong. Work step by step with your tools: list the files, read both, change both.
In `greeting.py` replace `Hallo` with `Hello`.
In `prices.py` replace `+ discount` with `- discount`.
Run `python3 run_tests.py` at the end, and tell me what it says."""

EDITED = ("greeting.py", "prices.py")
TESTS = "python3 run_tests.py"

_WRONG = {
    "greeting.py": 'def greet(name):\n    return "Hallo, " + name\n',
    "prices.py": "def total(prices, discount):\n    return sum(prices) + discount\n",
}
_RIGHT = {
    "greeting.py": 'def greet(name):\n    return "Hello, " + name\n',
    "prices.py": "def total(prices, discount):\n    return sum(prices) - discount\n",
}
# What it printed is kept, so that it can be seen that the client ran it, and when.
_RUN_TESTS = """\
from greeting import greet
from prices import total

results = {"greeting": greet("Ada") == "Hello, Ada", "prices": total([3, 4], 2) == 5}
report = ", ".join(f"{name} {'passed' if right else 'FAILED'}" for name, right in results.items())
with open("report.txt", "a") as file:
    print(report, file=file)
print(report)
raise SystemExit(not all(results.values()))
"""


# Lines that make a file as long as real ones are: about 17,000 and 4,000 tokens.
_PADDING = {"greeting.py": 700, "prices.py": 170}


def prepare(folder: Path, *, long: bool = False) -> None:
    """Lay out the work; with `long` the files hardly fit into a small context."""
    for name, text in _WRONG.items():
        (folder / name).write_text(text + _padding(name, long))
    (folder / "run_tests.py").write_text(_RUN_TESTS)


def check(folder: Path, *, long: bool = False) -> None:
    """Both files are changed as asked, nothing else is, and the tests were run after that."""
    assert {name: (folder / name).read_text() for name in EDITED} == {
        name: text + _padding(name, long) for name, text in _RIGHT.items()
    }
    assert (folder / "run_tests.py").read_text() == _RUN_TESTS
    report = folder / "report.txt"
    assert report.exists(), "the tests were not run"
    assert report.read_text() == "greeting passed, prices passed\n"


def _padding(name: str, long: bool) -> str:
    lines = range(_PADDING[name] if long else 0)
    return "".join(
        f"# Line {n}: nothing here is to be changed, it only makes the file as long as it is.\n" for n in lines
    )
