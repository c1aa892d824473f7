"""The comment: its order, its limit, and values that must not act."""

from __future__ import annotations

import re

from cli.changes.markdown import Comparison, format_change, merge_changes, render_comment, summarize
from cli.changes.values import AREAS, Change, Detail
from cli.changes.words import LIMIT, MARKER

EVIL = "</details>\n@team #1 `x` ``` <img src=x> [a](b) | ~~~~"


def rule(name: str, before: str = "x > 1", after: str = "x > 2") -> Change:
    """A rule whose expression changes."""
    return Change("rules", "changes", name, (Detail("expr", before, after),), "In the last 7 days never.")


def comparison(*changes: Change, **more: object) -> Comparison:
    """Of the stack dev."""
    return Comparison("abc", {"dev": changes}, **more)  # type: ignore[arg-type]


def remove_code(text: str) -> str:
    """A comment without its blocks and values."""
    text = re.sub(r"^(`{3,})\w*\n.*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", text)


def test_a_clean_change_is_one_line() -> None:
    """Behind the marker, which nobody sees."""
    text = render_comment(comparison())
    assert text == f"{MARKER}\n**Nothing that is deployed changes** (stack `dev`, compared with `abc`).\n"
    assert "2 stacks" in render_comment(Comparison("abc", {"dev": (), "prod": ()}))


def test_areas_have_an_order() -> None:
    """Data and downtime first, the raw difference last."""
    changes = [Change(area, "changes", "x") for area in reversed(list(AREAS))]
    text = render_comment(comparison(*changes, differences={("a", "@@\n-x\n"): ["dev"]}))
    places = [text.index(f"#### {heading}") for heading in AREAS.values()]
    assert text.startswith(MARKER) and places == sorted(places) and text.index("Raw difference") > places[-1]


def test_no_value_acts() -> None:
    """Whatever a label, a path, a subject or a document says is code."""
    change = Change("rules", "changes", EVIL, (Detail(EVIL, EVIL, None), Detail("x", EVIL, EVIL * 9), Detail(EVIL)))
    failures, previews = {"prod": EVIL}, {"dev": EVIL}
    text = render_comment(comparison(change, differences={(EVIL, EVIL): ["dev"]}, failures=failures, previews=previews))
    outside = remove_code(text)
    assert not set("@#~[|") & set(outside.replace("####", "").replace("###", ""))
    assert outside.count("<details>") == outside.count("</details>") == 2 and "<img" not in outside
    assert not re.search(r"^/", text, re.MULTILINE)


def test_a_thousand_rules_fit() -> None:
    """What has no room is counted, to the last rule and line."""
    changes = [
        rule(f"Rule{number}", f"x{'y' * 150} > {number}", f"x{'y' * 150} > {number + 1}") for number in range(1000)
    ]
    differences = {(f"prometheus/rules/{n}.yml", "@@\n" + "-x\n+y\n" * 5000): ["dev"] for n in range(4)}
    text = render_comment(comparison(*changes, differences=differences))
    assert len(text.encode()) <= LIMIT and text.count("<details>") == text.count("</details>") > 0
    shown = text.count("- **`Rule")
    assert f"- {1000 - shown:,} of 1,000 entries under “Rules”" in text and shown > 100
    assert "raw difference of 4 documents of 4, 40,004 lines" in text


def test_what_matters_least_is_left_out_first() -> None:
    """Short of room, headings and first changes stay; also where even they have none."""
    changes = [Change(area, "changes", f"{area}{n}" + "x" * 200) for area in AREAS for n in range(30)]
    text = render_comment(comparison(*changes), 12_000)
    assert len(text.encode()) <= 12_000 and "data29" not in text.split("<details>")[0] and "data0" in text
    assert "entries under “Other settings”" in text
    tiny = render_comment(comparison(*changes), 3_500)
    assert len(tiny.encode()) <= 3_500 and all(heading in tiny for heading in AREAS.values())


def test_what_stacks_share_is_said_once() -> None:
    """With the stacks that have it, where not all of them do."""
    by_stack = {"dev": [rule("A"), rule("B")], "prod": [rule("A")], "plue": [rule("A"), rule("A")]}
    assert merge_changes(by_stack) == {rule("A"): ["dev", "prod", "plue"], rule("B"): ["dev"]}
    text = render_comment(Comparison("abc", by_stack))
    assert "- **`A`** changes. In" in text and "- **`B`** changes (in `dev`). In" in text


def test_a_failure_is_said_and_is_no_clean_change() -> None:
    """In the words of the program that failed."""
    text = render_comment(comparison(failures={"dev": "1 problem in the configuration"}))
    assert "**Not compared: `dev`.**" in text and "1 problem in the configuration" in text and "Nothing" not in text


def test_many_failures_and_previews_fit() -> None:
    """Equal reasons are said once; what has no room is counted."""
    reasons = {f"s{number}": f"{number % 50} {'x' * 5000}" for number in range(100)}
    text = render_comment(comparison(failures=reasons, previews=reasons))
    assert len(text.encode()) <= LIMIT and "**Not compared: `s0`, `s50`.**" in text
    said = text.count("**Not compared") * 2
    assert f"- why {100 - said} more stacks could not be compared\n- 100 previews of Pulumi's own\n" in text


def test_the_summary_names_what_goes_away() -> None:
    """What is replaced by name, all else by number."""
    changes = [
        Change("data", "is no longer used", "v"),
        Change("downtime", "is replaced", "loki"),
        Change("downtime", "is replaced", "grafana"),
        Change("downtime", "takes its changed documents in place", "prometheus"),
        rule("A"),
    ]
    text = summarize(merge_changes({"dev": changes}))
    assert text == "**1 warning about data.** Replaced: **`loki`**, **`grafana`**. Also: 1 rule."
    assert summarize({}).startswith("**Nothing is replaced")


def test_details_are_short() -> None:
    """One line, or two where both values are long; nine are eight and a count."""
    long = Change("rules", "changes", "x", (Detail("expr", "a" * 90, "b" * 90), *(Detail("y", "1", "2"),) * 8))
    lines = format_change(long).splitlines()
    assert lines[1].startswith("  - `expr` before: ") and lines[2].startswith("  - `expr` after: ")
    assert lines[3] == "  - `y`: `1` → `2`" and lines[-1] == "  - and 1 more"
