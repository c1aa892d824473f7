"""The few calls of the Kubernetes API that the cluster makes for itself, with the standard library alone."""

from __future__ import annotations

import base64
import json
import ssl
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TIMEOUT_SECONDS = 5.0

Document = Mapping[str, Any]
"""A Kubernetes object or a list of them."""


@dataclass(frozen=True)
class Api:
    """An API server, its certificate authority in PEM, and a bearer token."""

    server: str
    authority: str
    token: str

    def get(self, path: str) -> Any:
        """The document at `path`. Raises OSError."""
        return json.loads(self.get_text(path))

    def get_text(self, path: str) -> str:
        """The answer at `path` as it is. Raises OSError."""
        return self._call("GET", path)

    def list_items(self, path: str) -> list[Document]:
        """The objects of the list at `path`. Raises OSError."""
        return list(self.get(path)["items"])

    def create(self, path: str, document: Document) -> None:
        """Create an object. Raises OSError."""
        self._call("POST", path, document)

    def patch(self, path: str, document: Document) -> None:
        """Merge `document` into the object at `path` (RFC 7396). Raises OSError."""
        self._call("PATCH", path, document, "application/merge-patch+json")

    def delete(self, path: str) -> None:
        """Delete the object at `path`. Raises OSError."""
        self._call("DELETE", path)

    def _call(self, method: str, path: str, body: Document | None = None, kind: str = "application/json") -> str:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.server + path, data, headers, method=method)  # noqa: S310 - our own server
        trust = ssl.create_default_context(cadata=self.authority)
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS, context=trust) as answer:  # noqa: S310
            return str(answer.read().decode())


def read_api(kubeconfig: Path) -> Api:
    """The API of a kubeconfig that `pki.render_kubeconfig` made."""
    document = json.loads(kubeconfig.read_text())
    cluster = document["clusters"][0]["cluster"]
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    return Api(cluster["server"], authority, document["users"][0]["user"]["token"])
