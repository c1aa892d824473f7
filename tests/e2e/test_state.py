"""A stack's state on a bucket: moved there while it runs, locked there, and read by who has the passphrase alone."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from cli import engine, held, state, workspace
from cli.workspace import Workspace
from model.errors import ConfigError
from tests.e2e.test_no_change import unchanged
from tests.support.buckets import BucketServer
from tests.support.running import ROOT, Engine, RunningStack
from tests.support.waiting import eventually
from tests.support.yaml_files import read_yaml

pytestmark = [pytest.mark.docker_engine, pytest.mark.local_engine]

KEY_ID, SECRET_KEY, PASSPHRASE = "observability", "canary/9f0e+s4", "canary-of-the-team"


@dataclass
class Team:
    """A stack that a person runs alone, and a bucket to which it goes.

    Attributes:
        url: the bucket as Pulumi's backend.
        passphrase: the file with what its secrets are encrypted with there.
    """

    stack: RunningStack
    bucket: BucketServer
    passphrase: Path

    @property
    def url(self) -> str:
        """The bucket as Pulumi's backend: https://www.pulumi.com/docs/iac/concepts/state-and-backends/#aws-s3."""
        options = "disableSSL=true&s3ForcePathStyle=true&region=us-east-1"
        return f"s3://{self.bucket.bucket}?endpoint={self.bucket.endpoint}&{options}"

    def join(self) -> None:
        """Has all further commands use the bucket, as everybody of the team does."""
        self.stack.env["PULUMI_BACKEND_URL"] = self.url


@pytest.fixture(scope="module")
def team(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """A stack that runs, with a secret that somebody set, and an empty bucket."""
    folder = tmp_path_factory.mktemp("state")
    bucket = BucketServer("states", KEY_ID, SECRET_KEY)
    stack = RunningStack(folder, "e2e-state", engine, ports=28600)
    passphrase = folder / "passphrase"
    passphrase.write_text(PASSPHRASE)
    url = {"name": "pager", "webhook": {"urlSecret": "pager-url"}}
    stack.edit_settings(lambda config: config["alertmanager"].update(receivers=[url]))
    try:
        stack.secret("pager-url", "http://demo-webhook:8080/demo/webhook?key=canary-pager")
        stack.up()
        stack.env |= {
            "AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET_KEY, "AWS_REGION": "us-east-1",
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(passphrase),
        }  # fmt: skip
        yield Team(stack, bucket, passphrase)
    finally:
        stack.discard()
        bucket.close()


def test_it_goes_to_the_bucket_and_runs_on(team: Team) -> None:
    """With its secrets and passwords, encrypted anew; nothing of what runs is touched by the next `make up`."""
    stack = team.stack
    before, password = stack.identities(), stack.password("grafana-admin-password")
    run = stack.run("state-move", "--to", team.url)
    assert run.code == 0, run.text[-6000:]
    added = read_yaml(run.text.split("replaces containers.\n")[1].split("Then make preview")[0])
    stack.edit_settings(lambda config: [config.update({key.partition(":")[2]: v}) for key, v in added.items()])
    stored = team.bucket.read(f".pulumi/stacks/observability/{stack.name}.json")
    assert b'"resources"' in stored and b"canary" not in stored and password.encode() not in stored
    assert "canary" not in stack.stack_file.read_text() and "secure:" in stack.stack_file.read_text()
    team.join()
    assert stack.password("grafana-admin-password") == password
    again = stack.up()
    assert stack.identities() == before
    assert unchanged(again.text), again.text[-3000:]


def test_nobody_runs_it_from_where_it_was(team: Team) -> None:
    """Who has not heard of it is told where it is; nothing of it is left there to be run."""
    env = {key: value for key, value in team.stack.env.items() if not key.startswith("PULUMI_")}
    command = ["python", "-m", "cli", "preview", "--stack", team.stack.name]
    command[0] = str(team.stack.root / ".venv/bin/python")
    done = subprocess.run(command, cwd=team.stack.root, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and f"is at {team.url}: set PULUMI_BACKEND_URL" in " ".join(done.stdout.split())
    (copy,) = (team.stack.state / "moved").iterdir()
    stored = json.loads(copy.read_text())["deployment"]["resources"]
    assert any(item["urn"].endswith(f"::{team.stack.name}-grafana") for item in stored)
    assert "canary" not in copy.read_text()
    assert list((team.stack.state / "backend/.pulumi/stacks/observability").glob(f"{team.stack.name}.json")) == []


def test_two_people_do_not_change_it_at_once(team: Team) -> None:
    """The second one is told of the first, and nothing is changed by it; once that has ended, it may."""
    stack = team.stack
    stack.edit_settings(lambda config: config.update(scrapeInterval="6s"))
    first = stack.start("up")
    try:
        eventually(lambda: "/locks/" in " ".join(team.bucket.keys()), timeout=60, what="the lock")
        signal_pulumi(first, signal.SIGSTOP)  # so that it has not ended before the second one begins
        second = stack.run("up")
        assert second.code == 1 and "the stack is currently locked by 1 lock(s)" in second.text, second.text[-3000:]
        signal_pulumi(first, signal.SIGCONT)
        assert first.wait(300) == 0
    finally:
        signal_pulumi(first, signal.SIGCONT)
        if first.poll() is None:
            first.send_signal(signal.SIGINT)
            first.wait(60)
    assert unchanged(stack.up().text)


def signal_pulumi(command: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Sends a signal to the Pulumi that a command has started."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.getsid(int(folder.name)) == command.pid and (folder / "comm").read_text().strip() == "pulumi":
                os.kill(int(folder.name), number)


def test_it_is_not_moved_to_where_it_is(team: Team) -> None:
    """By whatever other URL the bucket is named; the stack is there afterwards."""
    before = team.bucket.keys()
    run = team.stack.run("state-move", "--to", f"{team.url}&awssdk=v2")
    assert run.code == 2 and "is there already" in run.text, run.text[-3000:]
    assert team.bucket.keys() == before


def test_without_the_passphrase_nothing_is_read(team: Team) -> None:
    """Another one is refused in words, before anything is touched."""
    before = team.stack.identities()
    team.passphrase.write_text("another")
    try:
        run = team.stack.run("up")
    finally:
        team.passphrase.write_text(PASSPHRASE)
    assert run.code != 0 and "incorrect passphrase" in run.text
    assert team.stack.identities() == before


def test_another_backend_does_not_take_what_runs_for_leftovers(team: Team, tmp_path: Path) -> None:
    """Whoever runs it with a backend that does not know it is told so, and everything runs on."""
    stack, before = team.stack, team.stack.identities()
    stack.env["PULUMI_BACKEND_URL"] = f"file://{tmp_path}"
    text = stack.stack_file.read_text()
    try:
        run = stack.run("up")
    finally:
        stack.stack_file.write_text(text)
        team.join()
    assert run.code == 2 and "knows none of them" in " ".join(run.text.split()), run.text[-3000:]
    assert stack.identities() == before


FAILING = ("stack init --no-select", "stack import", "config set --secret", "stack rm --force")
"""Commands of Pulumi that change something, in their order."""


@pytest.mark.parametrize("command", FAILING)
def test_a_move_that_is_cut_short_can_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """By a kill before any command that changes something: the stack is where it was, and the same command goes on."""
    root = tmp_path / "checkout"
    root.mkdir()
    shutil.copy(ROOT / "Pulumi.yaml", root)
    (root / "Pulumi.own.yaml").write_text("config:\n  observability:system: plue # people's own\n")
    for module in (state, workspace, held):
        monkeypatch.setattr(module, "ROOT", root)
    for name in ("PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE"):
        monkeypatch.delenv(name, raising=False)
    for name, text in {"team": "of the team", "backend/x": ""}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setenv("OBSERVABILITY_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE_FILE", str(tmp_path / "team"))
    env, to = engine.build_tool_env(), f"file://{tmp_path / 'backend'}"
    space = workspace.open_workspace("own", env)
    make_resource(space)
    run = Workspace.run_pulumi

    def cut(self: Workspace, *args: str, **options: object) -> object:
        if " ".join(args).startswith(command):
            raise KeyboardInterrupt
        return run(self, *args, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Workspace, "run_pulumi", cut)
        state.move_state(state.find_source("own", env), to, "", Console())
    if command != FAILING[-1]:  # then it is marked as moved already
        here = state.find_source("own", env)
        assert here.local and state.read_secrets(here) == {"slack": "canary"}
        state.move_state(here, to, "", Console())
    there = workspace.open_workspace("own", env | {"PULUMI_BACKEND_URL": to})
    assert (
        state.read_secrets(there) == {"slack": "canary"} and len(state.list_urns(state.export_deployment(there))) == 1
    )
    assert "# people's own" in (root / "Pulumi.own.yaml").read_text()
    with pytest.raises(ConfigError, match="is at file://"):
        workspace.open_workspace("own", env)


def make_resource(space: Workspace) -> None:
    """Has a stack consist of something, with a secret, and have one in its configuration."""
    document = json.loads(space.run_pulumi("stack", "export", "--stack", space.stack, capture=True).stdout)
    urn = f"urn:pulumi:{space.stack}::observability::pulumi:pulumi:Stack::observability-{space.stack}"
    document["deployment"]["resources"] = [{"urn": urn, "custom": False, "type": "pulumi:pulumi:Stack"}]
    space.run_pulumi("stack", "import", "--stack", space.stack, capture=True, stdin=json.dumps(document))
    space.run_pulumi("config", "set", "--secret", "slack", "--stack", space.stack, stdin="canary")
