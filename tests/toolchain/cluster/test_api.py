"""The API as it is read from a kubeconfig."""

from __future__ import annotations

import pytest

from toolchain.cluster.api import Api, read_api
from toolchain.cluster.layout import Layout
from toolchain.cluster.pki import render_kubeconfig, write_pki


def test_kubeconfig_is_read_back(layout: Layout) -> None:
    """Server, authority and token are those that were written."""
    layout.kubeconfig.write_text(render_kubeconfig("-----BEGIN", "secret", "127.0.0.1:1234"))
    assert read_api(layout.kubeconfig) == Api("https://127.0.0.1:1234", "-----BEGIN", "secret")


def test_a_server_that_does_not_answer_is_an_os_error(layout: Layout) -> None:
    """Whoever waits for the API can tell `not yet` from a mistake."""
    write_pki(layout, 1)
    with pytest.raises(OSError, match="refused"):
        read_api(layout.kubeconfig).get("/readyz")
