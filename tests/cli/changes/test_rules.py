"""Rules of two renderings."""

from __future__ import annotations

from typing import Any

from cli.changes import rules
from cli.changes.values import Detail
from tests.support.yaml_files import write_yaml

PATH = "prometheus/rules/api.yml"


def document(*items: dict[str, Any], group: str = "api") -> str:
    """A rule file with one group."""
    return write_yaml({"groups": [{"name": group, "rules": list(items)}]})


def alert(name: str, expr: str, **more: Any) -> dict[str, Any]:
    """An alert with a severity."""
    return {"alert": name, "expr": expr, "labels": {"severity": "warning"}, "annotations": {"summary": expr}, **more}


def test_a_threshold_shows_both_expressions() -> None:
    """Its texts, which change with it, say nothing more."""
    pairs = rules.pair_rules({PATH: document(alert("Slow", "x > 1"))}, {PATH: document(alert("Slow", "x > 2"))})
    (change,) = rules.describe_pairs(pairs, {0: "Twice."})
    assert change.subject == "Slow (api)" and change.note == "Twice."
    assert change.details == (Detail("expr", "x > 1", "x > 2"),)


def test_new_and_removed_rules_are_whole() -> None:
    """Alerts come before recordings; both say their expression, `for` and labels."""
    pairs = rules.pair_rules(
        {PATH: document({"record": "a:b", "expr": "b"})}, {PATH: document(alert("New", "y", **{"for": "5m"}))}
    )
    added, gone = rules.describe_pairs(pairs)
    assert (added.verb, gone.verb) == ("is new", "is removed")
    assert added.details[:2] == (Detail("expr", None, "y"), Detail("for", None, "5m"))
    assert gone.details == (Detail("expr", "b", None),)


def test_namesakes_are_paired_by_what_they_share() -> None:
    """Of two alerts of one name, the one that did not change is no change, in whatever order they stand."""
    before = document(alert("Slow", "a > 1"), alert("Slow", "b > 1"))
    after = document(alert("Slow", "b > 1", **{"for": "1m"}), alert("Slow", "a > 1"))
    (change,) = rules.describe_pairs(rules.pair_rules({PATH: before}, {PATH: after}))
    assert change.details == (Detail("for", None, "1m"),)


def test_rules_that_move_to_another_file_do_not_change() -> None:
    """A rule is known by its group and name, not by its file."""
    text = document(alert("Slow", "a > 1"))
    assert not rules.pair_rules({PATH: text}, {"prometheus/rules/web.yml": text})


def test_other_texts_are_one_change() -> None:
    """Alerts of which only texts for people change are named together."""
    before = document(alert("A", "a"), alert("B", "b"))
    (change,) = rules.describe_pairs(
        rules.pair_rules({PATH: before}, {PATH: before.replace("summary: ", "summary: x")})
    )
    assert change.subject == "A, B" and not change.details


def test_rules_for_an_operator_are_rules() -> None:
    """Those of a PrometheusRule are compared like those of a file."""
    spec = {"groups": [{"name": "api", "rules": [alert("Slow", "a > 1")]}]}
    text = write_yaml({"kind": "PrometheusRule", "metadata": {"name": "x"}, "spec": spec})
    (pair,) = rules.pair_rules({"kubernetes/prometheusrule/api.yaml": text}, {})
    assert pair.after is None and pair.shown.name == "Slow"
