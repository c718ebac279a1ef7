"""Which worker of pytest-xdist runs what: a file to a worker, and files that share what is dear to start to one."""

from typing import Any

# What needs the database shares one: three of them, as all of these tests in a row would outlast the rest. In the first
# are those that start gateways of their own; in the second those that wait until LiteLLM has booked.
WITH_DATABASE = "tests/gateway/administration/test_"
OWN_GATEWAYS = ("access_log", "accounts", "decoys", "deep", "error_lines", "fallback", "injection", "sharing", "traces")
BOOKED = ("charging", "usage")
# One gateway for all that ask it: the team's, that on the key API, and that which takes files.
ASKING = {
    "tests/gateway/test_documented_calls.py": "team",
    **dict.fromkeys(
        (f"tests/gateway/test_{name}.py" for name in ("deployments", "disconnect", "errors", "hostile", "key_api")),
        "key API",
    ),
    **dict.fromkeys(
        (f"tests/gateway/test_{name}.py" for name in ("keepalive", "limits", "remote_files", "uploads")), "files"
    ),
    "tests/gateway/conformance/test_corpus.py": "files",
}
# LiteLLM is imported into the worker of these: three seconds, which the others are spared.
UNIT = "tests/unit/custom_handlers"
WITH_LITELLM = (
    "tests/gateway/conformance/test_base_llm.py",
    *(f"{UNIT}/{name}" for name in ("core/test_errors", "emulation/test_emulator", "emulation/test_stop")),
    *(f"{UNIT}/{name}" for name in ("emulation/test_tokenizer", "http/client/", "http/test_error_mapping")),
    *(f"{UNIT}/{name}" for name in ("http/test_turns", "litellm_adapter/", "test_client", "test_outcomes")),
)
UPSTREAM = (
    *(f"{UNIT}/{name}" for name in ("test_meter", "upstream/")),
    "tests/unit/test_monitoring.py",
)
# These wait for time to pass, more than they compute: begun first, they leave the cores to the others.
WAITING = (
    f"{UNIT}/guard/test_connections",
    *(f"tests/unit/gateway/{name}" for name in ("doctor/test_network", "doctor/test_stackspot", "test_health")),
)


def group_of(file: str) -> str:
    if file.startswith(WAITING):
        return "waiting"
    if file.startswith(WITH_LITELLM):
        return "with LiteLLM"
    if file.startswith(UPSTREAM):
        return "upstream"
    if file.startswith(WITH_DATABASE):
        name = file.removeprefix(WITH_DATABASE)
        return "own gateways" if name.startswith(OWN_GATEWAYS) else "booked" if name.startswith(BOOKED) else "team"
    return ASKING.get(file, file)


def order(file: str) -> int:
    """The lower, the earlier: tests of a gateway take longest."""
    first = (("tests/gateway/",), WAITING, WITH_LITELLM)
    return next((place for place, names in enumerate(first) if file.startswith(names)), len(first))


def scheduler(config: Any, log: Any) -> Any:
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid.partition("::")[0])

    return ByGroup(config, log)
