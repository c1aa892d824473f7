"""Problems and hints read well."""

from __future__ import annotations

import pytest

from model.errors import ConfigError, Inconsistent, Problem, suggest_name


def test_a_problem_begins_with_its_place() -> None:
    """Where it is comes first; a problem without a place is just its message."""
    assert str(Problem("a.yaml: b", "is wrong")) == "a.yaml: b: is wrong"
    assert str(Problem("", "is wrong")) == "is wrong"


def test_an_error_lists_every_problem() -> None:
    """The message counts the problems and has a line for each, in order."""
    error = ConfigError([Problem("a", "x"), Problem("b", "y")])
    assert str(error) == "2 problems in the configuration:\n  - a: x\n  - b: y"
    assert str(ConfigError([Problem("a", "x")])).startswith("1 problem in")


def test_inconsistent_is_a_value_error() -> None:
    """A model's own check raises what pydantic collects."""
    error = Inconsistent([Problem("a", "x"), Problem("b", "y")])
    assert isinstance(error, ValueError)
    assert str(error) == "a: x; b: y"


@pytest.mark.parametrize(
    ("name", "valid", "hint"),
    [
        ("grafanna", ["grafana", "loki"], "did you mean 'grafana'?"),
        ("repo", ["repository", "tag"], "did you mean 'repository'?"),
        ("zzz", ["b", "a"], "valid are: a, b"),
        ("x", ["xylophone"], "valid are: xylophone"),
        ("x", [], "none is defined"),
        ("a", iter(["a", "a"]), "did you mean 'a'?"),
    ],
)
def test_nearest_names_the_closest_or_all(name: str, valid: list[str], hint: str) -> None:
    """One close name is a question, otherwise all names are listed in order, once each."""
    assert suggest_name(name, valid) == hint
