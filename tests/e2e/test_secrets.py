"""Secrets exist in their secret files and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import bcrypt
import pytest

from cli.engine import build_tool_env
from cli.render import plan_file
from tests.e2e.conftest import CANARY, configured
from tests.support.running import RunningStack


@pytest.fixture(scope="module")
def canaries(stack: RunningStack) -> list[str]:
    """The value of every secret that `make secrets` lists; what is made of others has theirs in it."""
    asked = plan_file(stack.stack_file, stack.name).secrets.values()
    generated, given = list(_generated(stack)), configured(stack)
    assert len(generated) + len(given) == len([secret for secret in asked if not secret.made])
    table = stack.run("secrets").text
    assert all(secret.name in table for secret in asked)
    return [*given.values(), *generated]


def _generated(stack: RunningStack) -> Iterator[str]:
    """The random values that Pulumi's state holds, decrypted."""
    state = json.loads(stack.pulumi("stack", "export", "--show-secrets"))
    for resource in state["deployment"]["resources"]:
        if resource["type"].endswith(":RandomPassword"):
            yield json.loads(resource["outputs"]["result"]["plaintext"])


def _clean(text: str, canaries: list[str], where: str) -> None:
    for canary in (CANARY, *canaries):
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


def test_logs_of_pulumi_hold_no_secret(stack: RunningStack, canaries: list[str]) -> None:
    """With --debug, which says why it does what it does; its flag --logtostderr prints every value, as docs say.

    Beside that it writes none.
    """
    text = stack.pulumi("preview", "--non-interactive", "--debug")
    assert "debug:" in text
    _clean(text, canaries, "Pulumi's log")
    # it would write one of each run, encrypted; see toolchain.pulumi_cli.stop_automatic_log
    assert (Path(build_tool_env()["PULUMI_HOME"]) / "logs").is_file()


def test_loki_holds_no_secret(stack: RunningStack, canaries: list[str]) -> None:
    """No line of any part of the stack has one, the requests that were signed in to included."""
    password = stack.password("access-admin-password")
    stack.get_text("traefik", f"http://admin:{password}@127.0.0.1:8080/prometheus/-/healthy")
    services = stack.get(stack.logs_reader, "http://127.0.0.1:3100/loki/api/v1/label/service/values")["data"]
    assert {"traefik", "alertmanager", "grafana", "prometheus"} <= set(services)
    for service in services:  # a query for the values would stand in Loki's log itself
        lines = stack.loki(f'{{service="{service}"}}', limit=5000)
        _clean("\n".join(lines), canaries, f"the lines of {service}")


def test_the_platform_shows_no_secret(stack: RunningStack, canaries: list[str]) -> None:
    """Descriptions (environment, labels, arguments included), documents and logs hold no secret."""
    count = 0
    for where, text in stack.shown():
        _clean(text, canaries, where)
        count += 1
    assert count > 20


def test_rendered_documents_hold_no_secret(stack: RunningStack, canaries: list[str], tmp_path: Path) -> None:
    """`make render` writes no secret."""
    assert stack.run("render", "--output", str(tmp_path)).code == 0
    for path in tmp_path.rglob("*"):
        if path.is_file():
            _clean(path.read_text(), canaries, str(path))


def test_secret_files_are_tight(stack: RunningStack, canaries: list[str]) -> None:
    """Every secret lies in a file below /run/secrets that its reader can read, nobody can write, and no other sees."""
    copies = list(stack.secret_copies())
    for copy in copies:
        assert copy.mode in (0o400, 0o440), copy  # on Kubernetes the reader is the group
        assert copy.owner >= 20000 or copy.mode == 0o440, copy
    hashes = [line.partition(":")[2] for copy in copies for line in copy.text.splitlines() if ":$2b$" in line]
    assert hashes, "those of the entry point are no passwords any more"
    for canary in canaries:
        if not any(canary in copy.text for copy in copies):
            assert any(bcrypt.checkpw(canary.encode(), known.encode()) for known in hashes), "a secret has no reader"
