"""The engine's host: whoever is told its name can reach it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from model.gateway import HOST, add_host_exemption, mentions_host
from model.workload import ConfigDir
from tests.support.workloads import AGENT, PLAIN


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        (f"http://{HOST}:8080/health", True),
        (f"{HOST}:5432/app", True),
        (f"targets: [{HOST}]", True),
        (f"my{HOST}:1", False),
        (f"{HOST}.example.com:1", False),
        ("host-docker-internal:1", False),
    ],
)
def test_the_name_is_found_in_addresses(text: str, asks: bool) -> None:
    """The name counts where it is a whole host, with or without port and path."""
    assert mentions_host("nothing", text) is asks


@pytest.mark.parametrize(
    "given",
    [
        {"args": (f"--url=http://{HOST}:1",)},
        {"env": {"ADDRESS": f"{HOST}:6379"}},
        {"config": ConfigDir(path="/etc/a", files={"a.yml": "a", "b/c.yml": f"[{HOST}:9090]"})},
    ],
)
def test_who_is_told_the_name_reaches_the_host(given: dict[str, object]) -> None:
    """An argument, a variable or a document with the name brings the exemption, once."""
    workload = replace(PLAIN, **given)  # type: ignore[arg-type]
    made = add_host_exemption(workload)
    assert [item.rule for item in made.exemptions] == ["host-gateway"]
    assert add_host_exemption(made) == made


def test_nobody_else_does() -> None:
    """Without the name nothing is added, and what was declared stays as it is."""
    assert add_host_exemption(PLAIN) is PLAIN and add_host_exemption(AGENT) is AGENT
