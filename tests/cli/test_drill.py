"""The drill: what its stack is made of, which steps it takes, and that it leaves nothing."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli import answered, drill
from cli.backups import Copy, Opened
from cli.drill import Other, build_stack_file, choose_copies, compare, copied_checkout, drop_backups, find_moment
from model.errors import ConfigError
from tests.cli.test_backups import CONFIG, NAMES, NEWER, OLDER, Answers, every, printed, written
from tests.components.backup.test_component import plan
from tests.support import fakes
from tests.support.systems import ROOT, plan_shop

BUCKET = {"endpoint": "https://s3.example.com", "bucket": "backups"}
DOCUMENT = {
    "config": {
        "observability:system": "shop",
        "observability:baseUrl": "https://monitoring.example.com",
        "observability:tls": {"mode": "acme"},
        "observability:backup": {"enabled": True, "destination": {"s3": BUCKET}},
        "observability:docker": {"host": "ssh://me@engine", "bindAddress": "10.0.0.5"},
        "observability:prometheus": {"memory": "4GiB", "port": 9090, "retention": "30d"},
        "observability:alertmanager": json.dumps({"receivers": [{"name": "a"}], "memory": "128MiB"}),
        "observability:slack-webhook": {"secure": "x"},
    }
}


class Steps(Other):
    """The other stack, whose commands only leave their words; some of them fail."""

    def __init__(self, root: Path, failing: str = "") -> None:
        super().__init__("dev-drill", root, root / "state")
        object.__setattr__(self, "failing", failing)
        object.__setattr__(self, "said", [])

    def run(self, *words: str, given: str | None = None) -> int:
        """Remembers a command, and what it was given."""
        self.said.append((*words, *([f"<{given}"] if given else [])))  # type: ignore[attr-defined]
        return 1 if words[0] == self.failing else 0  # type: ignore[attr-defined]


def drilled(folder: Path, monkeypatch: pytest.MonkeyPatch, failing: str = "", **others: Any) -> tuple[int, Any, str]:
    """Exit code of a drill of the shop, its commands and what it printed; both stacks answer the same."""
    root = folder / "checkout"
    (root / "configs/systems").mkdir(parents=True)
    (root / "configs/images.yaml").write_text((ROOT / "configs/images.yaml").read_text(encoding="utf-8"))
    space = fakes.workspace(folder / "space", {"config": CONFIG, "stack output": "{}"})
    (space.directory / "Pulumi.dev.yaml").write_text(json.dumps(DOCUMENT), encoding="utf-8")
    answers = Answers(every(0, written([OLDER, NEWER]), **others))
    opened = Opened(space, plan(folder), answers)  # type: ignore[arg-type]
    monkeypatch.setattr(drill, "open_other", lambda *_: None)
    monkeypatch.setattr(drill, "compare", lambda *_: failing != "compare")
    other, (console, text) = Steps(root, failing), printed()
    return drill.run_drill(opened, other, None, console), other.said, text.getvalue()  # type: ignore[arg-type, attr-defined]


def test_the_other_stack_can_be_planned(tmp_path: Path) -> None:
    """On both targets, with backups and without them; it reads nothing, opens nothing and calls nobody."""
    root = tmp_path
    (root / "configs/systems").mkdir(parents=True)
    (root / "configs/images.yaml").write_text((ROOT / "configs/images.yaml").read_text(encoding="utf-8"))
    (root / "configs/systems/drill.yaml").write_text(json.dumps(drill.SYSTEM))
    for target in ("docker", "kubernetes"):
        for parts in (NAMES, ("loki",), ("prometheus", "grafana")):
            document = build_stack_file({"config": {**DOCUMENT["config"], "observability:target": target}}, parts)
            other = Other("dev-drill", root, root)
            names = {item.name for item in other.plan(document).list_workloads()}
            assert {f"backup-{part}" for part in parts} <= names
            without = other.plan(drop_backups(document))
            running = {item.name for item in without.list_workloads()} - {"socket-proxy", "node-exporter"}
            assert running == {*parts, *drill.NEEDED}
            opened = {port.publish for item in without.list_workloads() for port in item.ports} - {None}
            assert opened <= set(drill.PORTS.values())


def test_what_a_part_needs_is_carried_over() -> None:
    """Memory and retention, where it runs and where backups are; no address, no receiver, no secret."""
    config = build_stack_file(DOCUMENT, NAMES)["config"]
    assert config["observability:prometheus"] == {"memory": "4GiB", "retention": "30d", "port": 29690}
    assert config["observability:alertmanager"] == {"memory": "128MiB", "port": 29692}
    assert config["observability:docker"] == {"host": "ssh://me@engine"}
    assert config["observability:backup"] == DOCUMENT["config"]["observability:backup"]
    assert "observability:slack-webhook" not in config and "observability:baseUrl" not in config


def test_a_drill_restores_starts_asks_and_removes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left of an earlier one goes first; the secrets of backups go before it starts, as it makes none."""
    code, said, _ = drilled(tmp_path, monkeypatch)
    assert code == 0 and [words[0] for words in said] == [
        "down", "secret", "secret", "secret", "restore", "secret", "secret", "secret", "up", "down",
    ]  # fmt: skip
    assert said[0] == said[-1] == ("down", "--purge")
    assert said[4] == ("restore", "--from", "latest", "--from-stack", "dev")
    assert {words[2] for words in said[1:4]} == {words[2] for words in said[5:8]} == {
        "backup-passphrase", "backup-access-key-id", "backup-secret-access-key",
    }  # fmt: skip
    assert all(words[-1].startswith("<canary backup-") for words in said[1:4])
    assert all(words[-1] == "--remove" for words in said[5:8])


@pytest.mark.parametrize("failing", ["restore", "up", "secret", "compare"])
def test_what_fails_is_said_and_all_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    """By the exit status too."""
    code, said, _ = drilled(tmp_path, monkeypatch, failing)
    assert code == 1 and said[-1] == ("down", "--purge") and sum(words[0] == "down" for words in said) == 2


def test_a_stack_that_stays_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes memory and disk until the next one."""
    code, _, text = drilled(tmp_path, monkeypatch, "down")
    assert code == 1 and "dev-drill could not be removed" in text


def test_a_part_without_a_backup_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With all others that have none, before anything is made."""
    with pytest.raises(ConfigError) as caught:
        drilled(tmp_path, monkeypatch, loki=(0, ["[]"]), grafana=(1, ["access denied"]))
    assert "loki has no backup" in str(caught.value) and "grafana cannot be listed" in str(caught.value)


def test_both_are_asked_about_the_time_before_every_backup(tmp_path: Path) -> None:
    """The newest of each part is restored, and they are not all of the same minute."""
    host: Any = Answers(every(0, written([OLDER, NEWER]), loki=(0, [written([OLDER])])))
    copies = choose_copies(host, plan(tmp_path))
    assert copies["grafana"] == NEWER and copies["loki"] == OLDER
    early = find_moment({"a": Copy(id="19700101T001000Z", bytes=1, files=1, ended="x"), "b": NEWER})
    assert early == 600 - drill.MARGIN


def test_parts_are_compared_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """What differs, and what cannot be asked, is said of each; a part without questions runs."""
    answers: dict[str, Any] = {"live": {"a": "1"}, "same": {"a": "1"}, "other": {"a": "2"}}
    monkeypatch.setattr(answered, "QUESTIONS", {"loki": lambda host, *_: answers[host]})
    live: Any = "live"
    for restored, good, words in (("same", True, "1 answers, all the same"), ("other", False, "and restored 2")):
        console, text = printed()
        assert compare(live, restored, ["loki", "grafana"], 0, console) is good  # type: ignore[arg-type]
        assert words in text.getvalue() and "grafana: runs on what was restored" in text.getvalue()

    answers["other"] = {"a": "1", "b": "ended early since"}
    monkeypatch.setattr(answered, "QUESTIONS", {"alertmanager": lambda host, *_: answers[host]})
    assert compare(live, "other", ["alertmanager"], 0, printed()[0])  # type: ignore[arg-type]
    assert not compare("other", live, ["alertmanager"], 0, printed()[0])  # type: ignore[arg-type]

    def fail(*_: object) -> dict[str, str]:
        raise RuntimeError("no Loki runs")

    monkeypatch.setattr(answered, "QUESTIONS", {"loki": fail})
    console, text = printed()
    assert not compare(live, live, ["loki"], 0, console) and "no Loki runs" in text.getvalue()


def test_a_command_sees_no_login_of_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its state is in a folder of its own, whoever has which backend."""
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://team")
    seen: dict[str, Any] = {}

    def run(command: list[str], **options: Any) -> Any:
        seen.update(options, command=command)
        return subprocess.CompletedProcess(command, 3)

    monkeypatch.setattr(subprocess, "run", run)
    assert Other("dev-drill", tmp_path, tmp_path / "state").run("up", given="x") == 3
    assert seen["command"] == [sys.executable, "-m", "cli", "up", "--stack", "dev-drill"] and seen["cwd"] == tmp_path
    assert "PULUMI_BACKEND_URL" not in seen["env"] and seen["env"]["OBSERVABILITY_STATE"] == str(tmp_path / "state")
    assert seen["input"] == "x"


def test_a_copy_of_the_checkout_goes_again(tmp_path: Path) -> None:
    """It has what a command needs, and neither tests nor the history."""
    with copied_checkout(tmp_path) as root:
        assert (root / "cli/drill.py").exists() and (root / "Pulumi.yaml").exists() and (root / ".venv").is_symlink()
        assert not (root / "tests").exists() and not (root / ".git").exists()
    assert list(tmp_path.iterdir()) == []


def test_a_stack_without_backups_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Before anything is copied."""
    monkeypatch.setattr(drill, "open_running", lambda _: (None, plan_shop(tmp_path), None))
    with pytest.raises(ConfigError, match=r"backup\.enabled"):
        drill.run_command(argparse.Namespace(stack="dev"))
