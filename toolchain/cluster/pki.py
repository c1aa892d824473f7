"""Keys, certificates, tokens and kubeconfigs of one run of the cluster; none outlives it."""

from __future__ import annotations

import base64
import json
import secrets
from pathlib import Path

from toolchain.cluster.layout import API_IP, API_PORT, NODE_IP, Layout, write_file
from toolchain.run import run_command

DAYS = "30"
"""Longer than any test or trial; a cluster that is started again has new ones."""
_DNS = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)
_SIGNER = "authorityKeyIdentifier=keyid\n"
"""Strict clients, such as Python from 3.13 on, refuse a certificate that does not name its signer."""
USERS = {
    "admin": ("admin", "system:masters"),
    "controllers": ("system:kube-controller-manager", ""),
    "scheduler": ("system:kube-scheduler", ""),
    "proxy": ("system:kube-proxy", ""),
    "policies": ("kube-router", "system:masters"),
}
"""User and group by the name of the kubeconfig (https://kubernetes.io/docs/reference/access-authn-authz/rbac/)."""


def list_users(layout: Layout) -> dict[str, tuple[str, str]]:
    """Those above, and each node's kubelet."""
    return USERS | {f"kubelet-{node.name}": (f"system:node:{node.name}", "system:nodes") for node in layout.nodes}


def write_pki(layout: Layout, port: int) -> None:
    """Write everything; `port` is the API's on the host."""
    layout.pki.mkdir(mode=0o700)
    _write_authority(layout.pki, "ca", "observability-cluster")
    _write_authority(layout.pki, "front-ca", "observability-cluster-front")
    _write_certificate(
        layout.pki, "api", "ca", "/O=system:masters/CN=kube-apiserver", render_extensions(NODE_IP, API_IP)
    )
    _write_certificate(
        layout.pki, "front", "front-ca", "/CN=front-proxy-client", f"extendedKeyUsage=clientAuth\n{_SIGNER}"
    )
    _write_key(layout.pki / "accounts.key")
    run_command(["openssl", "ec", "-in", f"{layout.pki}/accounts.key", "-pubout", "-out", f"{layout.pki}/accounts.pub"])
    _write_tokens(layout, port)


def render_extensions(*addresses: str) -> str:
    """The API server's certificate extensions: every name it is reached by, and that it is a client of the kubelet."""
    names = [*(f"DNS:{name}" for name in _DNS), *(f"IP:{address}" for address in ("127.0.0.1", *addresses))]
    return f"subjectAltName={','.join(names)}\nextendedKeyUsage=serverAuth,clientAuth\n{_SIGNER}"


def render_kubeconfig(authority: str, token: str, server: str) -> str:
    """A kubeconfig, as JSON, which is YAML; `authority` is the certificate in PEM, `server` an address with a port."""
    name = "observability"
    data = base64.b64encode(authority.encode()).decode()
    cluster = {"server": f"https://{server}", "certificate-authority-data": data}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
    }
    return json.dumps(document, indent=2) + "\n"


def _write_tokens(layout: Layout, port: int) -> None:
    authority = (layout.pki / "ca.crt").read_text()
    rows = []
    for name, (user, group) in list_users(layout).items():
        token = secrets.token_hex(16)
        rows.append(f'{token},{user},{user},"{group}"\n')
        write_file(layout.find_kubeconfig(name), render_kubeconfig(authority, token, f"{NODE_IP}:{API_PORT}"))
        if name == "admin":
            write_file(layout.kubeconfig, render_kubeconfig(authority, token, f"127.0.0.1:{port}"))
    write_file(layout.pki / "tokens.csv", "".join(rows))


def _write_key(path: Path) -> None:
    run_command(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(path)])


def _write_authority(folder: Path, name: str, common: str) -> None:
    key = folder / f"{name}.key"
    _write_key(key)
    usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
    options = [*usage, "-subj", f"/CN={common}", "-days", DAYS, "-out", str(folder / f"{name}.crt")]
    run_command(["openssl", "req", "-x509", "-new", "-key", str(key), *options])


def _write_certificate(folder: Path, name: str, authority: str, subject: str, extension: str) -> None:
    key, request, extended = (folder / f"{name}.{kind}" for kind in ("key", "csr", "ext"))
    _write_key(key)
    write_file(extended, extension)
    run_command(["openssl", "req", "-new", "-key", str(key), "-subj", subject, "-out", str(request)])
    signer = ["-CA", f"{folder}/{authority}.crt", "-CAkey", f"{folder}/{authority}.key", "-CAcreateserial"]
    options = ["-days", DAYS, "-extfile", str(extended), "-out", str(folder / f"{name}.crt")]
    run_command(["openssl", "x509", "-req", "-in", str(request), *signer, *options])
