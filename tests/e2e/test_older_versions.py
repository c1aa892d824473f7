"""Each part with data from the version before to the deployed one, while samples and lines come in: nothing is lost.

The older programs are compiled, which takes minutes the first time; hence a make target of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.test_versions import Images, Known, hold, remember, tags
from tests.support.older import OLDER
from tests.support.running import Engine, RunningStack
from tests.support.waiting import eventually

pytestmark = [pytest.mark.docker_engine, pytest.mark.local_engine]

VERSIONS = {each.image: each.tag for each in OLDER}
SAID = {
    "prometheus": 'prometheus_build_info{version="3.14.0"}',
    "alertmanager": 'alertmanager_build_info{version="0.31.0"}',
}
"""What each says of itself."""


@pytest.fixture(scope="module")
def stack(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A stack that ran the versions before from its first day."""
    own = RunningStack(tmp_path_factory.mktemp("older"), "e2e-older", engine, ports=28520)
    images = Images(own)
    try:
        own.up()
        for each in OLDER:
            images.make(each.image, each.tag, each.make(), each.path)
        own.run("down", "--purge")
        hold(own, **{name.replace("-", "_"): tag for name, tag in VERSIONS.items()})
        own.up()
        yield own
    finally:
        own.discard()
        images.remove()


@pytest.fixture(scope="module")
def known(stack: RunningStack) -> Known:
    """What the older versions have stored."""
    for query in SAID.values():
        eventually(lambda query=query: stack.prom(query), timeout=60, what=query)  # type: ignore[misc]
    return remember(stack)


def test_every_part_is_upgraded_and_keeps_what_it_has(stack: RunningStack, known: Known) -> None:
    """One after the other; sums of all metrics and silences are the same, and each says its new version."""
    assert tags(stack) == VERSIONS
    stack.edit_settings(lambda config: config.pop("versions"))
    run = stack.run("upgrade", "--without-backup", timeout=1200)
    print(run.text[-6000:])
    assert run.code == 0, run.text[-6000:]
    assert tags(stack) == {}
    known.check(stack)
    eventually(lambda: not any(stack.prom(query) for query in SAID.values()), timeout=400, what="other versions")


def test_what_is_newer_is_not_taken_back_over_data(stack: RunningStack, known: Known) -> None:
    """An older version that the stack's file asks for is refused for what has data, before anything is touched."""
    before = stack.identities()
    hold(stack, prometheus=VERSIONS["prometheus"])
    run = stack.run("upgrade", "--without-backup")
    assert run.code == 2 and "is newer than v3.14.0, which may not read its data" in " ".join(run.text.split())
    assert stack.identities() == before
