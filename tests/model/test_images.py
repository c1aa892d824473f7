"""Images are named completely, by digest where one is known."""

from __future__ import annotations

from typing import Any

import pytest

from model.errors import ConfigError
from model.images import Image, ImagesFile
from model.load import parse_model, read_yaml
from tests.support.systems import ROOT

DIGEST = "sha256:" + "a" * 64


def test_a_reference_has_the_tag_and_the_digest() -> None:
    """The digest decides where one is known, and the tag stays readable beside it."""
    image = Image(repository="prom/prometheus", tag="v3", digest=DIGEST)
    assert image.reference(None) == f"prom/prometheus:v3@{DIGEST}"
    assert Image(repository="prom/prometheus", tag="v3").reference(None) == "prom/prometheus:v3"


def test_a_mirror_serves_the_upstream_name() -> None:
    """From a mirror the tag decides, as its images may have been built from source."""
    image = Image(repository="ghcr.io/google/cadvisor", tag="v1", digest=DIGEST)
    assert image.reference("localhost:5000") == "localhost:5000/ghcr.io/google/cadvisor:v1"


@pytest.mark.parametrize(
    "data",
    [
        {"repository": "Prom/x", "tag": "v1"},
        {"repository": "prom/", "tag": "v1"},
        {"repository": "", "tag": "v1"},
        {"repository": "prom/x", "tag": ""},
        {"repository": "prom/x", "tag": "-v1"},
        {"repository": "prom/x", "tag": "a/b"},
        {"repository": "prom/x", "tag": "v1", "digest": "sha256:abc"},
        {"repository": "prom/x", "tag": 1.1},
        {"repository": "prom/x"},
    ],
)
def test_what_no_engine_could_pull_is_refused(data: dict[str, Any]) -> None:
    """Names, tags and digests have the form that engines take."""
    with pytest.raises(ConfigError):
        parse_model(Image, data, "x")


def test_the_shipped_images_are_pinned() -> None:
    """Every image of configs/images.yaml has a tag that names one version."""
    images = parse_model(ImagesFile, read_yaml(ROOT / "configs" / "images.yaml"), "images").images
    assert images
    assert not [name for name, image in images.items() if image.tag in ("latest", "main", "master", "stable")]
