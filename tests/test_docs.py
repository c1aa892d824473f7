"""The documentation holds together: its links lead somewhere, and its lists are complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cli.render import plan_file
from cli.runbooks import list_shipped_files
from tests.support.pages import PAGES, ROOT, remove_blocks

HOW_TO = ROOT / "docs" / "how-to"
HOW_TO_PAGES = sorted(path for path in HOW_TO.glob("*.md") if path.name != "README.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_is_fenced(page: Path) -> None:
    """Code has its language: what is only indented is neither coloured for readers nor run by tests."""
    outside = remove_blocks(page.read_text(encoding="utf-8"))
    assert not re.findall(r"\n\n    \S.*", outside)
    assert "```" not in outside


@pytest.mark.parametrize("page", HOW_TO_PAGES, ids=lambda page: page.stem)
def test_a_how_to_is_short_and_ends_with_something_to_see(page: Path) -> None:
    """At most a minute of reading, and in it an output or a page to compare one's own with."""
    text = page.read_text(encoding="utf-8")
    assert 25 <= text.count("\n") <= 60
    assert "```text\n$ " in text or "<http://127.0.0.1:8080/" in text
    assert re.search(r"```(sh|text)\n", text[len(text) // 2 :])


def test_the_index_of_how_tos_is_complete() -> None:
    """It has each page, with what is seen at its end, and README leads to it."""
    index = (HOW_TO / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[.+\]\((.+\.md)\) \| .+ \|$", index, re.MULTILINE)
    assert sorted(rows) == [page.name for page in HOW_TO_PAGES] and len(rows) == 12
    assert "(docs/how-to/README.md)" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    """Relative links point at files of the checkout, and at headings that are there."""
    for path, _, anchor in (link.partition("#") for link in re.findall(r"\]\(([^):]+)\)", page.read_text("utf-8"))):
        target = page.parent / path if path else page
        assert target.exists(), path
        assert not anchor or anchor in list_anchors(target), f"{path}#{anchor}"


def list_anchors(page: Path) -> list[str]:
    """The anchors that forges make of the headings of a page.

    Source: https://docs.github.com/en/get-started/writing-on-github/getting-started-with-writing-and-formatting-on-github/basic-writing-and-formatting-syntax#section-links
    """
    headings = re.findall(r"^#+ (.*)$", remove_blocks(page.read_text(encoding="utf-8")), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


def test_the_list_of_decisions_is_complete() -> None:
    """Each decision stands in the index of docs/adr."""
    folder = ROOT / "docs" / "adr"
    index = (folder / "README.md").read_text(encoding="utf-8")
    assert not [path.name for path in folder.glob("[0-9]*.md") if f"({path.name})" not in index]


def test_the_limits_of_suites_are_those_of_ci() -> None:
    """The minutes that CONTRIBUTING gives for a suite are the limit that .ci/run gives it."""
    limits = dict(
        re.findall(
            r"(?:^|; )phase ([a-z0-9-]+) (\d+)m ", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.MULTILINE
        )
    )
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    said = dict(re.findall(r"^\|.*\| `make ([a-z0-9-]+)`.*\| (\d+) min", page, re.MULTILINE))
    assert said == {name: limit for name, limit in limits.items() if name not in ("setup", "prepare")}


def test_every_golden_folder_is_explained() -> None:
    """CONTRIBUTING names the stack of each."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert not [path.name for path in (ROOT / "tests" / "golden").iterdir() if f"`{path.name}`" not in page]


def test_the_glossary_leads_somewhere() -> None:
    """Each file that it names is there."""
    page = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    named = re.findall(
        r"`((?:model|packs|stack|cli|bench|targets|toolchain|tests|components|configs)/[a-z_./-]*)`", page
    )
    assert len(named) > 15 and not [name for name in named if not (ROOT / name).exists()]


def test_pictures_are_small() -> None:
    """A page with pictures loads quickly, and so does a clone: 150 kB each, 3 MB in all."""
    sizes = {path.name: path.stat().st_size for path in (ROOT / "docs/pictures").rglob("*.*")}
    assert not {name: size for name, size in sizes.items() if size > 150_000}
    assert sum(sizes.values()) < 3_000_000


def test_every_dashboard_has_its_question() -> None:
    """The page of dashboards has a line for each one that a shipped stack serves, and pictures of those of `dev`."""
    page = (ROOT / "docs/dashboards.md").read_text(encoding="utf-8")
    for path in list_shipped_files(ROOT):
        stack = path.name.split(".")[1]
        uids = [board.uid for board in plan_file(path, stack).telemetry.dashboards]
        assert not [uid for uid in uids if f"| `{uid}` |" not in page], stack
        if stack == "dev":
            assert not [uid for uid in uids if f"(pictures/dashboards/{uid}.webp)" not in page]
