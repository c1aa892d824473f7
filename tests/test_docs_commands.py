"""Every command that the documentation shows is one: of the Makefile, of the program, or of a stand-in."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from cli.render import plan_file
from model.host_ports import list_host_ports
from tests.support.pages import PAGES, ROOT, list_blocks, list_shown, remove_blocks
from tests.support.shell_lines import OURS, check_syntax, expand_make, list_commands, list_targets, list_unread

ANY = re.compile(r"<[a-z-]+>|…|\.\.\.")
"""What stands for something of the reader's own."""
OTHERS = {
    ".", "cat", "cd", "cut", "diff", "docker", "eval", "export", "getent", "git", "go", "grep", "kubectl", "npm",
     "pre-commit", "pulumi", "sort", "source", "sysctl", "uniq", "uv", "watch",
}  # fmt: skip
"""Programs of which only the quotes are looked at."""
PYTHONS = ("python", ".venv/bin/python")
INLINE = re.compile(r"`((?:make|curl|bin/observability|observability [a-z-]+|(?:\.venv/bin/)?python -[mP])\b[^`:]*)`")

BARE = re.compile(r"[\w/.]+|make [a-z0-9-]+")
"""What a sentence calls by its name alone."""


def list_scripts(text: str) -> Iterator[str]:
    """Everything of a page that a shell would run: its blocks, what follows a prompt, and commands within sentences."""
    for block in list_blocks(text):
        if block.language == "sh":
            yield block.text
        elif block.language == "text":
            yield from (shown.command for shown in list_shown(block))
    yield from (ANY.sub("x", inline) for inline in INLINE.findall(remove_blocks(text)) if not BARE.fullmatch(inline))


def check_command(words: list[str]) -> str:
    """What is wrong with a command, in words; empty where nothing is."""
    program, *rest = words
    if program == "make":
        return check_make(rest)
    if program in OURS:
        return check_parsed("cli", rest)
    if program in PYTHONS:
        return check_module(rest)
    if program == "curl":
        return check_curl(rest)
    return "" if program in OTHERS else f"{program}: nobody checks this program"


def check_make(words: list[str]) -> str:
    """The target exists, every variable is read for it, and what it runs takes its arguments."""
    if unread := list_unread(words):
        return f"make {' '.join(words)}: nothing reads {', '.join(unread)}"
    try:
        called = expand_make(words)
    except subprocess.CalledProcessError as error:
        return str(error.stderr)
    return "".join(check_command(call) for call in called if call[0] in (*OURS, *PYTHONS))


class _ParsedError(Exception):
    """The arguments are parsed, and nothing more is to happen."""


def check_parsed(module: str, words: list[str]) -> str:
    """The parser of a module takes the words; nothing is run."""
    parse = argparse.ArgumentParser.parse_args

    def stop(self: argparse.ArgumentParser, *args: Any, **more: Any) -> None:
        parse(self, *args, **more)
        raise _ParsedError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, "parse_args", stop)
        patch.setattr(sys, "argv", [module, *words])
        try:
            import_module(f"{module}.__main__" if (ROOT / module).is_dir() else module).main()
        except _ParsedError:
            return ""
        except SystemExit as error:
            return "" if error.code == 0 else f"{module} {' '.join(words)}: exit code {error.code}"
    return f"{module}: parses no arguments"


def check_module(words: list[str]) -> str:
    """`python -m MODULE`: one of ours takes its arguments; what tests are named are there."""
    flag, module, *rest = [word for word in words if word != "-P"]
    if flag != "-m":
        return f"python {flag}: nobody checks this"
    if module == "pytest":
        return "".join(f"{word}: is not there" for word in rest if "/" in word and not (ROOT / word).exists())
    return check_parsed(module, rest) if rest else ""


# -- curl ------------------------------------------------------------------------------------------------------------

LOCAL = ("127.0.0.1", "localhost")
SERVER, FAULTS = ROOT / "images/demo/server.go", ROOT / "images/demo/faults.go"


@cache
def list_demo_routes() -> list[tuple[str, re.Pattern[str]]]:
    """Method and path of everything that a stand-in answers to below /demo/."""
    every = re.findall(r's\.control\.HandleFunc\("(\w+) (\S+)"', SERVER.read_text(encoding="utf-8"))
    return [(method, re.compile(re.sub(r"\{\w+\}", "[a-z_]+", path))) for method, path in every]


@cache
def list_faults() -> dict[str, list[str]]:
    """The faults of a stand-in with their parameters."""
    table = FAULTS.read_text(encoding="utf-8").partition("var faultKinds")[2].partition("\n}\n")[0]
    kinds = re.findall(r'^\t"(\w+)": +(.*)$', table, re.MULTILINE)
    return {name: re.findall(r'"(\w+)": +\{[-\d]', rest) for name, rest in kinds}


@cache
def list_ports() -> dict[int, str]:
    """The ports that the stack `dev` opens on its host, with who does."""
    plan = plan_file(ROOT / "Pulumi.dev.yaml", "dev")
    return {int(port.publish or 0): item.name for _, item, port in list_host_ports(plan.workloads)}


def check_curl(words: list[str]) -> str:
    """A stand-in answers to what is sent to it; other parts of a stack have an API."""
    url = next((word for word in words if word.startswith("http")), "")
    address, given = urlsplit(url), dict(pairwise(words))
    if address.hostname not in LOCAL or address.port not in list_ports():
        return ""  # a service of the reader's
    if not address.path.startswith("/demo/"):
        return "" if address.path.startswith(f"/{list_ports()[address.port]}/api/") else f"{url}: nobody serves that"
    method, body = given.get("-X", "POST" if "-d" in given else "GET"), json.loads(given.get("-d", "{}"))
    if not any(method == known and path.fullmatch(address.path) for known, path in list_demo_routes()):
        return f"{method} {address.path}: no stand-in answers to that"
    fault = address.path.rpartition("/faults/")[2]
    if fault == address.path:
        return ""
    unknown = body.keys() - {*list_faults().get(fault, ()), "for_seconds"}
    return f"{fault} {sorted(unknown)}: is no fault" if fault not in list_faults() or unknown else ""


# -- tests -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_is_one(page: Path) -> None:
    """bash can read it; its program, target, variables, options and paths exist."""
    for script in list_scripts(page.read_text(encoding="utf-8")):
        assert not check_syntax(script), script
        assert not [wrong for words in list_commands(script) if (wrong := check_command(words))], script


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_target_that_is_named_exists(page: Path) -> None:
    """Each `make x` of a page is a target of the Makefile, also one without a block or in a longer piece of code."""
    named = re.findall(r"(?:`|^|&& )make ([a-z0-9-]+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(named) <= list_targets()


@pytest.mark.parametrize(
    "command",
    [
        "make upp",
        "make up PURGE=1",
        "make render FORMAT=helm",
        "make e2e-local TESTS=tests/e2e/test_nothing.py",
        "make e2e-kubernetes CONTRACT=nothing",
        "bin/observability verify --jsno",
        "observability reboot",
        "python -m toolchain registry --lisen x",
        "python -m pytest tests/nothing",
        "curl -X PUT http://127.0.0.1:4000/demo/fault/down",
        "curl -X PUT http://127.0.0.1:4000/demo/faults/donw",
        "curl -X GET http://127.0.0.1:4000/demo/faults/down",
        """curl -X PUT http://127.0.0.1:4000/demo/faults/errors -d '{"ration": 1}'""",
        "curl http://127.0.0.1:3100/api/v1/query",
        "telnet x",
    ],
)
def test_a_wrong_command_is_seen(command: str) -> None:
    """What no reader could run is no command."""
    assert [wrong for words in list_commands(command) if (wrong := check_command(words))]


@pytest.mark.parametrize("script", ["make up STACK='x", 'eval "$(make'])
def test_a_quote_without_end_is_seen(script: str) -> None:
    """bash names what it cannot read."""
    assert check_syntax(script)


def test_commands_are_split_as_a_shell_does() -> None:
    """At joints and in substitutions, without comments, redirections and assignments."""
    text = """A=1 make x Y='a b' > file 2>&1 && cat f # c\nsource <(b c d) | e "$(g h)" """
    assert list(list_commands(text)) == [
        ["make", "x", "Y=a b", "2"], ["cat", "f"], ["source"], ["b", "c", "d"], ["g", "h"], ["e", "$(g h)"],
    ]  # fmt: skip
