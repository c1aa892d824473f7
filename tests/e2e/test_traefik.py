"""deliver.sh and the real Traefik: what it reports is what it runs, though it says of no file that it refused it.

Source: https://doc.traefik.io/traefik/providers/file/; the time of its last reload moves only when the parsed content
differs.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from components.traefik.settings import INTERNAL_PORT, PORT
from model.workload import ConfigDir, Reload
from tests.support.alerting import free_port
from tests.support.delivering import Volume
from tests.support.planned import workload
from tests.support.systems import plan_shop
from tests.support.waiting import eventually
from toolchain import validators
from toolchain.context import build_default_context


class Traefik:
    """A Traefik of the deployed version with the deployed arguments, and the volume that it reads."""

    def __init__(self, folder: Path) -> None:
        self.volume = Volume(folder, name="traefik")
        self.program = str(validators.ensure_validator(build_default_context(), "traefik", pinned=True))
        self.web, internal = free_port(), free_port()
        planned = workload(plan_shop(folder, settings={"access": '{"login": "none"}'}), "traefik")
        assert planned.config is not None and planned.config.reload is not None
        self.config: ConfigDir = planned.config
        self.reload: Reload = replace(planned.config.reload, port=internal, timeout=5)
        moved = {f":{PORT}": f"127.0.0.1:{self.web}", f":{INTERNAL_PORT}": f"127.0.0.1:{internal}"}
        self.arguments = [self._here(argument, moved) for argument in planned.args]

    def _here(self, argument: str, moved: Mapping[str, str]) -> str:
        for before, after in moved.items():
            if argument.endswith(f"={before}"):
                return argument.removesuffix(before) + after
        return argument.replace(self.config.path, str(self.volume.config))

    def deliver(self, revision: str, files: Mapping[str, str], *, validated: bool = True) -> tuple[int, str]:
        """Exit status and words of a delivery, judged by a second Traefik first as in a deployment."""
        words = [word.replace("{dir}", f"{self.volume.config}/.rev-{revision}") for word in self.config.validate]
        judge = {
            "VALIDATE": shlex.join([self.program, *words[1:]]),
            "VALIDATE_SECONDS": str(self.config.validate_seconds),
            "VALIDATE_MARKER": self.config.validate_marker,
            "VALIDATE_IGNORE": self.config.validate_ignore or "",
        }
        done = self.volume.deliver(revision, files, self.reload, **(judge if validated else {}))
        return done.returncode, done.stdout

    def status(self, path: str) -> int:
        """What a request at the entry point is answered; 0 while Traefik waits for a part that is not there."""
        try:
            return int(urlopen(f"http://127.0.0.1:{self.web}{path}", timeout=5).status)
        except HTTPError as error:
            return error.code
        except TimeoutError:
            return 0


@pytest.fixture
def traefik(tmp_path: Path) -> Iterator[Traefik]:
    """One that runs its first routes."""
    made = Traefik(tmp_path)
    assert made.deliver("first", made.config.files)[0] == 0
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen([made.program, *made.arguments], stdout=log, stderr=log)
    eventually(lambda: made.status("/traefik/dashboard/") == 200, timeout=30, what="Traefik serves its dashboard")
    yield made
    process.terminate()
    process.wait()


def edited(traefik: Traefik, old: str, new: str) -> dict[str, str]:
    """The routes with one text in the place of another."""
    text = traefik.config.files["routes.yml"]
    assert old in text
    return {**traefik.config.files, "routes.yml": text.replace(old, new)}


def test_what_traefik_runs_already_is_live(traefik: Traefik) -> None:
    """The same routes again, and routes that differ by a comment: its last reload does not move for either."""
    assert traefik.deliver("first", traefik.config.files) == (0, "traefik: revision first is live\n")
    commented = edited(traefik, "http:\n", "# by hand\nhttp:\n")
    assert traefik.deliver("commented", commented) == (0, "traefik: revision commented is live\n")


def test_new_routes_are_live_and_old_ones_again(traefik: Traefik) -> None:
    """There and back: what Traefik reports changes with what it does."""
    reported = traefik.config.files["revision"].split()[1]
    files = {name: text.replace(reported, "r-000000000000") for name, text in traefik.config.files.items()}
    files["routes.yml"] = files["routes.yml"].replace("`/traefik`", "`/elsewhere`")
    assert traefik.deliver("moved", files) == (0, "traefik: revision moved is live\n")
    assert traefik.status("/traefik/dashboard/") != 200
    assert traefik.deliver("first", traefik.config.files) == (0, "traefik: revision first is live\n")
    assert traefik.status("/traefik/dashboard/") == 200


def test_routes_that_traefik_refuses_are_taken_back(traefik: Traefik) -> None:
    """Its validator refuses them; and where that did not, Traefik never reports them and the old ones stay in force."""
    broken = {**edited(traefik, "http:\n", "http: [\n"), "revision": "X-Revision: r-000000000000\n"}
    code, words = traefik.deliver("broken", broken)
    assert code == 1 and "ERR" in words
    code, words = traefik.deliver("broken", broken, validated=False)
    assert code == 1
    assert "does not confirm it within 5 s" in words and "the previous configuration is in force" in words
    assert traefik.config.files["revision"].strip() in words, "what it reports instead is said"
    assert traefik.status("/traefik/dashboard/") == 200
    assert traefik.deliver("first", traefik.config.files)[0] == 0
