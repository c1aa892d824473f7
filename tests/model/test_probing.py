"""How health endpoints are asked: the exporter's own words, and what is left out of a path."""

from __future__ import annotations

import pytest

from model.probing import USUAL_PROBE, Probe, get_path, is_path


@pytest.mark.parametrize(
    ("endpoint", "path", "whole"),
    [("/a/b?c=d", "/a/b", False), ("/", "/", False), ("http://h", "/", True), ("https://h:1/x?y", "/x", True)],
)
def test_paths_and_addresses(endpoint: str, path: str, whole: bool) -> None:
    """An address is known by its scheme, and both have a path without a query."""
    assert (get_path(endpoint), is_path(endpoint)) == (path, not whole)


def test_what_is_not_said_is_left_to_the_exporter() -> None:
    """A redirect is an answer, and an address is IPv4 where there are both."""
    assert USUAL_PROBE.build_module() == {"preferred_ip_protocol": "ip4", "follow_redirects": False}
    assert Probe.model_validate({"tls": {"unverifiedBecause": "it signs for itself"}}).build_module("/x")[
        "tls_config"
    ] == {"insecure_skip_verify": True}


def test_a_service_says_what_is_otherwise() -> None:
    """Key by key."""
    every = Probe.model_validate({"port": 1, "host": "a.b"})
    assert every.complete(USUAL_PROBE) is every
    assert every.complete(Probe.model_validate({"port": 2})) == Probe.model_validate({"port": 2, "host": "a.b"})
