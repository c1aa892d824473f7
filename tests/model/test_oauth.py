"""Roles by groups, and Grafana's variables without the secret."""

from __future__ import annotations

import pytest

from model.oauth import OAuth

BASE = "https://login.example.com"
PROVIDER = {"clientId": "grafana", "authUrl": f"{BASE}/a", "tokenUrl": f"{BASE}/t", "apiUrl": f"{BASE}/u"}


@pytest.mark.parametrize(
    ("groups", "path"),
    [
        ({}, "'Viewer'"),
        ({"adminGroups": ("ops",)}, "contains(groups[*], 'ops') && 'Admin' || 'Viewer'"),
        (
            {"adminGroups": ("ops",), "editorGroups": ("dev",)},
            "contains(groups[*], 'ops') && 'Admin' || contains(groups[*], 'dev') && 'Editor' || 'Viewer'",
        ),
    ],
)
def test_whoever_is_in_no_group_looks(groups: dict[str, tuple[str, ...]], path: str) -> None:
    """The strongest role comes first."""
    assert OAuth.model_validate({**PROVIDER, **groups}).build_role_path() == path


def test_the_secret_is_a_file() -> None:
    """Its variable is the component's, which names a file; none of these holds it."""
    made = OAuth.model_validate(PROVIDER).build_environment()
    assert not [key for key in made if "SECRET" in key]
    assert made["GF_AUTH_GENERIC_OAUTH_USE_PKCE"] == "true"
