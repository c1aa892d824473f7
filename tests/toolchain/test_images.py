"""configs/images.yaml as the toolchain reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolchain.errors import ToolchainError
from toolchain.images import ImageSpec, load_images
from toolchain.recipes import RECIPES

NAMES = """
prometheus alertmanager loki jaeger oauth2-proxy promtail grafana dashboard-viewer traefik node-exporter
blackbox-exporter postgres-exporter redis-exporter cadvisor haproxy postgres redis busybox demo mcp backup
otel-collector kube-state-metrics
"""


def test_every_image_is_listed() -> None:
    """The file lists every image that components name, none floating."""
    images = load_images()
    assert sorted(images) == sorted(NAMES.split())
    assert not [i.name for i in images.values() if i.tag == "latest"]


def test_every_recipe_has_its_image() -> None:
    """Every recipe makes a listed image; an image without a recipe can only be pulled, and may be listed."""
    assert set(RECIPES) <= set(load_images())


def test_all_wrong_entries_are_told(tmp_path: Path) -> None:
    """Each wrong entry is named in one error."""
    file = tmp_path / "images.yaml"
    file.write_text(
        "images:\n  a: {repository: x, tag: 15}\n  b: {tag: v1}\n  c: text\n  d: {repository: x, tag: v, z: 1}\n"
        "  e: {repository: x, tag: v, targets: [nomad]}\n"
    )
    with pytest.raises(ToolchainError) as caught:
        load_images(file)
    for part in (
        "images.a: tag",
        "images.b: repository",
        "images.c: a mapping",
        "images.d: unknown keys ['z']",
        "images.e: targets",
    ):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("repository", "expected"),
    [
        ("traefik", ("registry-1.docker.io", "library/traefik")),
        ("prom/prometheus", ("registry-1.docker.io", "prom/prometheus")),
        ("ghcr.io/google/cadvisor", ("ghcr.io", "google/cadvisor")),
    ],
)
def test_registry_of_a_repository(repository: str, expected: tuple[str, str]) -> None:
    """A repository without a host lies on the engine's default registry, as engines read it."""
    assert ImageSpec("x", repository, "v1", None).registry == expected


@pytest.mark.parametrize(
    ("repository", "expected"),
    [
        ("traefik", "docker.io/library/traefik:v1"),
        ("prom/prometheus", "docker.io/prom/prometheus:v1"),
        ("ghcr.io/google/cadvisor", "ghcr.io/google/cadvisor:v1"),
    ],
)
def test_reference_is_the_whole_name(repository: str, expected: str) -> None:
    """A node knows an image by its whole name, whichever short one a pod gives."""
    assert ImageSpec("x", repository, "v1", None).reference == expected
