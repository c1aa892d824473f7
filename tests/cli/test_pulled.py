"""Images that an engine lacks."""

from __future__ import annotations

from typing import Any

import pytest
from docker.errors import APIError, ImageNotFound

from cli.pulled import build_refusal, find_registry, pull_images

DENIED = "pull access denied for grafana/loki"


class FakeImages:
    """An engine's images: it has some, and registries refuse others."""

    def __init__(self, *present: str, refused: tuple[str, ...] = ()) -> None:
        self.present, self.refused, self.pulled = present, refused, list[str]()

    @property
    def images(self) -> FakeImages:
        """As a client has them."""
        return self

    def get(self, reference: str) -> object:
        """One that is there."""
        if reference not in self.present:
            raise ImageNotFound(reference)
        return object()

    def pull(self, reference: str) -> None:
        """One that is not."""
        if reference in self.refused:
            raise APIError("500 Server Error", explanation=DENIED)
        self.pulled.append(reference)


def test_what_is_there_is_not_pulled() -> None:
    """The others are, and who was refused is named with the registry's words."""
    client: Any = FakeImages("traefik:v3", refused=("grafana/loki:3.7",))
    assert pull_images(client, ["traefik:v3", "grafana/loki:3.7", "prom/prometheus:v3"]) == {"grafana/loki:3.7": DENIED}
    assert client.pulled == ["prom/prometheus:v3"]


@pytest.mark.parametrize(
    ("reference", "registry"),
    [
        ("traefik:v3", "docker.io"), ("grafana/loki:3.7", "docker.io"), ("quay.io/a/b:1", "quay.io"),
        ("127.0.0.1:5000/grafana/loki:3.7", "127.0.0.1:5000"), ("localhost/x:1", "localhost"),
    ],
)  # fmt: skip
def test_the_registry_is_known_by_the_name(reference: str, registry: str) -> None:
    """As engines read names."""
    assert find_registry(reference) == registry


def test_a_registry_that_refuses_is_one_sentence() -> None:
    """However many images it refuses: which, its answer, and the key that would help."""
    refused = {f"grafana/{name}:1": DENIED for name in ("a", "b", "c", "d", "e")} | {"quay.io/x:1": "no such host"}
    first, second = (str(problem) for problem in build_refusal("dev", refused, {}).problems)
    assert first.startswith("registry docker.io: grafana/a:1, grafana/b:1, grafana/c:1, grafana/d:1 and 1 more cannot")
    assert DENIED in first and "Pulumi.dev.yaml: docker.registryMirror" in first
    assert second.startswith("registry quay.io: quay.io/x:1 cannot be pulled (no such host)")


def test_a_mirror_of_this_machine_is_named() -> None:
    """With a backend of one's own nobody adds it to the stack's file."""
    added = {"docker": {"registryMirror": "127.0.0.1:5000"}, "grafana": {"image": "dashboard-viewer"}}
    (problem,) = build_refusal("dev", {"grafana/loki:1": DENIED}, added).problems
    assert str(problem).endswith(
        "write into Pulumi.dev.yaml observability:docker: {registryMirror: 127.0.0.1:5000}"
        " and observability:grafana: {image: dashboard-viewer}"
    )
