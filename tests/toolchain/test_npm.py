"""Packages of npm: nothing unverified is taken, and each lies where its lock file says."""

from __future__ import annotations

import base64
import hashlib
import http.server
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.serving import serving
from tests.toolchain.conftest import MakeContext
from toolchain import npm
from toolchain.errors import ToolchainError
from toolchain.npm import NpmPackages


def build_package(top: str, text: str) -> bytes:
    """A package as the registry serves it, below a folder that is not always called package."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        info = tarfile.TarInfo(f"{top}/index.js")
        info.size = len(text)
        tar.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


PACKAGES = {
    "node_modules/a": ("1.0.0", "/a/-/a-1.0.0.tgz", build_package("package", "a1")),
    "node_modules/@scope/b": ("2.0.0", "/@scope/b/-/b-2.0.0.tgz", build_package("b", "b2")),
    "node_modules/@scope/b/node_modules/a": ("3.0.0", "/a/-/a-3.0.0.tgz", build_package("package", "a3")),
}


@pytest.fixture
def registry() -> Iterator[str]:
    """The address of a registry that has these packages."""
    served = {path: data for _, path, data in PACKAGES.values()}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path in served else 404)
            self.end_headers()
            self.wfile.write(served.get(self.path, b""))

        def log_message(self, *_: object) -> None:
            pass

    with serving(Handler) as address:
        yield f"http://{address}"


def write_lock(folder: Path, **changed: str) -> None:
    """A lock file of these packages, with another hash for some of them."""
    hashes = {
        path: base64.b64encode(hashlib.sha512(data).digest()).decode() for path, (_, _, data) in PACKAGES.items()
    } | changed
    entries = {path: {"version": PACKAGES[path][0], "integrity": f"sha512-{hash}"} for path, hash in hashes.items()}
    target = folder / "npm/few/package-lock.json"
    target.parent.mkdir(parents=True)
    target.write_text(json.dumps({"packages": {"": {"dependencies": {"a": "1.0.0"}}, **entries}}))


def test_each_lies_where_the_lock_says(
    make_context: MakeContext, registry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also two versions of one package, and one that is below another."""
    monkeypatch.setattr(npm, "HERE", tmp_path)
    write_lock(tmp_path)
    made = NpmPackages("few").ensure(make_context(npm_config_registry=registry))
    texts = {path: (made / path / "index.js").read_text() for path in PACKAGES}
    assert list(texts.values()) == ["a1", "b2", "a3"]
    assert [path.name for path in made.iterdir() if path.is_dir()] == ["node_modules"]
    assert NpmPackages("few").describe() == "npm a@1.0.0"


def test_another_package_is_refused(
    make_context: MakeContext, registry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One whose hash is not the locked one; one that is not served is said with its address."""
    monkeypatch.setattr(npm, "HERE", tmp_path)
    write_lock(tmp_path, **{"node_modules/a": "AAAA"})
    with pytest.raises(ToolchainError, match=r"a-1\.0\.0\.tgz: sha512 is .*, and AAAA is locked"):
        NpmPackages("few").ensure(make_context(npm_config_registry=registry))
    with pytest.raises(ToolchainError, match="none/a/-/a-1"):
        NpmPackages("few").ensure(make_context(npm_config_registry=f"{registry}/none"))
