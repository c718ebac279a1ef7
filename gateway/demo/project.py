"""A small repository with two mistakes, for the demo's coding agent: its tests fail until both are mended."""

from pathlib import Path

FILES = {
    "prices.py": '''"""Prices in a shop."""

DISCOUNT = 0.5


def discounted(price: float) -> float:
    """The price for members: five in a hundred less."""
    return price * (1 - DISCOUNT)
''',
    "receipt.py": '''"""What a receipt says."""

from prices import discounted


def line(name: str, price: float) -> str:
    """One line, with two decimals."""
    return f"{name}: {discounted(price):.1f}"
''',
    "run_tests.py": '''"""The tests of this project."""

from receipt import line

got = line("coffee", 10)
print("OK" if got == "coffee: 9.50" else f"FAILED: {got!r} is not 'coffee: 9.50'")
''',
}
TASK = (
    "The receipt is wrong. In `prices.py` replace `DISCOUNT = 0.5` with `DISCOUNT = 0.05`. "
    "In `receipt.py` replace `:.1f` with `:.2f`. Run `python3 run_tests.py`."
)


def lay_out(folder: Path) -> None:
    """Writes the files into `folder`, which is made."""
    folder.mkdir(parents=True)
    for name, text in FILES.items():
        (folder / name).write_text(text)
