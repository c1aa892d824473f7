"""Certificates, tokens and kubeconfigs."""

from __future__ import annotations

import json
import subprocess

from toolchain.cluster.api import read_api
from toolchain.cluster.layout import API_PORT, Layout
from toolchain.cluster.pki import USERS, write_pki


def test_everything_is_signed_and_private(layout: Layout) -> None:
    """The API's certificate is signed by the authority, and no secret file can be read by others."""
    write_pki(layout, 40000)
    check = ["openssl", "verify", "-x509_strict", "-CAfile", f"{layout.pki}/ca.crt", f"{layout.pki}/api.crt"]
    assert subprocess.run(check, capture_output=True, check=False).returncode == 0
    secret = [layout.kubeconfig, layout.pki / "tokens.csv", *(layout.find_kubeconfig(user) for user in USERS)]
    assert {file.stat().st_mode & 0o077 for file in secret} == {0}
    assert layout.pki.stat().st_mode & 0o077 == 0


def test_only_the_administrator_comes_from_outside(layout: Layout) -> None:
    """The host's kubeconfig has the host's port, the others the cluster's own; each user has its own token."""
    write_pki(layout, 40000)
    assert read_api(layout.kubeconfig).server == "https://127.0.0.1:40000"
    assert read_api(layout.find_kubeconfig("kubelet")).server == f"https://127.0.0.1:{API_PORT}"
    assert len({json.loads(layout.find_kubeconfig(u).read_text())["users"][0]["user"]["token"] for u in USERS}) == len(
        USERS
    )
