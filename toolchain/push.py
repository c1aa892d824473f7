"""Push an image by the registry HTTP API (https://distribution.github.io/distribution/spec/api/), without an engine."""

from __future__ import annotations

import http.client
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlencode, urlsplit

from toolchain.errors import ToolchainError
from toolchain.images import ImageSpec
from toolchain.oci import MANIFEST_TYPE, BuiltImage

TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True)
class Answer:
    """Status, headers in lower case, and body."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class RegistryClient:
    """A plain-HTTP registry at `address` (host:port)."""

    address: str

    def request(
        self, method: str, path: str, *, body: bytes | IO[bytes] | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """One request. Raises ToolchainError when nothing answers."""
        connection = http.client.HTTPConnection(self.address, timeout=TIMEOUT_SECONDS)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        except (OSError, http.client.HTTPException) as error:
            raise ToolchainError(
                f"the registry at {self.address} does not answer: {error}",
                advice="start it: python -m toolchain registry",
            ) from error
        finally:
            connection.close()

    def find_digest(self, spec: ImageSpec) -> str | None:
        """The digest under which the registry serves the image, or None when it does not."""
        path = f"/v2/{spec.repository}/manifests/{spec.tag}"
        answer = self.request("HEAD", path, headers={"Accept": MANIFEST_TYPE})
        return answer.headers.get("docker-content-digest") if answer.status == 200 else None

    def push(self, spec: ImageSpec, image: BuiltImage) -> bool:
        """Make the registry serve `image` as `spec`; False when it did already."""
        if self.find_digest(spec) == image.digest:
            return False
        for digest, file in image.blobs:
            self._push_blob(spec.repository, digest, file)
        path = f"/v2/{spec.repository}/manifests/{spec.tag}"
        _expect_status(
            self.request("PUT", path, body=image.manifest, headers={"Content-Type": MANIFEST_TYPE}), 201, path
        )
        return True

    def _push_blob(self, repository: str, digest: str, file: Path) -> None:
        if self.request("HEAD", f"/v2/{repository}/blobs/{digest}").status == 200:
            return
        start = f"/v2/{repository}/blobs/uploads/"
        answer = _expect_status(self.request("POST", start, headers={"Content-Length": "0"}), 202, start)
        location = urlsplit(answer.headers["location"])
        path = f"{location.path}?{location.query + '&' if location.query else ''}{urlencode({'digest': digest})}"
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(file.stat().st_size)}
        with file.open("rb") as data:
            _expect_status(self.request("PUT", path, body=data, headers=headers), 201, path)


def _expect_status(answer: Answer, status: int, path: str) -> Answer:
    if answer.status != status:
        raise ToolchainError(
            f"the registry answered {answer.status} instead of {status} to {path}: {answer.body[:300]!r}",
            advice="look at the registry's log (python -m toolchain status names it) and at the free disk space",
        )
    return answer
