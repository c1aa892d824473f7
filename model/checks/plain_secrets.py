"""Secrets in clear: text of a document that looks like a credential, wherever it stands.

Only forms that a credential alone has are matched, so that no ordinary text is refused. The forms of tokens are those
that their issuers publish for scanners: https://docs.github.com/code-security/secret-scanning.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from model.errors import Problem

HIDDEN = "hidden"
"""Replaces a secret in a document, so that no later message can show it."""


@dataclass(frozen=True)
class _Form:
    """What a credential looks like: `text` has one group, the part to hide, and matches only where `word` does."""

    title: str
    text: re.Pattern[str]
    word: re.Pattern[str]


def _build_form(title: str, pattern: str, word: str = "") -> _Form:
    return _Form(title, re.compile(pattern), re.compile(word))


_END = r"(?![A-Za-z0-9_-])"
_START = r"(?<![A-Za-z0-9_-])"
_FORMS = (
    _build_form("a private key", r"(-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----[\s\S]*)"),
    _build_form("a Slack webhook address", r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/([^\s\"'<>]+)"),
    _build_form("a Slack token", rf"{_START}((?:xox[a-z]|xapp)-[A-Za-z0-9][A-Za-z0-9-]{{9,}})"),
    _build_form("a Discord webhook address", r"discord(?:app)?\.com/api/(?:v\d+/)?webhooks/(\d+/[\w-]+)"),
    _build_form("a Teams webhook address", r"(?:webhook\.office\.com|outlook\.office\.com/webhook)/([^\s\"'<>]+)"),
    _build_form("a Google Chat webhook address", r"chat\.googleapis\.com/v\d+/spaces/([^\s\"'<>]+[?&]key=[^\s\"'<>]+)"),
    _build_form("a Telegram bot token", r"(?<!\d)(\d{8,10}:[A-Za-z0-9_-]{35})" + _END),
    _build_form("a GitHub token", rf"{_START}((?:gh[pousr]_[A-Za-z0-9]{{36,}}|github_pat_[A-Za-z0-9_]{{22,}}))"),
    _build_form("a GitLab token", rf"{_START}(gl(?:pat|dt|rt|ptt|soat)-[A-Za-z0-9_.-]{{20,}})"),
    _build_form("a Grafana token", rf"{_START}(gl(?:sa_[A-Za-z0-9]{{32}}_[0-9a-fA-F]{{8}}|c_[A-Za-z0-9+/=]{{32,}}))"),
    _build_form("a Google API key", rf"{_START}(AIza[A-Za-z0-9_-]{{35}}){_END}"),
    _build_form("a SendGrid key", rf"{_START}(SG\.[A-Za-z0-9_-]{{16,}}\.[A-Za-z0-9_-]{{16,}})"),
    _build_form("an API key", rf"{_START}((?:sk|rk)[-_](?:live|test|proj|ant)[-_][A-Za-z0-9_-]{{16,}})"),
    _build_form("a JSON Web Token", rf"{_START}(eyJ[A-Za-z0-9_-]{{8,}}\.eyJ[A-Za-z0-9_-]{{8,}}\.[A-Za-z0-9_-]*)"),
    _build_form("a bearer token", r"(?i:bearer)\s+(?=[^\s]*\d)([A-Za-z0-9._~+/-]{16,}=*)"),
    _build_form(
        "basic credentials", r"(?i:authorization)\"?'?\s*[:=]\s*\"?'?(?i:basic)\s+(?=\S*[A-Z0-9=])([A-Za-z0-9+/]{6,}=*)"
    ),
    # what follows a host's colon is a port, unless more than digits stand before the @
    _build_form(
        "an address with a password", r"[A-Za-z][A-Za-z0-9+.-]*://[^\s/?#@:]*:(?!\d{1,5}[/?#])([^\s@/]+|[^\s@]+)@"
    ),
    _build_form("an address with a password", r"^[^\s/@:]+:([^\s@]+)@(?:tcp6?|unix|udp)\("),
    _build_form(
        "an address with a key",
        r"(?i)://[^\s\"'<>]*[?&](?:sig|token|api[_-]?key|apikey|access[_-]?token|auth[_-]?token|password|passwd|secret)="
        r"([A-Za-z0-9%._~+/-]{8,})",
    ),
    _build_form(
        "a connection string with a password",
        r"(?i)(?=.*(?:^|[\s;])(?:host|server|user|uid|dbname|user id|data source)\s*=)"
        r".*?(?:^|[\s;])(?:password|pwd)\s*=\s*(?![$%{<])([^\s;]+)",
        word="(?i)password|pwd",  # most texts have none, and from each character the pattern reads to the line's end
    ),
)
_KEYED = (
    (re.compile(r"(?i)(routing|integration|service)[_-]?key|pager_?duty"), re.compile(r"([0-9a-fA-F]{32})")),
    (re.compile(r"(?i)secret[_-]?(access[_-]?)?key"), re.compile(r"([A-Za-z0-9/+]{40})")),
)
"""Keys, and what is a credential as a value of theirs although it might be anything elsewhere."""
_ACCESS_KEY_ID = re.compile(rf"{_START}A(?:KIA|SIA)[A-Z2-7]{{16}}{_END}")
_ACCESS_KEY = re.compile(
    r"(?<![A-Za-z0-9/+=])(?=[A-Za-z0-9/+]*[a-z])(?=[A-Za-z0-9/+]*[A-Z])(?=[A-Za-z0-9/+]*\d)([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])"
)
_HARMLESS = re.compile(r"[A-Za-z0-9_.:-]{0,14}|[0-9.:]{0,31}")
"""Too short for every form above: keys, numbers and the addresses of targets, of which there may be 100,000."""
_ADVICE = (
    "store it with: make secret NAME=<name>, and give <name> to the setting whose own name ends in Secret;"
    " where there is none, leave it out"
)


def hide_secrets(document: Any, where: str) -> tuple[Any, list[Problem]]:
    """A copy of a YAML document without its secrets, and a problem for each place where one stood.

    Args:
        document: mappings, sequences and plain values.
        where: prefix of every problem's path, such as the file's name.
    """
    problems: list[Problem] = []

    def refuse(path: str, title: str) -> None:
        location = f"{where}: {path}" if path else where
        problems.append(Problem(location, f"contains {title} in clear; {_ADVICE}"))

    return _hide_value(document, "", "", refuse, access_key=False, parents=frozenset()), problems


def remove_followers(problems: list[Problem], plain: list[Problem]) -> list[Problem]:
    """The problems with those of secrets in clear first, without what only follows from a secret's place."""
    secret_paths = {problem.where for problem in plain}
    return [*plain, *(problem for problem in problems if problem.where not in secret_paths)]


def _hide_value(
    value: Any, path: str, key: str, refuse: Callable[[str, str], None], *, access_key: bool, parents: frozenset[int]
) -> Any:
    """`key` is the nearest key of a mapping above; with `access_key`, an id of an AWS key stands beside the value."""
    if isinstance(value, str):
        text, titles = _hide_in_text(value, key, access_key=access_key or bool(_ACCESS_KEY_ID.search(value)))
        for title in titles[:1]:
            refuse(path, title)
        return text
    if id(value) in parents:
        return value  # an alias to what contains it, which the reader of the document refuses
    inside = parents | {id(value)}
    if isinstance(value, dict):
        beside = _has_access_key_id(value.values())
        result: dict[Hashable, Any] = {}
        for name, item in value.items():
            shown, titles = _hide_in_text(name, "", access_key=False) if isinstance(name, str) else (name, ())
            child_path = f"{path}.{shown}" if path else str(shown)
            for title in titles[:1]:
                refuse(child_path, f"a key with {title}")
            result[shown] = (
                item
                if _is_harmless(item)
                else _hide_value(item, child_path, str(name), refuse, access_key=beside, parents=inside)
            )
        return result
    if isinstance(value, (list, tuple)):
        beside = access_key or _has_access_key_id(value)
        return [
            item
            if _is_harmless(item)
            else _hide_value(item, f"{path}[{number}]", key, refuse, access_key=beside, parents=inside)
            for number, item in enumerate(value)
        ]
    return value


def _is_harmless(value: Any) -> bool:
    """Whether it is a text that holds no secret and no id of a key, wherever it stands."""
    return isinstance(value, str) and _HARMLESS.fullmatch(value) is not None


def _has_access_key_id(values: Iterable[Any]) -> bool:
    """Whether one of them is a text with the id of an AWS key."""
    return any(isinstance(item, str) and not _is_harmless(item) and _ACCESS_KEY_ID.search(item) for item in values)


def _hide_in_text(text: str, key: str, *, access_key: bool) -> tuple[str, tuple[str, ...]]:
    """The text without its secrets, and what these are."""
    return (text, ()) if _is_harmless(text) else _hide_in_long_text(text, key, access_key=access_key)


@lru_cache(maxsize=4096)
def _hide_in_long_text(text: str, key: str, *, access_key: bool) -> tuple[str, tuple[str, ...]]:
    titles = []
    for title, pattern in _list_patterns(text, key, access_key=access_key):
        clean = pattern.sub(_drop_group, text)
        if clean != text:
            titles.append(title)
            text = clean
    return text, tuple(titles)


def _list_patterns(text: str, key: str, *, access_key: bool) -> Iterator[tuple[str, re.Pattern[str]]]:
    yield from ((form.title, form.text) for form in _FORMS if form.word.search(text))
    yield from (("an integration key", re.compile(rf"^{value.pattern}$")) for name, value in _KEYED if name.search(key))
    if access_key:
        yield "an AWS secret access key", _ACCESS_KEY


def _drop_group(match: re.Match[str]) -> str:
    whole, (start, end) = match.group(), match.span(1)
    return f"{whole[: start - match.start()]}{HIDDEN}{whole[end - match.start() :]}"
