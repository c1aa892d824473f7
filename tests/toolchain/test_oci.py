"""Images in a directory: documents that agree with each other, and the archive that an engine loads."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

from toolchain.layer import Layer, compute_file_digest
from toolchain.oci import BuiltImage, ImageConfig, compute_digest, write_image

CONFIG = ImageConfig(entrypoint=("/bin/x",), user="65534", ports=("80/tcp",), labels={"a": "b"})


def image(directory: Path) -> BuiltImage:
    """An image of one file."""
    directory.mkdir()
    layer = Layer()
    layer.add_text("hello", "hi")
    return write_image(directory, layer, CONFIG, "amd64")


def test_documents_name_each_other_by_digest(tmp_path: Path) -> None:
    """The manifest names the config and the layer as they lie there; the config names the layer."""
    built = image(tmp_path / "i")
    config = (tmp_path / "i" / "config.json").read_bytes()
    blobs = dict(built.blobs)
    assert set(blobs) == {compute_digest(config), compute_file_digest(tmp_path / "i" / "layer.tar")}
    assert json.loads(config)["rootfs"]["diff_ids"] == [compute_file_digest(tmp_path / "i" / "layer.tar")]
    assert json.loads(built.manifest)["config"]["size"] == len(config)


def test_same_inputs_same_digest(tmp_path: Path) -> None:
    """Two builds of one image have one digest."""
    assert image(tmp_path / "a").digest == image(tmp_path / "b").digest


def test_config_leaves_out_what_is_not_set() -> None:
    """An absent command or working directory is absent in the document, not empty."""
    config = CONFIG.build_document("amd64", "sha256:0")["config"]
    assert isinstance(config, dict)
    assert config["Entrypoint"] == ["/bin/x"]
    assert not {"Cmd", "WorkingDir"} & set(config)


def test_archive_is_loadable(tmp_path: Path) -> None:
    """The archive holds an index with the reference, the config and the layer."""
    built = image(tmp_path / "i")
    (tmp_path / "out").mkdir()
    built.write_archive("observability/x:1", tmp_path / "out" / "image.tar")
    with tarfile.open(tmp_path / "out" / "image.tar") as tar:
        names = set(tar.getnames())
        index = json.load(tar.extractfile("manifest.json"))  # type: ignore[arg-type]
    assert index[0]["RepoTags"] == ["observability/x:1"]
    assert {index[0]["Config"], *index[0]["Layers"]} <= names
