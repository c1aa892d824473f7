"""Writes the comment of `diff` to its pull or merge request, over the one of before: `python -m cli.notes github FILE`.

It reads a file and runs nothing of the request, so it may have a token that the file's writer has not; it imports the
standard library alone. The request is found by the commit that was compared, never by what the file says.

APIs: https://docs.github.com/en/rest/issues/comments, https://docs.gitlab.com/api/notes/.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from cli.answers import read_answer
from cli.changes.words import LIMIT, MARKER

_PAGE, _MOST_PAGES = 100, 30
_FORK = "*Written by the code of a fork: read it as you read the request itself.*"
Ask = Callable[[str, str, Any], Any]
"""Asks an API: method, path with its query, and what is sent."""


def read_comment(path: Path, *, fork: bool = False) -> str:
    """The text of a comment; of a fork's, no mention acts.

    Raises:
        RuntimeError: it is not one of `diff`.
    """
    if not path.is_file() or path.is_symlink():
        raise RuntimeError(f"{path.name}: is no file")
    size = path.stat().st_size
    if size > LIMIT:
        raise RuntimeError(f"{path.name}: has {size:,} bytes; {LIMIT:,} at most")
    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError:
        raise RuntimeError(f"{path.name}: is no text") from None
    if not text.startswith(f"{MARKER}\n") or "\0" in text:
        raise RuntimeError(f"{path.name}: is no comment of `observability diff`")
    if fork:
        text = f"{MARKER}\n{_FORK}\n\n{text.removeprefix(MARKER).lstrip()}".replace("@", "@\u200b")
    return text if len(text.encode()) <= LIMIT else f"{text.encode()[: LIMIT - 8].decode(errors='ignore')}\n"


def _build_ask(api: str, headers: Mapping[str, str]) -> Ask:
    def ask(method: str, path: str, data: Any) -> Any:
        sent = json.dumps(data).encode() if data is not None else None
        body = read_answer(method, f"{api.rstrip('/')}{path}", {**headers, "Content-Type": "application/json"}, sent)
        return json.loads(body or b"null")

    return ask


def _list_pages(ask: Ask, path: str) -> Iterator[Any]:
    """Items of all pages of a list."""
    for page in range(1, _MOST_PAGES + 1):
        items = ask("GET", f"{path}{'&' if '?' in path else '?'}{urlencode({'per_page': _PAGE, 'page': page})}", None)
        yield from items
        if len(items) < _PAGE:
            return


def write_to_github(env: Mapping[str, str], path: Path) -> str:
    """Writes to the open pull request whose head is HEAD_SHA of HEAD_BRANCH of HEAD_OWNER. Returns what was done.

    Raises:
        RuntimeError: the API refuses, or the file is no comment.
    """
    repository, sha = env["GITHUB_REPOSITORY"], env["HEAD_SHA"]
    text = read_comment(path, fork=env["HEAD_REPOSITORY"] != repository)
    ask = _build_ask(
        env["GITHUB_API_URL"],
        {"Authorization": f"Bearer {env['GITHUB_TOKEN']}", "Accept": "application/vnd.github+json"},
    )
    head = urlencode({"state": "open", "head": f"{env['HEAD_OWNER']}:{env['HEAD_BRANCH']}"})
    numbers = [
        int(item["number"])
        for item in _list_pages(ask, f"/repos/{repository}/pulls?{head}")
        if item["head"]["sha"] == sha
    ]
    if not numbers:
        return f"no open pull request has the commit {sha} as its head: a newer run writes the comment"
    for number in numbers:
        comments = f"/repos/{repository}/issues/{number}/comments"
        ours = (item for item in _list_pages(ask, comments) if item["user"]["type"] == "Bot")
        old = next((item for item in ours if str(item["body"]).startswith(MARKER)), None)
        if old:
            ask("PATCH", f"/repos/{repository}/issues/comments/{int(old['id'])}", {"body": text})
        else:
            ask("POST", comments, {"body": text})
    return f"written to {', '.join(f'#{number}' for number in numbers)}"


def write_to_gitlab(env: Mapping[str, str], path: Path) -> str:
    """Writes to the merge request of a pipeline, with the token GITLAB_COMMENT_TOKEN. Returns what was done.

    Raises:
        RuntimeError: the API refuses, or the file is no comment.
    """
    text = read_comment(path, fork=env["CI_MERGE_REQUEST_SOURCE_PROJECT_ID"] != env["CI_MERGE_REQUEST_PROJECT_ID"])
    ask = _build_ask(env["CI_API_V4_URL"], {"PRIVATE-TOKEN": env["GITLAB_COMMENT_TOKEN"]})
    project, number = quote(env["CI_MERGE_REQUEST_PROJECT_ID"], safe=""), int(env["CI_MERGE_REQUEST_IID"])
    notes, own = f"/projects/{project}/merge_requests/{number}/notes", ask("GET", "/user", None)["id"]
    ours = (item for item in _list_pages(ask, notes) if item["author"]["id"] == own)
    old = next((item for item in ours if str(item["body"]).startswith(MARKER)), None)
    if old:
        ask("PUT", f"{notes}/{int(old['id'])}", {"body": text})
    else:
        ask("POST", notes, {"body": text})
    return f"written to !{number}"


FORGES: Mapping[str, Callable[[Mapping[str, str], Path], str]] = {"github": write_to_github, "gitlab": write_to_gitlab}


def main(arguments: list[str] | None = None) -> int:
    """The command line. Returns its exit code."""
    parser = argparse.ArgumentParser(prog="cli.notes", description="Writes a comment of `diff` to its request.")
    parser.add_argument("forge", choices=FORGES, help="where the request is")
    parser.add_argument("file", type=Path, help="the comment")
    options = parser.parse_args(arguments)
    try:
        print(FORGES[options.forge](os.environ, options.file))
    except (RuntimeError, ValueError, KeyError) as error:
        print(f"nothing is written: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
