"""A stack goes to another backend: what is in the way, what is written there, and that it is compared before."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cli import held, state, workspace
from cli.workspace import Workspace, open_workspace
from model.errors import ConfigError
from tests.support import fakes
from tests.support.yaml_files import read_yaml

URN = "urn:pulumi:dev::observability::pulumi:pulumi:Stack::observability-dev"
HERE, TO = "file:///here", "s3://states"


def deployment(*urns: str, **more: Any) -> dict[str, Any]:
    """What a stack consists of, with a secret in clear."""
    resources = [{"urn": urn, "outputs": {"password": "canary"}} for urn in urns]
    return {"secrets_providers": {"type": "passphrase", "state": {"salt": "old"}}, "resources": resources, **more}


def answers(made: dict[str, Any]) -> dict[str, str]:
    """What Pulumi says of a stack that consists of that, with a secret in its configuration."""
    config = {"observability:slack": {"value": "canary", "secret": True}, "observability:demo": {"value": "true"}}
    return {
        "stack export": json.dumps({"version": 3, "deployment": made}),
        "config --show-secrets": json.dumps(config),
        "stack ls": json.dumps([]),
    }


@pytest.fixture(autouse=True)
def _surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBSERVABILITY_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE_FILE", "/given")
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE", raising=False)


def here(folder: Path, made: dict[str, Any], **more: str) -> Workspace:
    """A local stack that consists of that."""
    return fakes.workspace(folder, answers(made) | more, PULUMI_BACKEND_URL=HERE)


def move(space: Workspace, to: str = TO, provider: str = "") -> str:
    """What is said while a stack is moved."""
    text = io.StringIO()
    state.move_state(space, to, provider, Console(file=text, width=200))
    return text.getvalue()


def changes(folder: Path) -> list[str]:
    """The commands that change something, without those of the stack by which it is seen whether two places are one."""
    reading = ("stack export", "config --show-secrets", "stack ls")
    return [line for line in fakes.calls(folder) if not line.startswith(reading) and "-moving-" not in line]


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with the stack's file, and a working directory of the stack."""
    made = tmp_path / "root"
    made.mkdir()
    (made / "Pulumi.dev.yaml").write_text("# people's own\nconfig: {}\n")
    for module in (state, workspace, held):
        monkeypatch.setattr(module, "ROOT", made)
    (tmp_path / "state/work/dev").mkdir(parents=True)
    return made


def test_all_is_written_and_then_taken_out(tmp_path: Path, root: Path) -> None:
    """The stack is made, written, read back, and its file says what encrypts it; only then it goes where it was."""
    said = move(here(tmp_path, deployment(URN)))
    assert changes(tmp_path) == [
        "stack init --no-select dev",
        "stack import --stack dev",
        "stack rm --force --yes --preserve-config dev",
    ]
    assert "1 resources and 1 secrets of dev go there" in said and "canary" not in said
    (copy,) = (tmp_path / "state/moved").iterdir()
    assert copy.stat().st_mode & 0o777 == 0o600 and state.list_urns(json.loads(copy.read_text())["deployment"]) == [URN]
    assert (root / "Pulumi.dev.yaml").read_text() == "# people's own\nconfig: {}\nencryptionsalt: old\n"


def test_who_has_not_heard_of_it_is_told(tmp_path: Path) -> None:
    """A local stack that has gone is not begun anew."""
    workspace.mark_moved(Workspace("dev", tmp_path / "state/work/dev", {}, local=True), TO)
    with pytest.raises(ConfigError, match="the state of stack dev: is at s3://states: set PULUMI_BACKEND_URL"):
        open_workspace("dev", {"PATH": f"{tmp_path}/bin"})


def test_a_place_that_is_the_same_is_seen(tmp_path: Path) -> None:
    """Whatever its URL: it has the very state; what an interrupted move wrote is encrypted anew."""
    listed = {"stack ls": json.dumps([{"name": "organization/observability/dev"}])}
    space = here(tmp_path / "here", deployment(URN))
    with pytest.raises(ConfigError, match="stack dev is there already"):
        state.check_place(space, here(tmp_path / "same", deployment(URN), **listed))
    anew = deployment(URN) | {"secrets_providers": {"type": "passphrase", "state": {"salt": "new"}}}
    state.check_place(space, here(tmp_path / "other", anew, **listed))
    state.check_place(space, here(tmp_path / "none", deployment(URN)))


def test_a_deployment_names_what_it_is_encrypted_with(tmp_path: Path) -> None:
    """With the salt of the old one Pulumi would need the old passphrase."""
    made = deployment(URN)
    other = fakes.workspace(tmp_path, answers({**made, "secrets_providers": {"type": "new"}}))
    state.import_deployment(other, made)
    sent = json.loads((tmp_path / "stdin").read_text())
    assert sent["deployment"]["secrets_providers"] == {"type": "new"}
    assert sent["deployment"]["resources"] == made["resources"] and sent["version"] == 3


@pytest.mark.parametrize(
    ("provider", "keys"),
    [
        ({"type": "passphrase", "state": {"salt": "v1:a"}}, {"encryptionsalt": "v1:a"}),
        (
            {"type": "cloud", "state": {"url": "awskms://a", "encryptedkey": "QQ=="}},
            {"secretsprovider": "awskms://a", "encryptedkey": "QQ=="},
        ),
        ({"type": "service"}, {}),
        (None, {}),
    ],
)
def test_a_file_says_what_it_is_encrypted_with(provider: Any, keys: dict[str, str]) -> None:
    """In Pulumi's own words, by a passphrase, a key of a cloud, or its service."""
    assert state.describe_encryption({"secrets_providers": provider}) == keys


def test_a_key_of_a_cloud_encrypts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where people name one, no passphrase is needed."""
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE_FILE")
    move(here(tmp_path, deployment(URN)), provider="awskms://alias/pulumi")
    assert changes(tmp_path)[0] == "stack init --no-select dev --secrets-provider awskms://alias/pulumi"


def test_what_is_in_the_way_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No URL, nothing to encrypt with, versions that are held; nothing was asked."""
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE_FILE")
    workspace.write_document(workspace.find_held_file("dev"), {"held": {"loki": "3.7.7"}})
    with pytest.raises(ConfigError) as caught:
        move(here(tmp_path, deployment(URN)), to="bucket")
    assert [problem.where for problem in caught.value.problems] == ["TO", "stack dev", "stack dev"]
    assert "PULUMI_CONFIG_PASSPHRASE_FILE" in str(caught.value) and "an upgrade holds loki" in str(caught.value)
    assert fakes.calls(tmp_path) == []


def test_a_password_in_a_url_is_refused(tmp_path: Path) -> None:
    """It would be seen in arguments, and in each later refusal."""
    with pytest.raises(ConfigError, match="TO: has a password in it") as caught:
        move(here(tmp_path, deployment(URN)), to="postgres://me:canary@db/states")
    assert "canary" not in str(caught.value)


def test_another_key_for_a_file_of_ones_own_is_pulumi_s_business(tmp_path: Path) -> None:
    """Both places would have one file."""
    space = fakes.workspace(tmp_path, answers(deployment(URN)), PULUMI_BACKEND_URL=HERE)
    with pytest.raises(ConfigError, match="pulumi stack change-secrets-provider"):
        move(replace(space, local=False), provider="awskms://a")


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (deployment(), "has no resources, so there is nothing to move"),
        (deployment(URN, pending_operations=[{}]), "let one end before: make up STACK=dev"),
    ],
)
def test_what_cannot_be_moved_is_left_alone(tmp_path: Path, made: dict[str, Any], words: str) -> None:
    """An empty stack, and one whose last run began what nobody else knows."""
    with pytest.raises(ConfigError, match=words):
        move(here(tmp_path, made))
    assert changes(tmp_path) == []


def test_another_stack_of_that_name_is_left_alone(tmp_path: Path) -> None:
    """Its resources are others; one that an interrupted move has made is gone on with, by what it is encrypted with."""
    there = {"stack ls": json.dumps([{"name": "organization/observability/dev"}])}
    other = fakes.workspace(tmp_path, answers(deployment(URN)) | there, PULUMI_BACKEND_URL=TO)
    with pytest.raises(ConfigError, match="s3://states: has another stack called dev, with 1 resources"):
        state.begin_stack(other, deployment("urn:x"), "")
    state.begin_stack(other, deployment(URN), "")
    assert changes(tmp_path) == []
    assert (tmp_path / "Pulumi.dev.yaml").read_text() == "encryptionsalt: old\n"


def test_differences_are_named() -> None:
    """A resource with another value, one less, one more."""
    changed = deployment(URN) | {"resources": [{"urn": URN, "outputs": {"password": "other"}}]}
    assert state.compare(deployment(URN), deployment(URN)) == []
    for after in (changed, deployment()):
        assert state.compare(deployment(URN), after) == ["observability-dev"]
    assert state.compare(deployment(URN), deployment(URN, "urn:a::x")) == ["x"]


def test_a_file_with_secrets_of_another_place_is_left_alone(root: Path) -> None:
    """With another salt nobody could read them any more."""
    path = root / "Pulumi.dev.yaml"
    path.write_text("config: {}\nencryptionsalt: theirs\n")
    with pytest.raises(ConfigError, match="says already what its secrets are encrypted with"):
        state.write_encryption("dev", {"encryptionsalt": "ours"})
    state.write_encryption("dev", {"encryptionsalt": "theirs"})
    assert path.read_text() == "config: {}\nencryptionsalt: theirs\n"


def test_what_is_nowhere_is_not_moved(tmp_path: Path) -> None:
    """Nor is a stack made for it, in whatever backend the environment names."""
    env = {"PATH": f"{fakes.fake_pulumi(tmp_path, answers(deployment()))}:/usr/bin:/bin"}
    for around in ({}, {"PULUMI_BACKEND_URL": TO}):
        with pytest.raises(ConfigError, match="stack dev: is in no backend that is known here"):
            state.find_source("dev", env | around)
    assert changes(tmp_path) == []


def test_of_two_places_people_say_which_one(tmp_path: Path, root: Path) -> None:
    """The one of this machine, or that of the environment: they may have different resources."""
    (root / "Pulumi.yaml").write_text("name: observability\nruntime: {name: python}\n")
    path = tmp_path / "state/backend/.pulumi/stacks/observability/dev.json"
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    there = {"stack ls": json.dumps([{"name": "dev"}])}
    env = {"PATH": f"{fakes.fake_pulumi(tmp_path, answers(deployment(URN)) | there)}:/usr/bin:/bin"}
    with pytest.raises(ConfigError, match="is both in this machine's own backend and in that of your environment"):
        state.find_source("dev", env | {"PULUMI_BACKEND_URL": TO})
    assert state.find_source("dev", env).local


def test_a_stack_that_cannot_be_removed_is_told(tmp_path: Path) -> None:
    """It is moved all the same, and people read what to do."""
    space = here(tmp_path, deployment(URN))
    fakes.fake_pulumi(tmp_path, answers(deployment(URN)), fails=("stack rm --force",))
    said = move(space)
    assert "it is still in the old backend too" in said and f"PULUMI_BACKEND_URL={HERE} pulumi stack rm" in said


def test_the_passphrase_of_here_does_not_go_there() -> None:
    """What people give is taken in its place, in whatever way they give it."""
    env = {"PULUMI_CONFIG_PASSPHRASE_FILE": "/local", "PATH": "/bin"}
    assert state.build_env(env, {"PULUMI_CONFIG_PASSPHRASE": "x"}, TO) == {
        "PULUMI_CONFIG_PASSPHRASE": "x", "PATH": "/bin", "PULUMI_BACKEND_URL": TO,
    }  # fmt: skip
    assert state.build_env(env, {}, TO)["PULUMI_CONFIG_PASSPHRASE_FILE"] == "/local"


def test_people_read_what_their_machine_had_added(tmp_path: Path, root: Path) -> None:
    """Each section whole, so that it can take the place of the one in the file; what that says already is not there."""
    space = Workspace("dev", tmp_path, {}, local=True)
    assert state.list_additions(space) == ""
    (root / "Pulumi.dev.yaml").write_text(
        "config: {'observability:grafana': {port: 3001}, 'observability:docker': {a: 1}}"
    )
    (tmp_path / "machine.yaml").write_text("{docker: {a: 2}, grafana: {image: x}, kubernetes: {kubeconfig: /k}}")
    assert read_yaml(state.list_additions(space)) == {
        "observability:grafana": {"image": "x", "port": 3001},
        "observability:kubernetes": {"kubeconfig": "/k"},
    }
    assert workspace.read_overlay(space)["docker"] == {"a": 2}
