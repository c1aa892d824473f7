"""Upgrades on a real engine: one image after the other, with data; one that does not do well is taken back."""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cli.render import plan_file
from tests.e2e.test_backup import silence, silences, sums
from tests.support.running import Engine, RunningStack
from tests.support.waiting import eventually
from tests.support.yaml_files import read_yaml

pytestmark = [pytest.mark.docker_engine, pytest.mark.local_engine]

OLD_PROMETHEUS, OLD_NODE, BROKEN = "v3.14.0-test", "v1.12.0-test", "v3.99.0-test"
NEVER_READY = b"#!/tools/busybox sh\nexec /tools/busybox sleep 1000000\n"


@dataclass
class Images:
    """Images of other versions, which the engine has under the names that the stack asks for.

    Attributes:
        made: their names.
    """

    stack: RunningStack
    made: list[str] = field(default_factory=list)

    def make(self, name: str, tag: str, program: bytes = b"", path: str = "") -> None:
        """One of the version that the stack would run, with a label, and with another program at a path of its own."""
        image = plan_file(working_file(self.stack), self.stack.name).images[name]
        mirror = read_config(self.stack).get("observability:docker", {}).get("registryMirror")
        current = image.reference(mirror)
        made = image.model_copy(update={"tag": tag, "digest": None}).reference(mirror)
        lines, files = [f"FROM {current}", f"LABEL test={tag}"], {}
        if program:
            lines, files = [*lines, f"COPY program {path}"], {"program": program}
        archive = pack({"Dockerfile": "\n".join(lines).encode(), **files})
        self.stack.client.images.build(fileobj=archive, custom_context=True, tag=made, rm=True)
        self.made.append(made)

    def remove(self) -> None:
        """Removes all of them."""
        for name in self.made:
            self.stack.client.images.remove(name, force=True)


def pack(files: dict[str, bytes]) -> io.BytesIO:
    """An archive of executable files, as the engine takes it for a build."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, io.BytesIO(content))
    made.seek(0)
    return made


def working_file(stack: RunningStack) -> Path:
    """The local copy of the stack's file."""
    return stack.state / "work" / stack.name / f"Pulumi.{stack.name}.yaml"


def read_config(stack: RunningStack) -> dict[str, Any]:
    """What that copy says."""
    return dict(read_yaml(working_file(stack).read_text())["config"])


def hold(stack: RunningStack, **tags: str) -> None:
    """Has the stack's own file say these versions, with dashes for underscores."""
    versions = {name.replace("_", "-"): tag for name, tag in tags.items()}
    stack.edit_settings(lambda config: config.update(versions=versions))


def tags(stack: RunningStack) -> dict[str, str]:
    """The label of this test on each service's image, by the workload's name."""
    images = {c.labels["io.observability.workload"]: c.image for c in stack.containers("service")}
    return {name: image.labels["test"] for name, image in images.items() if image and "test" in image.labels}


@pytest.fixture(scope="module")
def stack(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A stack two of whose images are older than the checkout says."""
    own = RunningStack(tmp_path_factory.mktemp("versions"), "e2e-versions", engine, ports=28500)
    images = Images(own)
    try:
        own.up()
        images.make("prometheus", OLD_PROMETHEUS)
        images.make("node-exporter", OLD_NODE)
        images.make("prometheus", BROKEN, NEVER_READY, "/bin/prometheus")
        hold(own, prometheus=OLD_PROMETHEUS, node_exporter=OLD_NODE)
        own.up()
        assert tags(own) == {"prometheus": OLD_PROMETHEUS, "node-exporter": OLD_NODE}
        yield own
    finally:
        own.discard()
        images.remove()


@dataclass(frozen=True)
class Known:
    """What the stack knew before: a time, the sum of every metric then, and a silence."""

    at: float
    sums: dict[str, str]
    comment: str

    def check(self, stack: RunningStack) -> None:
        """Asserts that it knows it still."""
        assert sums(stack, self.at) == self.sums
        assert self.comment in silences(stack)


@pytest.fixture(scope="module")
def known(stack: RunningStack) -> Known:
    """What is there before the first upgrade."""
    return remember(stack)


def remember(stack: RunningStack) -> Known:
    """What a stack knows now, once samples of more than a minute are there."""
    silence(stack, "known before")
    begun = time.time()
    eventually(lambda: len(sums(stack, begun + 30)) > 200 and time.time() > begun + 60, timeout=180, what="samples")
    return Known(begun + 30, sums(stack, begun + 30), "known before")


def test_a_list_shows_what_there_is_and_changes_nothing(stack: RunningStack, known: Known) -> None:
    """What the file says is what is wanted: the one that it still holds is not in the list."""
    hold(stack, prometheus=BROKEN)
    before = stack.identities()
    run = stack.run("upgrade", "--list")
    assert run.code == 0, run.text[-3000:]
    words = " ".join(run.text.split())
    assert f"node-exporter │ {OLD_NODE}" in words and f"prometheus │ {OLD_PROMETHEUS} │ {BROKEN} │ prometheus" in words
    assert stack.identities() == before


def test_data_without_a_backup_is_not_risked(stack: RunningStack, known: Known) -> None:
    """It takes a word, and before that nothing is touched."""
    before = stack.identities()
    run = stack.run("upgrade")
    assert run.code == 2 and "prometheus store data, and the stack makes no backups" in " ".join(run.text.split())
    assert stack.identities() == before


def test_what_does_not_do_well_is_taken_back(stack: RunningStack, known: Known) -> None:
    """What came before it is upgraded; Prometheus runs as before, with all that it had, and stays so with `make up`."""
    run = stack.run("upgrade", "--without-backup", timeout=900)
    assert run.code == 1, run.text[-6000:]
    assert f"prometheus {BROKEN} does not do well" in run.text, run.text[-6000:]
    assert f"prometheus is back at {OLD_PROMETHEUS}, healthy, with all that was compared." in run.text, run.text[-6000:]
    assert tags(stack) == {"prometheus": OLD_PROMETHEUS}
    known.check(stack)
    again = stack.up()
    assert tags(stack) == {"prometheus": OLD_PROMETHEUS}
    assert f"prometheus stays at {OLD_PROMETHEUS}" in " ".join(again.text.split())


def test_once_the_cause_is_mended_it_goes_on(stack: RunningStack, known: Known) -> None:
    """To what the checkout says, where the file says no more; nothing is held any longer, and nothing is left to do."""
    stack.edit_settings(lambda config: config.pop("versions"))
    run = stack.run("upgrade", "--without-backup")
    assert run.code == 0, run.text[-6000:]
    assert tags(stack) == {}
    known.check(stack)
    assert "observability:versions" not in read_config(stack)
    assert "every image of stack e2e-versions has the version" in stack.run("upgrade").text
