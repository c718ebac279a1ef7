"""THIRD_PARTY_NOTICES.txt is what the locks make of it."""

import re
import subprocess
import sys

from supply_chain import notices
from supply_chain.licences import licence_of
from supply_chain.locks import ENGINE, ROOT, RUNTIME, read


def test_the_file_is_that_of_these_locks() -> None:
    """Licences of what this machine has no need of are taken as they stand there."""
    assert notices.text(notices.FILE.read_text()) == notices.FILE.read_text(), "run `make notices`"


def test_a_renewed_lock_is_noticed() -> None:
    text = notices.FILE.read_text()
    [changed] = {re.sub(r"(?m)^litellm 1.*: ", "litellm 1.0: ", text)} - {text}
    assert notices.text(changed) == text


def test_licences_come_from_the_packages_themselves() -> None:
    assert (licence_of("litellm"), licence_of("httpx"), licence_of("no-such-package")) == ("MIT", "BSD-3-Clause", "")
    listed = notices.FILE.read_text()
    for pin in read(RUNTIME) + read(ENGINE):
        assert re.search(rf"(?m)^{re.escape(pin.name)} {re.escape(pin.version)}: \S", listed)


def test_licences_are_the_same_beside_the_backport() -> None:
    """OpenTelemetry imports it, and then it answers in the standard library's place."""
    program = "import importlib_metadata; from supply_chain.licences import licence_of; print(licence_of('httpx'))"
    assert subprocess.check_output([sys.executable, "-c", program], cwd=ROOT, text=True) == "BSD-3-Clause\n"
