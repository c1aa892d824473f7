"""What a stack does without because a part of it was switched off: nothing else would show that it is absent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from model.checks.needs import join_sentences, list_offers, shorten_names
from model.places import locate_in_section
from model.telemetry import Telemetry

if TYPE_CHECKING:
    from model.component import Planning


def list_losses(context: Planning, merged: Telemetry, switched_off: Mapping[str, Telemetry]) -> Iterator[str]:
    """A sentence for each part that the settings switch off and that would bring something: offers, alerts.

    Args:
        context: the sections of the stack.
        merged: what everyone that is switched on contributes.
        switched_off: what each of the others would contribute.
    """
    offered = list_offers(merged)
    present = {alert.name for group in merged.rules for alert in group.alerts}
    for name, part in switched_off.items():
        if "enabled" not in context.sections[name].model_fields_set:
            continue
        reasons = [f"nothing here offers {offer}" for offer in sorted(part.offers) if offer not in offered]
        alerts = sorted({alert.name for group in part.rules for alert in group.alerts} - present)
        if alerts:
            reasons.append(f"the alerts {shorten_names(alerts)} do not exist")
        if reasons:
            yield f"{locate_in_section(context.stack, name, 'enabled')}: false, so {join_sentences(reasons)}"
