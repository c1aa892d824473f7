"""Who may call."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcp_server.access import RateLimit, TokenFiles, build_metadata_url, find_wrong_header, is_listed
from mcp_server.document import Document


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        ("a.example", True),
        ("a.example:443", False),
        ("localhost:80", True),
        ("localhost", False),
        ("localhost:80.evil.example", False),
        ("localhost:", False),
        ("evil.example", False),
    ],
)
def test_hosts_of_a_list(value: str, fits: bool) -> None:
    """A name is exactly itself; with a star it has a port, which is a number."""
    assert is_listed(value, ("a.example", "localhost:*")) is fits


def test_headers_are_looked_at_whole() -> None:
    """One Host of the list, and no Origin but those of the list, however often it is given."""
    document = Document(stack="x", hosts=("a",), origins=("https://a",))

    def find(*headers: tuple[bytes, bytes]) -> str:
        return find_wrong_header({"headers": headers}, document)

    host, origin = (b"host", b"a"), (b"origin", b"https://a")
    assert find(host) == "" and find(host, origin) == ""
    assert find() == find(host, host) == find((b"host", b"b")) == "host"
    assert find(host, (b"origin", b"null")) == find(host, origin, (b"origin", b"https://b")) == "origin"


@pytest.mark.parametrize(
    ("resource", "url"),
    [
        ("https://a.example/mcp", "https://a.example/.well-known/oauth-protected-resource/mcp"),
        ("https://a.example/base/mcp", "https://a.example/base/.well-known/oauth-protected-resource/mcp"),
        ("http://127.0.0.1:8080/mcp", "http://127.0.0.1:8080/.well-known/oauth-protected-resource/mcp"),
    ],
)
def test_metadata_is_where_the_challenge_says(resource: str, url: str) -> None:
    """Below the path that the stack's own base URL has."""
    assert build_metadata_url(resource) == url


def test_tokens_are_named_and_revocable(tmp_path: Path) -> None:
    """Each file is a token of somebody; without the file nobody has it any more."""
    for name in ("ann", "bob"):
        (tmp_path / name).write_text(f"token-of-{name}-0123456789\n")
    (tmp_path / "short").write_text("guessable")
    (tmp_path / "empty").write_text("")
    names = ("ann", "bob", "short", "empty", "gone")
    document = Document(stack="x", tokens={name: str(tmp_path / name) for name in names})
    files = TokenFiles(lambda: document)
    assert files.find_who("token-of-bob-0123456789") == "bob"
    assert [files.find_who(token) for token in ("", "guessable", "token-of-eve-0123456789")] == [None] * 3
    (tmp_path / "bob").unlink()
    assert files.find_who("token-of-bob-0123456789") is None
    assert files.find_who("token-of-ann-0123456789") == "ann"


def test_a_file_that_is_no_text_is_no_token(tmp_path: Path) -> None:
    """What cannot be read as text lets nobody in, and no one out."""
    (tmp_path / "t").write_bytes(b"\xff" * 40)
    document = Document(stack="x", tokens={"t": str(tmp_path / "t")})
    assert TokenFiles(lambda: document).read() == {}


def test_calls_of_a_minute() -> None:
    """A minute's calls may come at once; afterwards they come at that rate, for each name by itself."""
    now = 0.0
    limit = RateLimit(clock=lambda: now)
    assert [limit.take("a", 3) for _ in range(4)] == [True, True, True, False]
    assert limit.take("b", 3)
    now = 20.0
    assert [limit.take("a", 3) for _ in range(2)] == [True, False]
    now = 6000.0
    assert [limit.take("a", 3) for _ in range(4)] == [True, True, True, False]
