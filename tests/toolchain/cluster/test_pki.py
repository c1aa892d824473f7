"""Certificates, tokens and kubeconfigs."""

from __future__ import annotations

import subprocess
from dataclasses import replace

from toolchain.cluster.api import read_api
from toolchain.cluster.layout import API_PORT, NODE_IP, Layout
from toolchain.cluster.pki import list_users, write_pki


def test_everything_is_signed_and_private(layout: Layout) -> None:
    """The API's certificate is signed by the authority, and no secret file can be read by others."""
    write_pki(layout, 40000)
    check = ["openssl", "verify", "-x509_strict", "-CAfile", f"{layout.pki}/ca.crt", f"{layout.pki}/api.crt"]
    assert subprocess.run(check, capture_output=True, check=False).returncode == 0
    secret = [
        layout.kubeconfig,
        layout.pki / "tokens.csv",
        *(layout.find_kubeconfig(user) for user in list_users(layout)),
    ]
    assert {file.stat().st_mode & 0o077 for file in secret} == {0}
    assert layout.pki.stat().st_mode & 0o077 == 0


def test_only_the_administrator_comes_from_outside(layout: Layout) -> None:
    """The host's kubeconfig has the host's port, the others an address that each node reaches; each has its token."""
    layout = replace(layout, node_count=2)
    write_pki(layout, 40000)
    assert read_api(layout.kubeconfig).server == "https://127.0.0.1:40000"
    assert read_api(layout.find_kubeconfig("kubelet-node2")).server == f"https://{NODE_IP}:{API_PORT}"
    tokens = {read_api(layout.find_kubeconfig(user)).token for user in list_users(layout)}
    assert len(tokens) == len(list_users(layout))
