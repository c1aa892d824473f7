"""Images are named completely, by digest where one is known."""

from __future__ import annotations

from typing import Any

import pytest

from model.errors import ConfigError
from model.images import Image, ImagesFile, UpgradeNote, check_versions, hold_tags, list_held, parse_version
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
        {"repository": "prom/x", "tag": "latest"},
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


LOKI, GRAFANA = (
    Image(repository="grafana/loki", tag="3.7.8", digest=DIGEST),
    Image(repository="grafana/grafana", tag="1"),
)
IMAGES = {"loki": LOKI, "grafana": GRAFANA}


@pytest.mark.parametrize(
    ("tag", "version"),
    [("v3.15.0", (3, 15)), ("1.35.0-musl", (1, 35)), ("15.20", (15, 20)), ("v10", (10,)), ("0.0", ()), ("stable", ())],
)
def test_a_tag_has_a_version(tag: str, version: tuple[int, ...]) -> None:
    """Its first numbers, compared as numbers; zeros at the end are none."""
    assert parse_version(tag) == version
    assert parse_version("v3.9.0") < parse_version("v3.15.0") < parse_version("v3.15.1")


@pytest.mark.parametrize(
    ("reference", "tag"),
    [
        ("grafana/loki:3.7.7", "3.7.7"),
        ("127.0.0.1:5000/grafana/loki:3.7.7", "3.7.7"),
        (f"docker.io/grafana/loki:3.7.7@{DIGEST}", "3.7.7"),
        ("grafana/grafana:3.7.7", ""),
        ("other/xgrafana/loki:3.7.7", ""),
        ("grafana/loki", ""),
    ],
)
def test_a_tag_is_read_from_a_name(reference: str, tag: str) -> None:
    """From whatever registry; of another repository there is none."""
    assert LOKI.find_tag(reference) == tag


def test_notes_are_those_on_the_way() -> None:
    """From the version after the one that runs to the one that comes."""
    notes = tuple(UpgradeNote(version=v, summary="x", source="https://a.example") for v in ("2", "3", "3.7.8", "4"))
    image = LOKI.model_copy(update={"upgrades": notes})
    assert [note.version for note in image.list_notes("2.9.1")] == ["3", "3.7.8"]
    assert image.list_notes("3.7.8") == image.list_notes("v5") == []


def test_an_image_can_be_held() -> None:
    """Its tag is the one that is said, and the digest, which is that of another tag, is gone; others stay."""
    held = hold_tags(IMAGES, {"loki": "3.7.7"})
    assert held["loki"].reference(None) == "grafana/loki:3.7.7" and held["grafana"] is GRAFANA
    assert hold_tags(IMAGES, {"loki": "3.7.8"})["loki"] is LOKI  # the same, with its digest
    assert hold_tags(IMAGES, {"lok": "1"}) == IMAGES


def test_versions_of_no_image_are_refused() -> None:
    """With the name that is meant."""
    (problem,) = check_versions(IMAGES, {"lokki": "1", "grafana": "2"}, "Pulumi.dev.yaml")
    assert str(problem) == "Pulumi.dev.yaml: versions.lokki: there is no image of this name; did you mean 'loki'?"


def test_what_is_held_is_said() -> None:
    """What stays behind, and what is said in vain; what is said as it is anyway is not."""
    assert list_held(IMAGES, {"loki": "3.7.7", "grafana": "1"}, {"loki", "grafana"}) == [
        "loki stays at 3.7.7, as `versions` says; configs/images.yaml has 3.7.8"
    ]
    assert list_held(IMAGES, {"loki": "3.7.7"}, set()) == [
        "versions.loki has no effect: the stack does not run that image"
    ]
