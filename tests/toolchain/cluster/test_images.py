"""Images in the node: names, and that only changes are loaded."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from tests.support.yaml_files import read_yaml_documents
from toolchain.cluster.images import OWN, Loader, build_entry
from toolchain.cluster.layout import FIRST, Layout, Node, write_file
from toolchain.cluster.service import _ADDONS
from toolchain.images import ImageSpec, select_images
from toolchain.layer import Layer
from toolchain.oci import BuiltImage, ImageConfig, write_image

SPEC = ImageSpec("demo", "observability/demo", "0.1.0", None)


def image(directory: Path, text: str) -> BuiltImage:
    """An image with one file."""
    directory.mkdir()
    layer = Layer()
    layer.add_text("file", text)
    return write_image(directory, layer, ImageConfig(), "amd64")


def test_only_what_changed_is_loaded(tmp_path: Path) -> None:
    """The same image is loaded once, another one of the same name again, and no archive stays."""
    brought: list[str] = []

    def bring(archive: Path) -> None:
        with tarfile.open(archive) as tar:
            brought.extend(tar.getnames())

    first, second = image(tmp_path / "a", "1"), image(tmp_path / "b", "2")
    for made, expected in ((first, True), (first, False), (second, True)):
        loader = Loader(tmp_path / "scratch", tmp_path / "loaded.json", bring)
        assert loader.load(SPEC, made) is expected
    assert brought.count("layer.tar") == 2
    assert loader.read_loaded() == {"docker.io/observability/demo:0.1.0": second.digest}
    assert not list((tmp_path / "scratch").glob("*.tar"))


def test_a_failed_load_is_not_remembered(tmp_path: Path) -> None:
    """What the node refused is loaded again the next time."""

    def refuse(_: Path) -> None:
        raise OSError("no space")

    loader = Loader(tmp_path / "scratch", tmp_path / "loaded.json", refuse)
    with pytest.raises(OSError, match="no space"):
        loader.load(SPEC, image(tmp_path / "a", "1"))
    assert loader.read_loaded() == {}


def test_the_cluster_runs_the_images_that_it_loads() -> None:
    """The add-ons name the images of the cluster's own list."""
    text = "".join(path.read_text() for path in sorted(_ADDONS.iterdir()))
    used = {
        container["image"]
        for document in read_yaml_documents(text.replace("\napiVersion", "\n---\napiVersion"))
        if document and document["kind"] == "Deployment"
        for container in document["spec"]["template"]["spec"]["containers"]
    }
    assert used <= {spec.reference for spec in OWN}


def test_images_of_a_target() -> None:
    """What watches a cluster's objects is got for clusters alone."""
    assert "kube-state-metrics" not in select_images("docker")
    assert "kube-state-metrics" in select_images("kubernetes")
    assert "prometheus" in select_images("docker").keys() & select_images("kubernetes").keys()


def test_each_node_is_entered_by_its_own_process(layout: Layout) -> None:
    """A further node's process has its number in the first node's namespace, so the way to it is through that one."""
    layout.find_folder(Node(2)).mkdir()
    write_file(layout.namespace, "100\n")
    write_file(layout.find_holder(Node(2)), "7\n")
    first = build_entry(layout, FIRST)
    assert first[:3] == ["nsenter", "--target", "100"]
    assert build_entry(layout, Node(2))[: len(first) + 3] == [*first, "nsenter", "--target", "7"]
