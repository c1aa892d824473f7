"""Images written without an engine: one layer, a config and a manifest, in a directory.

Formats: https://github.com/opencontainers/image-spec/blob/main/config.md and
https://distribution.github.io/distribution/spec/manifest-v2-2/ (which every engine since 1.10 reads).
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

from toolchain.layer import Layer

MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG_TYPE = "application/vnd.docker.container.image.v1+json"
_LAYER_TYPE = "application/vnd.docker.image.rootfs.diff.tar"
# Layers stay uncompressed: they travel to this machine only, and gzip would cost a minute of processor time.


@dataclass(frozen=True)
class ImageConfig:
    """How a container of the image starts, as in a Dockerfile."""

    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    user: str = ""
    workdir: str = ""
    env: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)

    def build_document(self, arch: str, layer_digest: str) -> dict[str, object]:
        """The image config document for `arch` (Go's word) and one layer."""
        config: dict[str, object] = {
            "Env": list(self.env),
            "Labels": self.labels,
            "ExposedPorts": {port: {} for port in self.ports},
        }
        optional = {"Entrypoint": list(self.entrypoint), "Cmd": list(self.command), "User": self.user}
        config |= {k: v for k, v in {**optional, "WorkingDir": self.workdir}.items() if v}
        return {
            "architecture": arch,
            "os": "linux",
            "created": "1970-01-01T00:00:00Z",
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [layer_digest]},
            "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "toolchain"}],
        }


@dataclass(frozen=True)
class BuiltImage:
    """An image in a directory: manifest.json, config.json and layer.tar."""

    directory: Path

    @property
    def manifest(self) -> bytes:
        """The manifest as it is pushed; its sha256 is the image's digest."""
        return (self.directory / "manifest.json").read_bytes()

    @property
    def digest(self) -> str:
        """The image's digest, sha256:<hex>."""
        return compute_digest(self.manifest)

    @property
    def blobs(self) -> list[tuple[str, Path]]:
        """Digest and file of the layer and the config, in the order in which they are pushed."""
        document = json.loads(self.manifest)
        layer = document["layers"][0]["digest"], self.directory / "layer.tar"
        return [layer, (document["config"]["digest"], self.directory / "config.json")]

    def write_archive(self, reference: str, out: Path) -> None:
        """Write the archive that `docker load` reads, with the name `reference`, to `out`."""
        index = [{"Config": "config.json", "RepoTags": [reference], "Layers": ["layer.tar"]}]
        (out.parent / "manifest.json").write_text(json.dumps(index))
        with tarfile.open(out, "w") as tar:
            tar.add(self.directory / "config.json", "config.json")
            tar.add(self.directory / "layer.tar", "layer.tar")
            tar.add(out.parent / "manifest.json", "manifest.json")


def write_image(directory: Path, layer: Layer, config: ImageConfig, arch: str) -> BuiltImage:
    """Write the image of `layer` and `config` into `directory`."""
    tar = directory / "layer.tar"
    layer_digest = layer.write(tar)
    document = _encode_document(config.build_document(arch, layer_digest))
    (directory / "config.json").write_bytes(document)
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": {"mediaType": _CONFIG_TYPE, "size": len(document), "digest": compute_digest(document)},
        "layers": [{"mediaType": _LAYER_TYPE, "size": tar.stat().st_size, "digest": layer_digest}],
    }
    (directory / "manifest.json").write_bytes(_encode_document(manifest))
    return BuiltImage(directory)


def compute_digest(data: bytes) -> str:
    """The digest of `data` as registries write it: sha256:<hex>."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _encode_document(document: object) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
