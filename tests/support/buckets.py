"""A bucket on a real server of the S3 protocol that demands signatures, in the network of a cluster or of this host."""

from __future__ import annotations

import hashlib
import hmac
import socket
import ssl
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import trustme
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.s3.models import s3_backends
from werkzeug.serving import make_server

from tests.support.networks import on_node
from toolchain.cluster.layout import NODE_IP

ACCOUNT = "123456789012"


class _Quiet(MotoRequestHandler):
    """Prints no line for each request."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing."""


class BucketServer:
    """A server with one bucket, that answers only who signs with the key.

    Args:
        bucket: the bucket's name.
        key_id: name of the access key.
        secret: the access key's secret half.
        kubeconfig: that of the cluster in whose network it listens; this host's own when absent.
        host: the address of this host at which it listens then; loopback when absent.
        tls: speaks TLS, with a certificate that an authority of its own signs.

    Attributes:
        endpoint: `host:port` for those who use it.
        url: the same with its scheme.
        authority: PEM text of who signed its certificate; "" without TLS.
        refused: requests that were not signed as they should be: method and path.
    """

    def __init__(
        self,
        bucket: str,
        key_id: str,
        secret: str,
        kubeconfig: Path | None = None,
        *,
        host: str = "127.0.0.1",
        tls: bool = False,
    ) -> None:
        self.bucket, self._key_id, self._secret = bucket, key_id, secret
        self.refused: list[str] = []
        listener = _listener(kubeconfig, host)
        host, port = listener.getsockname()
        self.endpoint = f"{host}:{port}"
        self.url = f"{'https' if tls else 'http'}://{self.endpoint}"
        self.authority, certificate = _issue_certificate(host) if tls else ("", None)
        self._app = DomainDispatcherApplication(create_backend_app)
        self._server = make_server(
            host,
            port,
            self._judged,
            threaded=True,
            fd=listener.fileno(),
            request_handler=_Quiet,
            ssl_context=certificate,
        )
        listener.close()
        s3_backends[ACCOUNT]["aws"].create_bucket(bucket, "us-east-1")
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends the server and forgets the bucket."""
        self._server.shutdown()
        self._thread.join()
        s3_backends[ACCOUNT]["aws"].reset()

    def keys(self) -> list[str]:
        """Names of all objects in the bucket."""
        return sorted(s3_backends[ACCOUNT]["aws"].buckets[self.bucket].keys.keys())

    def read(self, key: str) -> bytes:
        """The content of an object."""
        return bytes(s3_backends[ACCOUNT]["aws"].buckets[self.bucket].keys[key].value)

    def remove(self, key: str) -> None:
        """Loses an object, as a person or a rule of the bucket does."""
        s3_backends[ACCOUNT]["aws"].delete_object(self.bucket, key)

    def write(self, key: str, content: bytes) -> None:
        """Puts an object there."""
        s3_backends[ACCOUNT]["aws"].put_object(self.bucket, key, content)

    def _judged(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if not signed(environ, self._key_id, self._secret):
            self.refused.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
            start_response("403 Forbidden", [("Content-Type", "application/xml")])
            return [b"<Error><Code>SignatureDoesNotMatch</Code></Error>"]
        return list(self._app(environ, start_response))


def _issue_certificate(host: str) -> tuple[str, ssl.SSLContext]:
    """PEM text of a new authority, and what serves TLS with a certificate of it for an address."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    return authority.cert_pem.bytes().decode(), context


def signed(environ: Mapping[str, Any], key_id: str, secret: str) -> bool:
    """Whether a request's headers are signed with the key.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
    """
    kind, _, rest = str(environ.get("HTTP_AUTHORIZATION", "")).partition(" ")
    given = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    name, _, scope = given.get("Credential", "").partition("/")
    if (kind, name) != ("AWS4-HMAC-SHA256", key_id):
        return False
    path, _, query = str(environ["REQUEST_URI"]).partition("?")
    headers = given["SignedHeaders"].split(";")
    canonical = "\n".join(
        [
            environ["REQUEST_METHOD"],
            quote(unquote(path), safe="/~"),
            "&".join(sorted(pair if "=" in pair else f"{pair}=" for pair in query.split("&") if pair)),
            *(f"{header}:{' '.join(_header(environ, header).split())}" for header in headers),
            "",
            given["SignedHeaders"],
            _header(environ, "x-amz-content-sha256"),
        ]
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{_header(environ, 'x-amz-date')}\n{scope}\n{digest}"
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.compare_digest(hmac.new(key, text.encode(), "sha256").hexdigest(), given["Signature"])


def _header(environ: Mapping[str, Any], name: str) -> str:
    key = name.upper().replace("-", "_")
    return str(environ.get(key if key in ("CONTENT_LENGTH", "CONTENT_TYPE") else f"HTTP_{key}", ""))


def _listener(kubeconfig: Path | None, host: str) -> socket.socket:
    """A socket on a free port of the cluster's node, or of an address of this host."""
    if kubeconfig is None:
        return socket.create_server((host, 0))
    return on_node(kubeconfig, lambda: socket.create_server((NODE_IP, 0)))
