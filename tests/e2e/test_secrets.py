"""Secrets exist in their secret files and nowhere else."""

from __future__ import annotations

import io
import json
import re
import tarfile
from pathlib import Path

import pytest

from tests.e2e.conftest import CANARY
from tests.support.running import RunningStack


@pytest.fixture(scope="module")
def canaries(stack: RunningStack) -> list[str]:
    """Every secret value of the stack: the configured one and the generated ones."""
    generated = re.findall(r": (\S+)$", stack.run("password").text, re.MULTILINE)
    assert len(generated) >= 2
    return [CANARY, *generated]


def _clean(text: str, canaries: list[str], where: str) -> None:
    for canary in canaries:
        assert canary not in text, f"a secret stands in {where}"


def test_state_and_configuration_hold_no_secret(stack: RunningStack, canaries: list[str]) -> None:
    """No file of the backend, the working directory or the checkout holds a secret in clear."""
    places = (*stack.state.rglob("*"), *(stack.root / "configs").rglob("*"), *stack.root.glob("*.yaml"))
    files = [path for path in places if path.is_file()]
    assert any("backend" in p.parts for p in files)
    for path in files:
        _clean(path.read_text(errors="replace"), canaries, str(path))


def test_previews_hold_no_secret(stack: RunningStack, canaries: list[str]) -> None:
    """Neither the text nor the JSON of a preview holds a secret."""
    _clean(stack.run("preview").text, canaries, "the preview")
    _clean(stack.run("preview", "--json").text, canaries, "the preview as JSON")


def test_the_engine_shows_no_secret(stack: RunningStack, canaries: list[str]) -> None:
    """docker inspect (environment, labels, arguments included) and the logs of every container hold no secret."""
    for container in stack.containers():
        container.reload()
        _clean(json.dumps(container.attrs), canaries, f"docker inspect of {container.name}")
        _clean(container.logs().decode(errors="replace"), canaries, f"the log of {container.name}")


def test_rendered_documents_hold_no_secret(stack: RunningStack, canaries: list[str], tmp_path: Path) -> None:
    """`make render` writes no secret."""
    assert stack.run("render", "--output", str(tmp_path)).code == 0
    for path in tmp_path.rglob("*"):
        if path.is_file():
            _clean(path.read_text(), canaries, str(path))


def test_secret_files_are_tight(stack: RunningStack, canaries: list[str]) -> None:
    """On the engine a secret lies only in files of mode 0400 below /run/secrets, owned by their reader."""
    found = set()
    for carrier in stack.containers("secrets"):
        stream, _ = carrier.get_archive("/run/secrets")
        with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
            for member in (m for m in archive.getmembers() if m.isfile()):
                text = archive.extractfile(member).read().decode()  # type: ignore[union-attr]
                found |= {canary for canary in canaries if canary in text}
                assert member.mode & 0o777 == 0o400, member.name
                assert member.uid >= 20000, member.name
    assert found == set(canaries)


def test_containers_hold_no_other_copy(stack: RunningStack, canaries: list[str]) -> None:
    """The configuration directories of the services hold no secret."""
    for container in stack.containers("configure"):
        stream, _ = container.get_archive("/config")
        _clean(b"".join(stream).decode(errors="replace"), canaries, f"/config of {container.name}")
