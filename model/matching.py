"""Which routes of alertmanager.yml an alert takes, and why: the walk that Alertmanager itself makes.

Source: Match and NewRoute in dispatch/route.go of Alertmanager; tests compare with `amtool config routes test`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from model.routes import Matcher

INHERITED = ("receiver", "group_by", "group_wait", "group_interval", "repeat_interval")
"""What a route has from the one above where it says nothing; times of activity and muteness are not among them."""
DEFAULTS: Mapping[str, Any] = {
    "receiver": "", "group_by": [], "group_wait": "30s", "group_interval": "5m", "repeat_interval": "4h",
}  # fmt: skip
"""Those of the top route where it says nothing."""
_SNAKE = {
    "groupBy": "group_by", "groupWait": "group_wait", "groupInterval": "group_interval",
    "repeatInterval": "repeat_interval", "muteTimeIntervals": "mute_time_intervals",
    "activeTimeIntervals": "active_time_intervals",
}  # fmt: skip
"""Names of a route's options in an AlertmanagerConfig, and in Alertmanager's own document."""


@dataclass(frozen=True)
class Step:
    """A route on the way of an alert: its matchers, and the routes beside it that were tried before.

    `passed` are pairs of such a route's matchers and the first of them that the alert does not fulfil.
    """

    matchers: tuple[str, ...]
    passed: tuple[tuple[tuple[str, ...], str], ...] = ()


@dataclass(frozen=True)
class TakenRoute:
    """A route that an alert ends with: the way there, and the options in force, under Alertmanager's names."""

    steps: tuple[Step, ...]
    options: Mapping[str, Any]

    @property
    def receiver(self) -> str:
        """Who is notified."""
        return str(self.options["receiver"])


def find_routes(route: Mapping[str, Any], labels: Mapping[str, str]) -> list[TakenRoute]:
    """The routes that an alert with these labels takes, in their order; `route` is the top one of a document."""
    return [*_find_below(route, labels, DEFAULTS, (Step(()),))]


def _find_below(
    route: Mapping[str, Any], labels: Mapping[str, str], above: Mapping[str, Any], steps: tuple[Step, ...]
) -> Iterator[TakenRoute]:
    options = {**above, **{name: route[name] for name in INHERITED if route.get(name) is not None}}
    passed: list[tuple[tuple[str, ...], str]] = []
    claimed = False
    for child in route.get("routes") or ():
        texts = tuple(child.get("matchers") or ())
        missed = find_first_missed(texts, labels)
        if missed is not None:
            passed.append((texts, missed))
            continue
        claimed = True
        yield from _find_below(child, labels, options, (*steps, Step(texts, tuple(passed))))
        if not child.get("continue"):
            break
    if not claimed:
        own = {name: route[name] for name in ("active_time_intervals", "mute_time_intervals") if route.get(name)}
        yield TakenRoute((*steps[:-1], Step(steps[-1].matchers, (*steps[-1].passed, *passed))), {**options, **own})


def find_first_missed(texts: Sequence[str], labels: Mapping[str, str]) -> str | None:
    """The first matcher that these labels do not fulfil; None when they fulfil all of them."""
    return next((text for text in texts if not Matcher.parse(text).matches(labels)), None)


def convert_route(route: Mapping[str, Any]) -> dict[str, Any]:
    """A route of an AlertmanagerConfig in Alertmanager's own notation."""
    made = {_SNAKE.get(key, key): value for key, value in route.items()}
    made["matchers"] = [f'{m["name"]}{m["matchType"]}"{m["value"]}"' for m in route.get("matchers", ())]
    return {**made, "routes": [convert_route(below) for below in route.get("routes", ())]}
