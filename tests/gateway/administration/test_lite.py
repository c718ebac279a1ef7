"""What docs/administration.md says of LiteLLM's own command, so that an upgrade of LiteLLM shows what has changed.

Each call of it imports LiteLLM: `make test` makes one.
"""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.gateway.administration.conftest import Developer
from tests.harness import BIN, Server, clean_environment
from tests.sampling import thorough


def lite(home: Path, *words: str, **environ: str) -> str:
    done = subprocess.run(
        [BIN / "lite", *words],
        cwd=home, env=clean_environment({"HOME": str(home), **environ}), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@thorough
def test_its_keys_have_neither_budget_nor_period_nor_limits(tmp_path: Path) -> None:
    told = lite(tmp_path, "keys", "generate", "--help")
    assert "--duration" in told
    assert not [word for word in ("budget-duration", "max-budget", "rpm", "tpm") if word in told]
    commands = lite(tmp_path, "keys", "--help") + lite(tmp_path, "teams", "--help")
    assert not [word for word in ("  rotate", "  update", "  create") if word in commands]


@thorough
def test_its_spend_is_no_limit(tmp_path: Path, team_gateway: Server) -> None:
    address = {"LITELLM_PROXY_URL": team_gateway.url, "LITELLM_PROXY_API_KEY": team_gateway.key}
    made = json.loads(lite(tmp_path, "keys", "generate", "--spend", "5", "--key-alias", "by-lite", **address))
    info = Developer(team_gateway, made["key"]).get("/key/info").json()["info"]
    assert (info["spend"], info["max_budget"], info["user_id"]) == (5, None, None)


def test_it_starts_a_coding_agent_with_a_developers_key(
    tmp_path: Path, team_gateway: Server, developer: Callable[..., Developer]
) -> None:
    """It hands over to whatever is called claude; this one says what it was given."""
    agent = tmp_path / "claude"
    agent.write_text('#!/bin/sh\necho "$ANTHROPIC_BASE_URL $ANTHROPIC_AUTH_TOKEN [$ANTHROPIC_MODEL]"\n')
    agent.chmod(0o755)
    key = developer("lite").key
    path = f"{tmp_path}:{clean_environment({})['PATH']}"
    told = lite(tmp_path, "claude", LITELLM_PROXY_URL=team_gateway.url, LITELLM_PROXY_API_KEY=key, PATH=path)
    assert told.splitlines()[-1] == f"{team_gateway.url} {key} []", "the address and the key, and no model"
