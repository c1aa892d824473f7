"""Routes as settings."""

from __future__ import annotations

from typing import Any

import pytest

from model.errors import ConfigError
from model.load import parse_model
from model.routes import Matcher, Route, check_grouping, check_routes, walk_routes


def route(**said: Any) -> Route:
    """A route from its YAML keys."""
    return parse_model(Route, {"receiver": "r", **said}, "route")


def test_a_route_chooses_by_severity_labels_and_matchers() -> None:
    """All that a route says must hold, as Alertmanager's matchers have it."""
    both = route(severity="critical", labels={"team": "a b"}, matchers=['service!="api"'])
    assert [*map(str, both.conditions)] == ['severity="critical"', 'team="a b"', 'service!="api"']
    assert [*map(str, route(labels={"team": "a"}).conditions)] == ['team="a"']


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({}, "give severity, labels or matchers"),
        ({"labels": {}}, "give severity, labels or matchers"),
        ({"severity": "info", "labels": {"severity": "info"}}, "labels.severity: say it once"),
        ({"labels": {"team": 'a"b'}}, "labels.team: .*text without quotes and backslashes"),
        ({"labels": {"team": ""}}, "labels.team"),
        ({"matchers": ["team=shop"]}, r"matchers\[0\]: .*a value in double quotes"),
        ({"matchers": ['team=~"(shop"']}, r"matchers\[0\]: '\(shop' is no regular expression"),
        ({"matchers": ['team=~"(?!shop).*"']}, r"matchers\[0\]: .*no look-around"),
        ({"severity": "info", "andOn": True}, "andOn: unknown key 'andOn'; it is called continue now"),
        ({"severity": "info", "groupBy": ["...", "team"]}, "groupBy: .*no other one can stand beside it"),
        ({"severity": "info", "groupBy": ["team", "team"]}, "groupBy: names 'team' twice"),
        ({"severity": "info", "routes": [{"receiver": "a"}]}, r"routes\[0\]: give severity, labels or matchers"),
    ],
)
def test_a_route_that_says_nothing_right_is_refused(said: dict[str, object], says: str) -> None:
    """A route for everything would hide those behind it; a value that ends the matcher would be another one."""
    with pytest.raises(ConfigError, match=says):
        route(**said)


@pytest.mark.parametrize(
    ("text", "labels", "fulfilled"),
    [
        ('team="a"', {"team": "a"}, True),
        ('team="a"', {"team": "ab"}, False),
        ('team!="a"', {}, True),
        ('team=""', {}, True),
        ('team=~"a|b"', {"team": "b"}, True),
        ('team=~"a|b"', {"team": "bc"}, False),
        ('team!~"a.*"', {"team": "abc"}, False),
        ('team!~"a.*"', {}, True),
        ('team=~".+"', {}, False),
    ],
)
def test_matchers_look_at_whole_values(text: str, labels: dict[str, str], fulfilled: bool) -> None:
    """Equal, unequal and expressions; a label that is not there is empty."""
    assert Matcher.parse(text).matches(labels) is fulfilled
    assert str(Matcher.parse(text)) == text


def test_what_is_no_matcher_is_an_error() -> None:
    """A mistake is no matcher of everything."""
    with pytest.raises(ValueError, match="'team' is no matcher"):
        Matcher.parse("team")


@pytest.mark.parametrize(
    ("said", "names", "excludes"),
    [
        ({"severity": "info"}, True, False),
        ({"severity": "critical"}, False, True),
        ({"labels": {"team": "a"}}, False, False),
        ({"matchers": ['severity=~"info|warning"']}, True, False),
        ({"matchers": ['severity!="info"']}, False, True),
        ({"matchers": ['severity!="critical"']}, True, False),
    ],
)
def test_whether_information_is_meant(said: dict[str, Any], names: bool, excludes: bool) -> None:
    """A route names information where it says a severity that information has."""
    assert (route(**said).names_information, route(**said).excludes_information) == (names, excludes)


def test_every_route_has_a_path() -> None:
    """Routes below others are found with where they stand."""
    outer = route(severity="critical", routes=[{"labels": {"team": "a"}}])
    assert [place for place, _ in walk_routes([outer])] == ["routes[0]", "routes[0].routes[0]"]


def test_unknown_unused_and_hidden() -> None:
    """Receivers that are unknown come first; then those that get nothing, and routes that are never reached."""
    nested = route(severity="critical", routes=[{"labels": {"team": "a"}, "receiver": "rr"}])
    (unknown,) = check_routes(["r", "other"], [nested])
    assert str(unknown) == "routes[0].routes[0].receiver: names the unknown receiver 'rr'; did you mean 'r'?"
    one, two = route(severity="critical"), route(severity="critical", labels={"team": "a"})
    assert [p.where for p in check_routes(["r", "other"], [one, two])] == ["receivers[1]", "routes[1]"]
    assert not check_routes(["r"], [route(severity="critical", **{"continue": True}), two])
    below = route(
        severity="critical", routes=[{"labels": {"team": "a"}}, {"labels": {"team": "a"}, "severity": "critical"}]
    )
    assert [p.where for p in check_routes(["r"], [below])] == ["routes[0].routes[1]"]


def test_groups_by_everything_or_by_some() -> None:
    """Labels are named once, or all of them are meant."""
    assert check_grouping(["a", "b"]) is None and check_grouping(["..."]) is None
