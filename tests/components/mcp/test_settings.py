"""Settings of the MCP server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from components.mcp.settings import derive_token_name
from model.errors import ConfigError
from tests.support.systems import plan_shop


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"clients": []}, "mcp.clients"),
        ({"clients": ["ann", "bob", "ann"]}, r"mcp\.clients\[2\].*'ann' is listed twice"),
        ({"clients": ["Ann Smith"]}, r"mcp\.clients\[0\]"),
        ({"origins": ["agents.example.com"]}, r"mcp\.origins\[0\]"),
        ({"answerTokens": 10}, r"mcp\.answerTokens"),
        ({"clientz": ["ann"]}, "clients"),
    ],
)
def test_wrong_settings_are_refused(tmp_path: Path, settings: dict[str, object], said: str) -> None:
    """Nobody to ask, somebody twice, a page that is no origin: each with its place."""
    with pytest.raises(ConfigError, match=said):
        plan_shop(tmp_path, settings={"mcp": json.dumps({"enabled": True, **settings})})


def test_tokens_are_named_after_clients() -> None:
    """The name that people write where they read or replace one."""
    assert derive_token_name("ann") == "mcp-token-ann"
