"""Backends, passphrase and working directories."""

from __future__ import annotations

import json
import stat
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli import workspace
from cli.workspace import (
    ROOT,
    describe_machine,
    find_state_dir,
    has_local_state,
    has_own_backend,
    merge_documents,
    open_workspace,
    parse_versions,
)
from model.errors import ConfigError
from tests.support import fakes
from tests.support.yaml_files import read_yaml, write_yaml

pytestmark = pytest.mark.usefixtures("own_home")


def environment(folder: Path, **more: str) -> dict[str, str]:
    """An environment in which `pulumi` is the fake."""
    return {"PATH": f"{fakes.fake_pulumi(folder)}:/usr/bin:/bin", **more}


def test_state_directory_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OBSERVABILITY_STATE wins, then XDG_STATE_HOME, then the home directory."""
    assert find_state_dir() == tmp_path / "state"
    monkeypatch.delenv("OBSERVABILITY_STATE")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    assert find_state_dir() == tmp_path / "xdg" / "observability"
    monkeypatch.delenv("XDG_STATE_HOME")
    assert find_state_dir() == tmp_path / "home/.local/state/observability"


def test_own_backend_is_recognised(tmp_path: Path) -> None:
    """A backend URL, an access token or a stored login means that this person uses Pulumi already."""
    assert not has_own_backend({})
    assert has_own_backend({"PULUMI_BACKEND_URL": "s3://states"})
    assert has_own_backend({"PULUMI_ACCESS_TOKEN": "token"})
    (tmp_path / "credentials.json").write_text('{"current": "https://api.pulumi.com"}')
    assert has_own_backend({"PULUMI_CREDENTIALS_PATH": str(tmp_path)})
    (tmp_path / "credentials.json").write_text('{"current": ""}')
    assert not has_own_backend({"PULUMI_CREDENTIALS_PATH": str(tmp_path)})
    (tmp_path / "credentials.json").write_text("{")
    assert not has_own_backend({"PULUMI_CREDENTIALS_PATH": str(tmp_path)})


def test_local_default_needs_no_account(tmp_path: Path) -> None:
    """Without a backend: one in files, a passphrase only its owner can read, and nothing written to the checkout."""
    space = open_workspace("dev", environment(tmp_path), {})
    assert space.local and space.directory == tmp_path / "state/work/dev"
    assert space.env["PULUMI_BACKEND_URL"] == f"file://{tmp_path}/state/backend"
    passphrase = Path(space.env["PULUMI_CONFIG_PASSPHRASE_FILE"])
    assert len(passphrase.read_text()) >= 32
    assert stat.S_IMODE(passphrase.stat().st_mode) == 0o600
    project = read_yaml((space.directory / "Pulumi.yaml").read_text())
    assert project["main"] == str(ROOT) and project["name"] == "observability"


@pytest.mark.parametrize(("given", "used"), [({}, "200"), ({"GOGC": "off"}, "off")])
def test_pulumi_is_spared_work(tmp_path: Path, given: dict[str, str], used: str) -> None:
    """It looks for no newer version, and collects its memory less often unless somebody says how often."""
    env = open_workspace("dev", environment(tmp_path, **given), {}).env
    assert (env["PULUMI_SKIP_UPDATE_CHECK"], env["GOGC"]) == ("true", used)


def test_passphrase_stays(tmp_path: Path) -> None:
    """A second run reads the passphrase of the first: another one could not open the state."""
    env = environment(tmp_path)
    first = Path(open_workspace("dev", env, {}).env["PULUMI_CONFIG_PASSPHRASE_FILE"]).read_text()
    assert Path(open_workspace("dev", env, {}).env["PULUMI_CONFIG_PASSPHRASE_FILE"]).read_text() == first


def test_own_backend_works_in_the_checkout(tmp_path: Path) -> None:
    """With a backend of one's own, Pulumi runs in the checkout and nothing is written to the state directory."""
    space = open_workspace("dev", environment(tmp_path, PULUMI_BACKEND_URL="file:///somewhere"), {"demo": False})
    assert not space.local and space.directory == ROOT
    assert not (tmp_path / "state").exists()


def test_unknown_stack_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    """A stack without a file is refused, and the message lists those there are."""
    with pytest.raises(ConfigError, match=r"Pulumi\.nope\.yaml: there is no such file; stacks: .*dev"):
        open_workspace("nope", environment(tmp_path), {})


def test_absent_stack_is_created(tmp_path: Path) -> None:
    """A stack that cannot be selected is initialised; when that fails, Pulumi's words are shown."""
    path = fakes.fake_pulumi(tmp_path, fails=("stack select",))
    open_workspace("dev", {"PATH": f"{path}:/usr/bin:/bin"}, {})
    assert fakes.calls(tmp_path) == ["stack select dev", "stack init dev"]
    path = fakes.fake_pulumi(tmp_path, fails=("stack select", "stack init"))
    with pytest.raises(SystemExit, match="refused: stack init dev"):
        open_workspace("dev", {"PATH": f"{path}:/usr/bin:/bin"}, {})


def test_a_stack_that_is_there_is_not_selected(tmp_path: Path) -> None:
    """Every command names its stack, and asking Pulumi for it first would take as long as an empty program does."""
    stacks = tmp_path / "state/backend/.pulumi/stacks/observability"
    stacks.mkdir(parents=True)
    (stacks / "dev.json").write_text("{}")
    open_workspace("dev", environment(tmp_path), {})
    assert fakes.calls(tmp_path) == []


def test_machine_adds_only_where_the_stack_says_nothing() -> None:
    """The overlay fills gaps, also inside sections, and never overrides the stack's own file."""
    source = {"config": {"observability:docker": {"host": "tcp://a:1"}, "observability:grafana": {"image": "grafana"}}}
    overlay = {"docker": {"registryMirror": "m:5000", "host": "no"}, "grafana": {"image": "stand-in"}, "demo": True}
    assert merge_documents(source, {}, overlay)["config"] == {
        "observability:docker": {"registryMirror": "m:5000", "host": "tcp://a:1"},
        "observability:grafana": {"image": "grafana"},
        "observability:demo": True,
    }


def test_the_machine_adds_nothing_for_another_target() -> None:
    """What was found for an engine is left out once the stack is for a cluster: it would be refused there."""
    overlay = {"docker": {"registryMirror": "m:5000"}, "kubernetes": {"kubeconfig": "/k"}, "demo": True}
    source = {"config": {"observability:target": "kubernetes"}}
    assert merge_documents(source, {}, overlay)["config"] == {
        "observability:target": "kubernetes",
        "observability:kubernetes": {"kubeconfig": "/k"},
        "observability:demo": True,
    }
    assert "observability:kubernetes" not in merge_documents({"config": {}}, {}, overlay)["config"]


def test_local_secrets_are_carried_over() -> None:
    """Secrets and the salt of the local file survive; other local values follow the checkout."""
    before = {
        "encryptionsalt": "v1:salt",
        "config": {"observability:slack": {"secure": "v1:x"}, "observability:old": "gone"},
    }
    assert merge_documents({"config": {"observability:demo": True}}, before, {}) == {
        "encryptionsalt": "v1:salt",
        "config": {"observability:demo": True, "observability:slack": {"secure": "v1:x"}},
    }


def test_stack_file_is_merged_on_every_open(tmp_path: Path) -> None:
    """Opening twice keeps the secret that was set in between, and the overlay is not a leftover of the first time."""
    env = environment(tmp_path)
    space = open_workspace("dev", env, {"docker": {"registryMirror": "m:5000"}})
    path = space.directory / "Pulumi.dev.yaml"
    document = read_yaml(path.read_text())
    assert document["config"]["observability:docker"]["registryMirror"] == "m:5000"
    document["config"]["observability:token"] = {"secure": "v1:abc"}
    path.write_text(write_yaml(document))
    open_workspace("dev", env, {})
    after = read_yaml(path.read_text())["config"]
    assert after["observability:token"] == {"secure": "v1:abc"}
    assert "registryMirror" not in after.get("observability:docker", {})


def test_what_the_machine_added_is_remembered(tmp_path: Path) -> None:
    """A preview after `up` sees the mirror that `up` found, or it would show every image as changed."""
    env = environment(tmp_path)
    open_workspace("dev", env, {"docker": {"registryMirror": "m:5000"}})
    space = open_workspace("dev", env)
    document = read_yaml((space.directory / "Pulumi.dev.yaml").read_text())
    assert document["config"]["observability:docker"]["registryMirror"] == "m:5000"


def test_pulumi_gets_stdin_and_reports_failure(tmp_path: Path) -> None:
    """A secret goes to Pulumi on standard input, in no argument; a failing command raises when asked to."""
    space = fakes.workspace(tmp_path)
    space.run_pulumi("config", "set", "--secret", "token", stdin="geheim")
    assert (tmp_path / "stdin").read_text() == "geheim"
    assert "geheim" not in (tmp_path / "calls").read_text()
    fakes.fake_pulumi(tmp_path, fails=("up",))
    with pytest.raises(subprocess.CalledProcessError):
        space.run_pulumi("up", capture=True)
    assert space.run_pulumi("up", check=False, capture=True).returncode == 1


def test_export_and_outputs_are_data(tmp_path: Path) -> None:
    """State and outputs come back as data; a state that cannot be read is not none."""
    state: dict[str, Any] = {"deployment": {"resources": []}}
    space = fakes.workspace(tmp_path, {"stack export": json.dumps(state), "stack output": '{"url": "x"}'})
    assert space.export_state() == state
    assert space.read_outputs(show_secrets=True) == {"url": "x"}
    assert "--show-secrets" in fakes.calls(tmp_path)[-1]
    fakes.fake_pulumi(tmp_path, fails=("stack",))
    assert space.read_outputs() == {}
    with pytest.raises(subprocess.CalledProcessError):
        space.export_state()


def test_forget_keeps_secrets_that_exist_nowhere_else(tmp_path: Path) -> None:
    """A destroyed stack's working directory goes, unless its file holds a secret; a person's checkout never goes."""
    folder = tmp_path / "work"
    space = fakes.workspace(folder)
    (folder / "Pulumi.dev.yaml").write_text("config: {observability:token: {secure: v1:x}}")
    workspace.forget_stack(space)
    assert folder.exists()
    (folder / "Pulumi.dev.yaml").write_text("config: {observability:demo: true}")
    workspace.forget_stack(space)
    assert not folder.exists()
    remote = workspace.Workspace("dev", tmp_path, {}, local=False)
    workspace.forget_stack(remote)
    assert tmp_path.exists()


def test_what_a_platform_says_lies_below_the_stacks_own_file(tmp_path: Path) -> None:
    """It is added to what the toolchain found, replaces what another engine said before, and is remembered."""
    space = open_workspace("dev", environment(tmp_path), {"docker": {"registryMirror": "m:5000"}})
    for root in ("/data/docker", "/srv/docker"):
        describe_machine(space, {"docker": {"dataRoot": root}})
    again = open_workspace("dev", environment(tmp_path))
    for folder in (space.directory, again.directory):
        config = read_yaml((folder / "Pulumi.dev.yaml").read_text())["config"]
        assert config["observability:docker"] == {"registryMirror": "m:5000", "dataRoot": "/srv/docker"}


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    """Whoever has a backend of their own says in the stack's file what their engine is like."""
    space = fakes.workspace(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    describe_machine(replace(space, local=False), {"docker": {"dataRoot": "/data/docker"}})
    assert sorted(tmp_path.rglob("*")) == before


def test_a_salt_that_opens_local_secrets_is_kept() -> None:
    """A team's salt and secrets in the checkout's file do not take the place of those that nothing else holds."""
    before = {"encryptionsalt": "v1:local", "config": {"observability:slack": {"secure": "v1:local"}}}
    source = {"encryptionsalt": "v1:team", "config": {"observability:slack": {"secure": "v1:team"}}}
    assert merge_documents(source, before, {}) == before
    same = {**source, "encryptionsalt": "v1:local"}
    assert merge_documents(same, before, {})["config"] == source["config"]


@pytest.mark.parametrize(
    ("said", "versions"),
    [
        ({"loki": "3.7"}, {"loki": "3.7"}),
        ('{"loki": "3.7"}', {"loki": "3.7"}),
        (None, {}),
        ({"loki": 3}, {"loki": "3"}),
    ],
)
def test_versions_are_read_as_pulumi_writes_them(said: Any, versions: dict[str, str]) -> None:
    """As a mapping, or as the text of one."""
    assert parse_versions({"config": {"observability:versions": said}}, "x") == versions


@pytest.mark.parametrize("said", ["loki", "[1]", 3])
def test_versions_of_another_form_are_refused(said: Any) -> None:
    """With the file and the key."""
    with pytest.raises(ConfigError, match=r"Pulumi.dev.yaml: versions: .+ must be a mapping of images' names to tags"):
        parse_versions({"config": {"observability:versions": said}}, "Pulumi.dev.yaml")


def test_a_local_stack_is_known_by_its_state(tmp_path: Path) -> None:
    """What nobody deployed is not there."""
    assert not has_local_state("dev")
    path = tmp_path / "state/backend/.pulumi/stacks/observability/dev.json"
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    assert has_local_state("dev")
