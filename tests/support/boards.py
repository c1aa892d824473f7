"""What holds for the alerts and boards of every exporter's pack."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from cli.drawn import list_drawn_names
from model.dashboard import build_dashboard
from model.dashboard_spec import DashboardSpec, Panel
from model.promql import Catalogue, check_query, fill_variables, list_needed_names
from model.service import Tuning
from model.telemetry import AlertRule, Example
from packs.base import Tune

Alerts = Callable[[Tune], Sequence[AlertRule]]
NOTHING: Mapping[str, str] = {}
UNRELATED = {"unrelated": "1+0x120"}
"""A series that no panel asks for."""


def tuned(alerts: Alerts, thresholds: Mapping[str, float]) -> Sequence[AlertRule]:
    """The alerts with other thresholds; asserts that all tunable ones are there, and that words follow."""
    usual = {alert.name: alert for alert in alerts({})}
    assert {name for name, alert in usual.items() if alert.limit is not None} == thresholds.keys()
    others = alerts({name: Tuning(threshold=value) for name, value in thresholds.items()})
    for alert in others:
        if alert.name in thresholds:
            before = usual[alert.name]
            assert alert.limit == thresholds[alert.name] != before.limit
            assert f"{alert.limit:g}" in alert.expr and alert.expr != before.expr, alert.name
            assert alert.description != before.description, alert.name
        else:
            assert alert == usual[alert.name]
    return others


def keeps_identity(alerts: Sequence[AlertRule]) -> None:
    """Asserts that what is summed or joined keeps service, system and environment, by which alerts are routed."""
    for alert in alerts:
        assert alert.expr.count(" by (") == alert.expr.count(" by (service, system, environment"), alert.name
        assert alert.expr.count(" on (") == alert.expr.count(" on (service, system, environment"), alert.name
        assert "without" not in alert.expr, alert.name


class MixinContract:
    """Tests of the alerts and panels that a component brings about itself, for a class with its mixin to inherit."""

    pack: Any
    """The module with `alerts` and `panels`."""
    thresholds: Mapping[str, float]
    """Another value for every alert that has one."""

    def test_every_alert_is_proven(self, proves: Callable[..., None]) -> None:
        """Each alert fires just past its condition, not just before it, and not early."""
        proves(self.pack.alerts({}))

    @pytest.mark.exhaustive  # a second proof
    def test_every_tuned_alert_is_proven(self, proves: Callable[..., None]) -> None:
        """Another threshold stands in the expression, the words and the limit, and the examples follow it."""
        proves(tuned(self.pack.alerts, self.thresholds))

    def test_alerts_keep_the_labels_of_their_service(self) -> None:
        """What is summed keeps service and environment, which routes and inhibitions look at."""
        keeps_identity(self.pack.alerts({}))

    def test_every_panel_explains_itself(self, explains: Callable[[Sequence[Panel]], object]) -> None:
        """Each panel has a title of its own and says what it shows."""
        explains(self.pack.panels())


def is_sound(spec: DashboardSpec, uid: str, panels: range) -> None:
    """Asserts that a board can be built, has so many panels, and that its queries are PromQL about `environment`."""
    assert build_dashboard(spec, folder="Monitoring", tags=["monitoring"]).uid == spec.uid == uid
    shown = [panel for row in spec.rows for panel in row.panels]
    assert len(shown) in panels
    assert spec.description and spec.refresh == "30s"
    for panel in shown:
        assert panel.unit and panel.description.endswith("."), panel.title
        for query in panel.queries:
            assert not check_query(query.expr, Catalogue()), panel.title
            assert query.expr.count("{") == query.expr.count('{environment=~"$environment"'), panel.title
            assert "$service" not in query.expr, panel.title


def shows_troubles(
    proves: Callable[..., None], alerts: Sequence[AlertRule], panels: Sequence[Panel], calm: Mapping[str, str] = NOTHING
) -> None:
    """Asserts that panels have a line above 0 where an alert's example fires.

    Where all is `calm` each query has a line at 0, and where nobody counts it has none.
    """
    queries = [query.expr for panel in panels for query in panel.queries]
    drawn = []
    for alert in alerts:
        needed = list_needed_names(alert.expr) - {"up"}
        about = [
            fill_variables(query).replace("$environment", ".*") for query in queries if list_drawn_names(query) & needed
        ]
        assert about and alert.example, alert.name
        troubled = Example(fires=alert.example.fires, silent=calm, at=alert.example.at)
        drawn.append(replace(alert, expr=" or ".join(f"({query}) > 0" for query in about), for_="0s", example=troubled))
        drawn += [
            replace(
                alert,
                name=f"{alert.name}-{n}",
                expr=f"({query}) == 0",
                for_="0s",
                example=Example(fires=calm, silent=UNRELATED),
            )
            for n, query in enumerate(about if calm else ())
        ]
    proves(drawn)


def fits_a_row(spec: DashboardSpec) -> None:
    """Asserts that the panels of each row fill whole lines of Grafana's 24 columns."""
    for row in spec.rows:
        assert sum(panel.width for panel in row.panels) % 24 == 0, row.title
