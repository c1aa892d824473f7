"""deliver.sh: what is delivered is what runs, whatever a delivery before it left behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from model.workload import Reload
from tests.support.alerting import free_port
from tests.support.delivering import Process, Volume, served
from tests.support.tiers import leave_all_but

OLD = {"a.yml": "a: 1\n", "rules/b.yml": "b: 1\n"}
NEW = {"a.yml": "a: 2\n", "rules/c.yml": "c: 1\n"}
_ASKED = Reload(port=0, success_metric="ok", timeout=2)
_WATCHES = replace(_ASKED, path=None)
KINDS = {
    "asked": _ASKED,
    "digest": replace(_WATCHES, digest_metric="hash", digest_file="a.yml"),
    "report": replace(_WATCHES, report_path="/revision", report_file="revision"),
}
"""The ways in which a process proves what it runs: it answers when asked to reload, or it watches and reports."""


class Running:
    """A volume, the process that reads it, and how it is delivered to."""

    def __init__(self, volume: Volume, process: Process, reload: Reload) -> None:
        self.volume, self.process, self.reload = volume, process, reload

    def deliver(self, revision: str, files: dict[str, str], **env: str) -> tuple[int, str]:
        """Exit status and words of a delivery."""
        done = self.volume.deliver(revision, self.documents(revision, files), self.reload, **env)
        return done.returncode, done.stdout

    def documents(self, revision: str, files: dict[str, str]) -> dict[str, str]:
        """The files, and the one that the process reports where it does."""
        return {**files, "revision": f"X-Revision: {revision}\n"}


@pytest.fixture(params=leave_all_but(("report",), KINDS))
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    """A process of each kind that runs its first documents."""
    volume = Volume(tmp_path)
    process = Process(volume, watches=request.param != "asked")
    with served(process) as port:
        made = Running(volume, process, replace(KINDS[request.param], port=port))
        assert made.deliver("one", OLD) == (
            0, "server: revision one delivered; the process reads it when it starts\n",
        )  # fmt: skip
        process.load()
        yield made


def test_an_edit_is_live(running: Running) -> None:
    """The process runs the new documents, and what they no longer hold is gone."""
    assert running.deliver("two", NEW) == (0, "server: revision two is live\n")
    assert running.process.loaded == running.documents("two", NEW)


def test_what_runs_already_is_success(running: Running) -> None:
    """The same revision a second and a third time, as after `docker container prune`: nothing is waited for."""
    for _ in range(2):
        assert running.deliver("one", OLD) == (0, "server: revision one is live\n")
    assert running.process.loaded == running.documents("one", OLD)


@pytest.mark.exhaustive
@pytest.mark.parametrize("running", ["asked", "report"], indirect=True)
def test_killed_at_each_step_the_next_delivery_lands(running: Running) -> None:
    """SIGKILL at any call of the script leaves the process its documents, and nothing that trips the next delivery.

    That one may bring the same documents or, as after an edit was undone, the ones before.
    """
    files = running.documents("two", NEW)
    steps = 0
    for steps in running.volume.killed("two", files, running.reload):
        assert running.volume.seen().get("a.yml") in (OLD["a.yml"], NEW["a.yml"]), f"killed at step {steps}"
        with running.volume.restored():
            code, words = running.deliver("one", OLD)
            assert (code, running.process.loaded) == (0, running.documents("one", OLD)), f"{steps}: {words}"
        code, words = running.deliver("two", NEW)
        assert (code, running.process.loaded) == (0, files), f"killed at step {steps}: {words}"
    assert steps > 15, "the script makes more calls than that"
    assert running.process.loaded == files


def test_refused_documents_are_taken_back(running: Running) -> None:
    """The run fails with the process's words, and it runs what it ran before; corrected, the next delivery lands."""
    running.process.refuses = lambda documents: "line 1: no" if documents["a.yml"] == NEW["a.yml"] else ""
    code, words = running.deliver("two", NEW)
    assert code == 1
    assert "REFUSED: the process" in words and "the previous configuration is in force" in words
    assert running.volume.seen() == running.process.loaded == running.documents("one", OLD)
    assert running.deliver("three", OLD | {"d.yml": "d\n"})[0] == 0


def test_a_refusal_returns_to_what_was_good(running: Running) -> None:
    """A revision that a killed delivery had switched to was never proven: it is not what a refusal returns to."""
    running.process.refuses = lambda documents: "no" if documents["a.yml"] != OLD["a.yml"] else ""
    files = running.documents("two", NEW)
    next(step for step in running.volume.killed("two", files) if running.volume.seen() == files)
    assert running.deliver("two", NEW)[0] == 1
    assert running.volume.seen() == running.documents("one", OLD)


@pytest.mark.parametrize("revision", ["one", "two"], ids=["in force", "not in force"])
def test_half_a_revision_is_replaced(running: Running, revision: str) -> None:
    """A directory that has the revision's name but not its content, as after a full disk, is not trusted."""
    spoilt = running.volume.config / f".rev-{revision}"
    spoilt.mkdir(exist_ok=True)
    (spoilt / "a.yml").write_text("a:")
    assert running.deliver(revision, NEW)[0] == 0
    assert running.volume.seen() == running.process.loaded == running.documents(revision, NEW)
    assert not list(running.volume.config.glob(".rev-spoilt"))


FORMS = {
    "an empty file.yml": "", "cr.txt": "a\r\nb\r\n", "deep/er/x.json": '{"a": "\\\\n %s"}', "sub/..data": "no newline",
    "lines.txt": "\n\n  indented\n\n", "zz é.txt": "é\n",
}  # fmt: skip
"""Documents whose lines, ends and names are not plain."""


def test_documents_arrive_as_they_were_sent(tmp_path: Path) -> None:
    """To the byte: empty ones, without a last newline, with carriage returns, escapes, and spaces in their names."""
    volume = Volume(tmp_path)
    assert volume.deliver("one", FORMS).returncode == 0
    top = volume.config / ".rev-one"
    there = {str(path.relative_to(top)): path.read_bytes().decode() for path in top.rglob("*") if path.is_file()}
    assert there == FORMS


def test_what_is_cut_short_is_refused(running: Running) -> None:
    """A text that lacks its end, as on a full disk, is no revision; the process runs what it ran before."""
    running.volume.send(running.documents("two", NEW))
    packed = running.volume.folder / "documents"
    packed.write_text(packed.read_text()[:-5])
    done = running.volume.run("two", running.reload)
    assert done.returncode == 1 and "REFUSED: its documents did not arrive" in done.stdout
    assert running.volume.seen() == running.process.loaded == running.documents("one", OLD)


def test_a_process_of_another_kind_is_not_asked(running: Running) -> None:
    """Before its container is replaced, the old process is not asked to load what its successor will read."""
    code, words = running.deliver("two", NEW, HOST="server-0.invalid")
    assert (code, running.process.reloads) == (0, 0)
    assert "it reads it when it starts" in words
    assert running.volume.seen() == running.documents("two", NEW)


def test_a_process_that_only_starts_is_waited_for(tmp_path: Path) -> None:
    """It answers nothing to the first request to reload, and is asked again."""
    volume = Volume(tmp_path)
    process = Process(volume)
    answer = process.answer

    def slow(method: str, path: str) -> tuple[int, str]:
        if method == "POST" and process.reloads < 2:
            process.reloads += 1
            raise ConnectionError("not yet")
        return answer(method, path)

    process.answer = slow  # type: ignore[method-assign]
    with served(process) as port:
        volume.deliver("one", OLD)
        done = volume.deliver("two", NEW, Reload(port=port, success_metric="ok", timeout=20))
    assert (done.returncode, process.reloads, process.loaded) == (0, 3, NEW), done.stdout


def test_promtail_calls_what_it_runs_already_an_error(running: Running) -> None:
    """Its answer to content that it runs is 500, and means that all is well."""
    running.process.refuses = lambda _: "failed to reload config: config has not changed"
    assert running.deliver("one", OLD)[0] == 0


def test_a_validator_judges_before_anything_is_switched(running: Running) -> None:
    """What it says ends the run, and the process is not asked."""
    code, words = running.deliver("two", NEW, VALIDATE="(echo 'a.yml: line 1: no' && exit 3)")
    assert code == 1 and "its validator rejects it" in words and "    a.yml: line 1: no" in words
    assert running.process.reloads == 0
    assert running.volume.seen() == running.documents("one", OLD)


def test_documents_that_did_not_arrive_are_said(tmp_path: Path) -> None:
    """Nothing is delivered without them, save where a service has none and only its directories are given to it."""
    volume = Volume(tmp_path)
    done = volume.run("one")
    assert done.returncode == 1 and "its documents did not arrive" in done.stdout
    assert volume.run("one", env={"DOCUMENTS": "0"}).returncode == 0


def test_an_unused_port_is_a_stopped_process(tmp_path: Path) -> None:
    """A process that does not run reads the documents when it starts; that is no failure."""
    volume = Volume(tmp_path)
    volume.deliver("one", OLD)
    done = volume.deliver("two", NEW, Reload(port=free_port()))
    assert done.returncode == 0 and "it reads it when it starts" in done.stdout
