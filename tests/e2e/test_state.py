"""A stack's state on a bucket: moved there while it runs, locked there, and read by who has the passphrase alone."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.test_no_change import unchanged
from tests.support.buckets import BucketServer
from tests.support.running import Engine, RunningStack
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
    added = read_yaml(run.text[run.text.index("config:") :])["config"]
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
    assert "canary" not in copy.read_text() and f"stack::{team.stack.name}" not in copy.read_text()


def test_two_people_do_not_change_it_at_once(team: Team) -> None:
    """The second one is told of the first, and nothing is changed by it; once that has ended, it may."""
    stack = team.stack
    stack.edit_settings(lambda config: config.update(scrapeInterval="6s"))
    first = stack.start("up")
    try:
        eventually(lambda: "/locks/" in " ".join(team.bucket.keys()), timeout=60, what="the lock")
        second = stack.run("up")
        assert second.code == 1 and "the stack is currently locked by 1 lock(s)" in second.text, second.text[-3000:]
        assert first.wait(300) == 0
    finally:
        if first.poll() is None:
            first.send_signal(signal.SIGINT)
            first.wait(60)
    assert unchanged(stack.up().text)


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
