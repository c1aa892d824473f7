"""How often alerts would have fired within the last week, by their old and their new rule, as Prometheus knows it.

Each expression is evaluated minute by minute: https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries.
"""

from __future__ import annotations

import json
import netrc
import time
import urllib.parse
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cli.answers import read_answer
from cli.changes.rules import Pair, Rule
from cli.changes.values import parse_amount
from model.base import DAY

WEEK, STEP = 7 * DAY, 60
"""Seconds: how far back, and how far apart; 10,080 points, of 11,000 that Prometheus gives."""
MOST_RULES, MOST_BYTES, MOST_SECONDS = 20, 16 * 2**20, 120
"""Bounds of all that is looked at: pairs of rules, bytes of one answer, seconds for all."""


@dataclass(frozen=True)
class Prometheus:
    """A Prometheus at an address; its login is that of ~/.netrc, if it is there."""

    url: str

    def query_range(self, expression: str, now: float) -> list[Any]:
        """The series of an expression within the last week.

        Raises:
            RuntimeError: it does not answer, or not with series.
        """
        words = {"query": expression, "start": now - WEEK, "end": now, "step": STEP}
        data = urllib.parse.urlencode(words).encode()
        body = read_answer(
            "POST", f"{self.url.rstrip('/')}/api/v1/query_range", self._build_headers(), data, most=MOST_BYTES
        )
        try:
            return list(json.loads(body)["data"]["result"])
        except (ValueError, KeyError, TypeError) as error:
            raise RuntimeError("the answer is not one of Prometheus") from error

    def _build_headers(self) -> dict[str, str]:
        try:
            login = netrc.netrc().authenticators(urllib.parse.urlsplit(self.url).hostname or "")
        except (OSError, netrc.NetrcParseError):
            return {}
        return {"Authorization": f"Basic {b64encode(f'{login[0]}:{login[2]}'.encode()).decode()}"} if login else {}


def count_firings(series: Sequence[Mapping[str, Any]], wait: float, stay: float = 0) -> int:
    """How often an alert begins to fire: once for each series that is there without a gap for `wait` seconds.

    An alert that has begun goes on for `stay` seconds after its condition has ended.
    """
    return sum(_count_series([float(point[0]) for point in item.get("values", ())], wait, stay) for item in series)


def _count_series(times: Sequence[float], wait: float, stay: float) -> int:
    count, began, last, fires = 0, 0.0, float("-inf"), False
    for moment in times:
        if moment - last > STEP * 1.5 + (stay if fires else 0):
            began, fires = moment, False
        elif moment - last > STEP * 1.5:
            began = moment
        if not fires and moment - began >= wait:
            count, fires = count + 1, True
        last = moment
    return count


def build_look(url: str, clock: Callable[[], float] = time.time) -> Callable[[Sequence[Pair]], dict[int, str]]:
    """Looks into the Prometheus at `url`, within the bounds of this module."""
    server = Prometheus(url)

    def look(pairs: Sequence[Pair]) -> dict[int, str]:
        now, made = clock(), dict[int, str]()
        alerts = [(n, pair) for n, pair in enumerate(pairs) if pair.shown.is_alert and not pair.only_texts]
        for count, (place, pair) in enumerate(alerts):
            if count >= MOST_RULES or clock() - now > MOST_SECONDS:
                made[place] = "How often it would have fired is not known: too many rules change to look at all."
            else:
                made[place] = _look_at_pair(server, pair, now)
        return made

    return look


def _look_at_pair(server: Prometheus, pair: Pair, now: float) -> str:
    """In words, how often a pair of rules would have fired."""
    try:
        counts = [_count_rule(server, rule, now) for rule in (pair.before, pair.after)]
    except RuntimeError as error:
        return f"How often it would have fired is not known: {error}."
    if counts[0] is None:
        return f"In the last 7 days it would have fired {_say_times(counts[1])}."
    if counts[1] is None:
        return f"In the last 7 days it would have fired {_say_times(counts[0])}, as it was."
    return f"In the last 7 days it would have fired {_say_times(counts[1])}; as it was, {_say_times(counts[0])}."


def _count_rule(server: Prometheus, rule: Rule | None, now: float) -> int | None:
    if rule is None:
        return None
    wait, stay = (parse_amount(str(rule.body.get(key) or "0s")) or 0 for key in ("for", "keep_firing_for"))
    return count_firings(server.query_range(str(rule.body.get("expr")), now), wait, stay)


def _say_times(count: int | None) -> str:
    return "never" if not count else "once" if count == 1 else f"{count:,} times"
