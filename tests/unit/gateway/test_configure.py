"""`clients configure`: a client's files are written, merged, written twice and taken back."""

import json
import os
import pty
import re
import stat
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway import cli
from gateway.clients import MODEL, blocks, filled
from gateway.configuring import CONFIGURABLE, others
from tests.harness import ROOT

ADDRESS = "https://gateway.example.com"
KEY = "sk-somebodys-own-key"
FILES = {
    "aider": [".aider.conf.yml", ".aider.model.metadata.json"],
    "claude-code": [".claude/settings.json"],
    "codex": [".codex/config.toml"],
    "continue": [".continue/config.yaml"],
    "opencode": [".config/opencode/opencode.json"],
    "qwen-code": [".qwen/settings.json"],
}
EXISTING = {
    ".aider.conf.yml": "# mine\nmodel: gpt-5 # for now\nread:\n  - CONVENTIONS.md\nauto-commits: false\n",
    ".aider.model.metadata.json": '{\n    "mine": {"mode": "chat"}\n}\n',
    ".claude/settings.json": '{\n\t"permissions": {"allow": ["Bash(ls:*)"]},\n\t"env": {"MINE": "é"}\n}\n',
    ".codex/config.toml": (
        '# mine\nmodel = "gpt-5" # for now\napproval_policy = "never"\n\n'
        '# servers\n[mcp_servers.mine]\ncommand = "x" # y\n'
        '\n[model_providers.other]\nbase_url = "http://x"\n\n[projects."/a b"]\ntrust_level = "trusted"'
    ),
    ".continue/config.yaml": (
        "name: Mine\nversion: 2.0.0\nschema: v1\nmodels:\n- name: Local # mine\n  provider: ollama\n  model: q\n\n"
        "# rules\nrules:\n- Be kind\n"
    ),
    ".config/opencode/opencode.json": '{"theme": "x", "provider": {"mine": {"models": {}}}}',
    ".qwen/settings.json": '{"modelProviders": {"openai": [{"id": "mine", "envKey": "X"}]}, "ui": {"a": 1}}',
}
SEVERAL = (
    *(".config/opencode/opencode.json", ".qwen/settings.json", ".aider.model.metadata.json"),
    ".continue/config.yaml",
)  # hold more models than the how-to shows
Configure = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith(("GATEWAY_", "KEY_", "XDG_", "CODEX_", "CLAUDE_"))]:
        monkeypatch.delenv(name)
    setting = {"HOME": str(tmp_path), "GATEWAY_URL": ADDRESS, "GATEWAY_ENV_FILE": os.devnull}
    for name, value in {**setting, "STACKSPOT_GATEWAY_KEY": KEY}.items():
        monkeypatch.setenv(name, value)
    return tmp_path


@pytest.fixture
def configure(home: Path, capsys: pytest.CaptureFixture[str]) -> Configure:
    def run(*words: str) -> tuple[int, str, str]:
        status = cli.main(["clients", "configure", *words])
        told = capsys.readouterr()
        return status, told.out, told.err

    return run


def files(home: Path) -> dict[str, str]:
    return {str(path.relative_to(home)): path.read_text() for path in sorted(home.rglob("*")) if path.is_file()}


def put(home: Path, client: str) -> dict[str, str]:
    for name in FILES[client]:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(EXISTING[name])
    return files(home)


def read(path: str, text: str) -> Any:
    return {".json": json.loads, ".toml": tomllib.loads}.get(Path(path).suffix, yaml.safe_load)(text)


def has(whole: Any, part: Any) -> bool:
    """Whether all that `part` says is in `whole`."""
    if isinstance(part, dict):
        return all(name in whole and has(whole[name], value) for name, value in part.items())
    if isinstance(part, list) and part and isinstance(part[0], dict):
        return all(any(has(each, item) for each in whole) for item in part)
    return bool(whole == part)


def told_in_how_to(client: str) -> dict[str, Any]:
    """What `clients/` says that the client's files hold."""
    found = list(blocks(filled(client, gateway=ADDRESS)))
    if client == "claude-code":
        exports = [pair for block in found for pair in re.findall(r"^export (\w+)=(.*)$", block.text, re.M)]
        return {".claude/settings.json": {"env": {name: value for name, value in exports if "_KEY" not in value}}}
    return {block.file[2:]: read(block.file, block.text) for block in found if block.file}


@pytest.mark.parametrize("client", CONFIGURABLE)
def test_fresh_it_is_what_the_how_to_says(client: str, configure: Configure, home: Path) -> None:
    status, out, err = configure(client, "--yes")
    assert (status, err) == (0, "")
    written = {name: text for name, text in files(home).items() if name in FILES[client]}
    told = told_in_how_to(client)
    assert set(written) == set(told) == set(FILES[client])
    for name, wanted in told.items():
        assert has(read(name, written[name]), wanted)
        if name not in SEVERAL:
            assert read(name, written[name]) == wanted
    assert KEY not in out + "".join(files(home).values())
    assert ADDRESS in out


@pytest.mark.parametrize("client", ["aider", "continue", "opencode", "qwen-code"])
def test_all_three_models_are_there(client: str, configure: Configure, home: Path) -> None:
    configure(client, "--yes")
    text = (home / FILES[client][-1]).read_text()
    for model in (MODEL, *others()):
        assert re.search(rf"[\"/ ]{model}[\"\n]", text), model
    if client == "continue":
        found = yaml.safe_load(text)["models"]
        assert [each["model"] for each in found] == [MODEL, *others()]
        assert len({each["name"] for each in found}) == 3
    if client == "qwen-code":
        assert [each["id"] for each in json.loads(text)["modelProviders"]["openai"]] == [MODEL, *others()]


@pytest.mark.parametrize("client", CONFIGURABLE)
def test_what_was_there_stays(client: str, configure: Configure, home: Path) -> None:
    put(home, client)
    assert configure(client, "--yes")[0] == 0
    after = files(home)
    for name, wanted in told_in_how_to(client).items():
        result = read(name, after[name])
        if client == "continue":
            wanted = {"models": wanted["models"]}
            assert (result["name"], result["version"], result["rules"]) == ("Mine", "2.0.0", ["Be kind"])
            assert result["models"][0] == {"name": "Local", "provider": "ollama", "model": "q"}
        assert has(result, wanted)
        if name.endswith(".json"):
            without = json.loads(EXISTING[name])
            assert has(result, without)
        else:
            changed = "model" if client != "continue" else "-"
            kept = [line for line in EXISTING[name].splitlines() if not line.startswith(changed + " ")]
            kept = [line for line in kept if not line.startswith(changed + ":")]
            assert [line for line in kept if line not in after[name].splitlines()] == []
            assert "for now" in after[name] or client == "continue", "a comment behind a value"


@pytest.mark.parametrize("existing", [False, True])
@pytest.mark.parametrize("client", CONFIGURABLE)
def test_twice_is_once_and_undo_takes_it_back(client: str, existing: bool, configure: Configure, home: Path) -> None:
    before = put(home, client) if existing else files(home)
    configure(client, "--yes")
    once = files(home)
    assert once != before
    status, out, _ = configure(client, "--yes")
    assert (status, out.splitlines()[0]) == (0, "Nothing to write: it is configured already.")
    assert files(home) == once
    status, out, err = configure(client, "--undo", "--yes")
    assert (status, err) == (0, "")
    assert files(home) == before
    assert configure(client, "--undo", "--yes")[1] == "Nothing to undo.\n"


def test_another_address_replaces_the_first_and_undo_leads_to_the_beginning(
    configure: Configure, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for client in CONFIGURABLE:
        before = put(home, client)
        monkeypatch.setenv("GATEWAY_URL", ADDRESS)
        configure(client, "--yes")
        monkeypatch.setenv("GATEWAY_URL", "https://new.example.com")
        assert configure(client, "--yes")[0] == 0
        assert not any(ADDRESS in text for text in files(home).values())
        configure(client, "--undo", "--yes")
        assert files(home) == before


@pytest.mark.parametrize("client", CONFIGURABLE)
def test_the_difference_is_shown_and_nothing_written_without_yes(client: str, configure: Configure, home: Path) -> None:
    before = put(home, client)
    status, out, err = configure(client)
    assert status == 2
    assert err == "Nothing is written: there is no terminal to ask at, so say --yes.\n"
    assert re.search(r"^\+.*stackspot-code", out, re.MULTILINE)
    assert files(home) == before


@pytest.mark.parametrize(("answer", "written"), [("y\n", True), ("n\n", False)])
def test_at_a_terminal_it_asks(answer: str, written: bool, home: Path) -> None:
    terminal, other_end = pty.openpty()
    os.write(terminal, answer.encode())
    command = [sys.executable, "-m", "gateway", "clients", "configure", "codex"]
    done = subprocess.run(command, cwd=ROOT, stdin=other_end, capture_output=True, text=True, check=False)
    os.close(terminal)
    os.close(other_end)
    assert done.returncode == (0 if written else 2), done.stderr
    assert "Write this? [y/N]" in done.stdout + done.stderr
    assert (home / ".codex/config.toml").exists() == written


@pytest.mark.parametrize(
    ("client", "text"),
    [
        ("codex", "model = "),
        ("codex", "model_providers = { other = { base_url = 'x' } }\n"),
        ("codex", 'model = """\na\n"""\n'),
        ("codex", "model_providers = 1\n"),
        ("opencode", '{"theme": "x", // mine\n}'),
        ("opencode", "[]"),
        ("opencode", '{"provider": "mine"}'),
        ("opencode", '{"model": "a", "model": "b"}'),
        ("qwen-code", '{"modelProviders": {"openai": {}, "x": 1}, "security": []}'),
        ("claude-code", '{"env": ["A=1"]}'),
        ("continue", "models: [{name: x}]\n"),
        ("continue", "models:\n  a: b\n"),
        ("continue", "{models: []}\n"),
        ("aider", "model: >\n  gpt-5\n"),
        ("aider", "\tmodel: x\n"),
        ("aider", "model: a\nmodel: b\n"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(client: str, text: str, configure: Configure, home: Path) -> None:
    put(home, client)
    (home / FILES[client][0]).write_text(text)
    before = files(home)
    status, out, err = configure(client, "--yes")
    assert (status, out) == (1, "")
    assert re.fullmatch(r".* cannot be changed: .*\. Nothing is written; `clients show` says what it needs\.\n", err)
    assert files(home) == before


def test_what_is_no_text_is_refused_in_a_sentence(configure: Configure, home: Path) -> None:
    put(home, "codex")
    (home / ".codex/config.toml").write_bytes(b"\xff\xfe")
    assert configure("codex", "--yes")[2].endswith("config.toml cannot be read: it is no UTF-8 text.\n")


@pytest.mark.parametrize("client", ["cline", "copilot", "llm"])
def test_clients_without_such_a_file_say_so(client: str, configure: Configure, home: Path) -> None:
    status, out, err = configure(client, "--yes")
    assert (status, out, files(home)) == (2, "", {})
    assert f"`clients show {client}` says what to do" in err


def test_toml_keeps_every_other_byte(configure: Configure, home: Path) -> None:
    put(home, "codex")
    configure("codex", "--yes")
    text = (home / ".codex/config.toml").read_text()
    old = EXISTING[".codex/config.toml"]
    assert "\n# servers\n[mcp_servers.mine]\n" in text, "a comment stays with what it is about"
    assert text.startswith('# mine\nmodel = "stackspot-code" # for now\napproval_policy = "never"\n')
    assert old[old.index("[mcp_servers") :] in text


def test_windows_lines_links_and_rights_stay(configure: Configure, home: Path) -> None:
    real = home / "dotfiles.toml"
    real.write_bytes(b'model = "x"\r\n[a]\r\nb = 1\r\n')
    real.chmod(0o600)
    (home / ".codex").mkdir()
    (home / ".codex/config.toml").symlink_to(real)
    assert configure("codex", "--yes")[0] == 0
    assert (home / ".codex/config.toml").is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    written = real.read_bytes()
    assert written.count(b"\n") == written.count(b"\r\n") > 8


def test_a_client_s_own_folder_is_used(configure: Configure, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEX_HOME", str(home / "elsewhere"))
    configure("codex", "--yes")
    assert (home / "elsewhere/config.toml").exists()
    assert not (home / ".codex").exists()
