"""What root may open for the user that Postgres runs as, and what stays closed."""

import os
import stat
from pathlib import Path

import pytest

from database.postgres_user import let_pass, let_read, user_for


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_folders_on_the_way_can_be_passed_and_not_listed(tmp_path: Path) -> None:
    inner = tmp_path / "home" / "project"
    inner.mkdir(parents=True)
    (inner / ".env").touch(0o600)
    for folder in (inner, inner.parent):
        folder.chmod(0o700)
    let_pass(inner)
    assert [mode(folder) for folder in (inner, inner.parent)] == [0o701, 0o701]
    assert mode(inner / ".env") == 0o600


def test_programs_installed_under_a_strict_umask_become_readable(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir(0o700)
    (tmp_path / "bin" / "postgres").touch(0o700)
    (tmp_path / "bin" / "timezones").touch(0o600)
    let_read([tmp_path / "bin"])
    assert mode(tmp_path / "bin") == 0o705
    assert mode(tmp_path / "bin" / "postgres") == 0o705
    assert mode(tmp_path / "bin" / "timezones") == 0o604


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs somebody else")
def test_the_owner_of_data_runs_their_server() -> None:
    fresh = user_for(None)
    assert fresh is not None
    assert fresh.uid != 0
    owner = user_for(fresh.uid)
    assert owner == fresh
