"""What the working tree changes, as a command."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest

from cli import diff
from cli.changes.words import MARKER
from model.errors import ConfigError
from tests.support.calling import call
from tests.support.little_project import RULES, Project, make_project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project that the command works in, and a folder of its own for what is temporary."""
    made = make_project(tmp_path / "project")
    monkeypatch.setattr(diff, "ROOT", made.root)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return made


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """The exit code and what is printed."""
    code = call(monkeypatch, "diff", *words)
    return code, capsys.readouterr().out


def test_what_is_not_committed_counts(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A rule of the working tree against the one of main; nothing stays behind."""
    project.write_rule(2)
    code, text = run(monkeypatch, capsys)
    assert code == 0 and text.startswith(MARKER) and "- `expr`: `x > 1` → `x > 2`" in text
    assert f"`{RULES}`\n\n```diff\n@@ -1 +1 @@" in text
    assert not list((tmp_path / "tmp").iterdir())


def test_a_change_of_docs_is_one_line(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing that is deployed changes."""
    project.write("README.md", "x")
    code, text = run(monkeypatch, capsys, "--all-stacks")
    assert code == 0 and text.count("\n") == 2 and "**Nothing that is deployed changes** (2 stacks" in text


def test_all_stacks_are_one_comment(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """New and removed ones are said; what some have in common is said once."""
    project.write_rule(2)
    project.write_rule(2, "new")
    project.write("Pulumi.new.yaml", "config: {}")
    (project.root / "Pulumi.prod.yaml").unlink()
    _, text = run(monkeypatch, capsys, "--all-stacks", "--base", "HEAD")
    assert "- **`stack new`** is new (in `new`)" in text and "- **`stack prod`** is removed (in `prod`)" in text
    assert "- **`Slow (api)`** changes (in `dev`)" in text


def test_a_head_that_cannot_be_rendered_is_refused(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its problems are in the comment, other stacks are compared, and the exit code fails the pipeline."""
    project.write("stacks/dev/wrong", "a key")
    project.write_rule(2, "prod")
    code, text = run(monkeypatch, capsys, "--all-stacks")
    assert (
        code == 2
        and "As it would be merged, the stack cannot be rendered:\n1 problem in the configuration: a key" in text
    )
    assert "x > 2" in text


def test_a_base_that_cannot_be_rendered_is_no_empty_comment(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever its code says is in the comment, and what is known of the head."""
    project.write("stacks/dev/wrong", "an older one")
    project.commit()
    (project.root / "stacks/dev/wrong").unlink()
    code, text = run(monkeypatch, capsys)
    assert code == 0 and "The code of the base" in text and "an older one" in text
    assert "`dev` as it would be merged can be rendered: 1 documents." in text and "Nothing" not in text


def test_unknown_cost_is_said(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In place of a silence that reads as no change."""
    text = (project.root / "cli/__main__.py").read_text()
    project.write("cli/__main__.py", text.replace("print(json", "raise SystemExit(1); print(json"))
    assert "What `dev` costs before and after is not known" in run(monkeypatch, capsys)[1]


def test_programs_get_plain_data(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --json: changes with their stacks, failures, raw differences."""
    project.write_rule(2)
    made = json.loads(run(monkeypatch, capsys, "--json", "--all-stacks")[1])
    assert made.keys() == {"base", "stacks", "failures", "changes", "differences"} and made["stacks"] == ["dev", "prod"]
    (change,) = [item for item in made["changes"] if item["area"] == "rules"]
    assert change["stacks"] == ["dev"] and change["details"][0] == {"name": "expr", "before": "x > 1", "after": "x > 2"}
    assert made["differences"][0]["document"] == RULES


def test_previews_are_added(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Pulumi's own, folded; a file with another name is none."""
    for name in ("dev.txt", "<b>.txt", "x.md"):
        (tmp_path / name).write_text("~ docker:index:Container: update\n")
    project.write_rule(2)
    text = run(monkeypatch, capsys, "--previews", str(tmp_path))[1]
    assert text.count("Pulumi's own preview of") == 1 and "<summary>Pulumi's own preview of dev</summary>" in text
    assert diff.read_previews(None) == {}


def test_wrong_words_are_refused(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A base or a stack that is not there, with what would be right."""
    code, text = run(monkeypatch, capsys, "--base", "nothing")
    assert code == 2 and "is no commit of this clone" in text
    code, text = run(monkeypatch, capsys, "--stack", "none")
    assert code == 2 and "Pulumi.none.yaml" in text and "stacks: dev, prod" in text


def test_prometheus_is_asked_by_stack(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The one of the stack, and only where an alert changes; nobody there is said."""
    project.write_rule(2)
    project.write_rule(2, "prod")
    text = run(monkeypatch, capsys, "--all-stacks", "--prometheus", "prod=http://127.0.0.1:1")[1]
    assert text.count("How often it would have fired is not known") == 1


@pytest.mark.parametrize(
    ("given", "stack", "words"),
    [
        ("prometheus:9090", "dev", "is no address"),
        ("http://x", "", "is no address"),
        ("prod=file:///x", "", "is no address"),
        ("http://me:secret@x/", "dev", "has a login in it"),
    ],
)
def test_addresses_of_prometheus_are_checked(given: str, stack: str, words: str) -> None:
    """Each needs its stack, HTTP, and no login where other processes read it."""
    with pytest.raises(ConfigError, match=words) as error:
        diff.parse_prometheus([given], stack)
    assert "secret" not in str(error.value)


def test_addresses_have_their_stack() -> None:
    """One that is named, or the only one."""
    assert diff.parse_prometheus(["https://x/?a=b"], "dev") == {"dev": "https://x/?a=b"}
    assert diff.parse_prometheus(["prod=https://x", "dev=http://y"], "") == {"prod": "https://x", "dev": "http://y"}
