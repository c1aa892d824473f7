"""Whether services that send their metrics are up: recorded under the name that a scrape gives it.

All that stands on `up` (alerts on targets, on missing metrics, panels of health) then holds for them too.
"""

from __future__ import annotations

from collections.abc import Sequence

from model.telemetry import SENT_VALUES, PushedMetrics, RecordingRule, RuleGroup

SENT = "otlp"
"""The label instance of what is recorded: of several instances it is unknown how many there should be."""
SILENT = "3m"
"""Without a sample for so long a service is down: SDKs send once a minute unless they are set to less, and one request
may be lost. https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/"""


def build_arrival_rules(pushed: Sequence[PushedMetrics]) -> tuple[RuleGroup, ...]:
    """The rules that record it, none where nobody sends any."""
    return (RuleGroup(name="arrivals", recordings=tuple(map(build_arrival_rule, pushed))),) if pushed else ()


def build_arrival_rule(each: PushedMetrics) -> RecordingRule:
    """1 while any of its metrics arrives, else 0."""
    service, environment = each.labels["service"], each.labels["environment"]
    series = f'{SENT_VALUES}{{sender="{service}", environment="{environment}"}}'
    return RecordingRule(
        record="up",
        expr=f"clamp_max(sum(count_over_time({series}[{SILENT}])) or vector(0), 1)",
        labels={**each.labels, "instance": SENT},
    )
