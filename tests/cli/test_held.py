"""Versions that an upgrade holds: in the local copy, or in a file of one's own, whenever it is cut short."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cli import held, workspace
from cli.held import hold_versions, read_wanted
from cli.record import Record, Underway, read_record
from cli.workspace import Workspace, find_held_file, open_workspace
from tests.support import fakes
from tests.support.yaml_files import read_yaml, write_yaml

pytestmark = pytest.mark.usefixtures("own_home")
STEP = Underway(name="loki", before="3.7.7", known={"x": 1}, stored={"samples of job a": 2.0}, moment=3.5)


def say(path: Path, versions: Any) -> None:
    """Has a stack's own file say these versions."""
    path.write_text(write_yaml({"config": {"observability:system": "plue", "observability:versions": versions}}))


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The own file of a stack in a checkout, which says two versions."""
    text = (workspace.ROOT / "Pulumi.yaml").read_text()
    for module in (held, workspace):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    (tmp_path / "Pulumi.yaml").write_text(text)
    say(tmp_path / "Pulumi.own.yaml", {"loki": "3.8", "traefik": "v3"})
    return tmp_path / "Pulumi.own.yaml"


def space_of(folder: Path, **env: str) -> Workspace:
    """The workspace of that stack, whose Pulumi is the fake."""
    return open_workspace("own", {"PATH": f"{fakes.fake_pulumi(folder)}:/usr/bin:/bin", **env})


def copied(space: Workspace) -> Any:
    """What the local copy of the file says."""
    return read_yaml((space.directory / "Pulumi.own.yaml").read_text())["config"].get("observability:versions")


def test_the_local_copy_says_what_is_held(tmp_path: Path, file: Path) -> None:
    """Over what its own file says, whatever a run finds out about the machine; people's file is not touched."""
    space, text = space_of(tmp_path), file.read_text()
    hold_versions(space, {"loki": "3.7.7", "grafana": "12"}, STEP)
    assert copied(space) == {"loki": "3.7.7", "grafana": "12", "traefik": "v3"}
    assert read_record(find_held_file("own")) == Record(held={"loki": "3.7.7", "grafana": "12"}, underway=STEP)
    assert open_workspace("own", {"PATH": space.env["PATH"]}, {"docker": {"registryMirror": "m:5000"}}).local
    assert copied(space)["loki"] == "3.7.7"
    hold_versions(space, {"loki": "3.7.7"})
    assert copied(space) == {"loki": "3.7.7", "traefik": "v3"} and read_record(find_held_file("own")).underway is None
    hold_versions(space, {})
    assert copied(space) == {"loki": "3.8", "traefik": "v3"} and read_record(find_held_file("own")) == Record()
    assert file.read_text() == text


def test_what_people_take_out_of_their_file_is_not_wanted(tmp_path: Path, file: Path) -> None:
    """Their file decides at each run what they ask for, not what it said when something was held."""
    space = space_of(tmp_path)
    hold_versions(space, {"loki": "3.7.7"})
    assert read_wanted(space) == {"loki": "3.8", "traefik": "v3"}
    say(file, {})
    assert read_wanted(space) == {}


def own_space(tmp_path: Path) -> Workspace:
    """The workspace of the stack with a backend of one's own."""
    return space_of(tmp_path, PULUMI_BACKEND_URL="file:///somewhere")


def test_a_file_of_ones_own_says_what_is_held(tmp_path: Path, file: Path) -> None:
    """Pulumi writes it, each tag as a text, and puts back what people asked for."""
    space = own_space(tmp_path)
    hold_versions(space, {"loki": "3.7", "grafana": "12"})
    say(file, {"loki": "3.7", "grafana": "12", "traefik": "v3"})  # as Pulumi does
    assert read_wanted(space) == {"loki": "3.8", "traefik": "v3"}
    hold_versions(space, {"loki": "3.7"})
    say(file, {"loki": "3.7", "traefik": "v3"})
    hold_versions(space, {})
    (_, *done) = fakes.calls(tmp_path)
    where = '--path observability:versions["{}"] --stack own'
    assert done == [
        f"config set {where.format('grafana')} --type string -- 12",
        f"config set {where.format('loki')} --type string -- 3.7",
        f"config rm {where.format('grafana')}",
        f"config set {where.format('loki')} --type string -- 3.8",
    ]
    assert read_record(find_held_file("own")) == Record()


def test_a_text_of_json_stays_one(tmp_path: Path, file: Path) -> None:
    """As a path within a text would take its place."""
    say(file, '{"loki": "3.8"}')
    hold_versions(own_space(tmp_path), {"grafana": "12"})
    assert fakes.calls(tmp_path)[1:] == [
        'config set observability:versions --stack own -- {"loki": "3.8", "grafana": "12"}'
    ]


def test_nothing_held_is_forgotten_by_a_run_that_is_cut_short(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is stored names at least what the file holds, and what people asked for in its place."""
    space = own_space(tmp_path)
    hold_versions(space, {"loki": "3.7"})
    say(file, {"loki": "3.7", "traefik": "v3"})
    monkeypatch.setattr(held, "_say_versions", lambda space, versions: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        hold_versions(space, {"grafana": "12"})
    record = read_record(find_held_file("own"))
    assert record.held == {"loki": "3.7", "grafana": "12"} and record.said == {"loki": "3.8"}


def test_the_last_one_leaves_the_file_as_it_was(tmp_path: Path, file: Path) -> None:
    """Without a key that says nothing."""
    say(file, {})
    space = own_space(tmp_path)
    hold_versions(space, {"loki": "3.7"})
    say(file, {"loki": "3.7"})
    hold_versions(space, {})
    assert fakes.calls(tmp_path)[-1] == "config rm observability:versions --stack own"
