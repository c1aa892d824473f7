"""Whatever a sender got an answer for is taken by its store: bounds add up to less than the limits of Loki."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from components.otel import bounds
from components.otel.bounds import (
    ATTRIBUTES,
    FIELDS,
    NAME,
    RESOURCE_ATTRIBUTES,
    RESOURCE_BYTES,
    SCOPE_ATTRIBUTES,
    build_record_statements,
    build_sender_statements,
    build_span_statements,
    build_time_statements,
    choose_record_bytes,
    derive_times,
)
from model.base import escape_dollars, parse_duration
from model.stores import LogLimits
from tests.components.otel.plans import plan_gateway
from tests.support.planned import document

LIMITS = LogLimits()


def test_limits_are_those_that_loki_is_given(tmp_path: Path) -> None:
    """A record is cut down to what stands in Loki's own document, which is that of the plan's only definition."""
    plan = plan_gateway(tmp_path)
    config = document(plan, "loki", "loki.yaml")
    (store,) = plan.telemetry.log_stores
    own = config["limits_config"]
    assert own["max_line_size"] == f"{store.limits.line_bytes // 1024}KB"
    assert own["max_structured_metadata_size"] == f"{store.limits.metadata_bytes // 1024}KB"
    assert own["max_structured_metadata_entries_count"] == store.limits.metadata_entries
    assert (own["reject_old_samples_max_age"], own["creation_grace_period"]) == (store.limits.oldest, "10m")
    assert config["server"]["grpc_server_max_recv_msg_size"] == store.limits.request_bytes
    assert config["ingester"]["max_chunk_age"] == "2h"  # of which Loki takes half: the window
    made = document(plan, "otel", "otel.yaml")["processors"]
    assert set(escape_dollars(build_record_statements(store.limits))) <= set(made["transform/logs"]["log_statements"])
    assert made["transform/senders"]["log_statements"] == made["transform/senders"]["trace_statements"]


def test_all_that_stands_beside_a_line_fits() -> None:
    """Attributes of a record, of its sender and of its scope, and its fields are fewer and smaller than the limits."""
    entries = ATTRIBUTES + len(bounds.MARKS) + RESOURCE_ATTRIBUTES + SCOPE_ATTRIBUTES + FIELDS
    assert entries <= LIMITS.metadata_entries
    scope = SCOPE_ATTRIBUTES * (bounds.WORD + bounds.SCOPE_LENGTH)
    fields = 3 * bounds.SCOPE_LENGTH + bounds.WORD + 500  # scope and event by name, level; ids, times and marks
    assert choose_record_bytes(LIMITS) + RESOURCE_BYTES + scope + fields <= LIMITS.metadata_bytes


@pytest.mark.parametrize(
    ("statements", "count", "total"),
    [
        (build_record_statements(LIMITS), ATTRIBUTES, choose_record_bytes(LIMITS)),
        (build_sender_statements(()), RESOURCE_ATTRIBUTES, RESOURCE_BYTES),
        (build_span_statements(), ATTRIBUTES, bounds.SPAN_BYTES),
    ],
    ids=["records", "senders", "spans"],
)
def test_what_is_too_large_in_all_is_squeezed(statements: list[str], count: int, total: int) -> None:
    """So many of the longest names with the longest values are within the sum, and short names alone are left."""
    (squeezed,) = [each for each in statements if each.startswith("truncate_all") and f"> {total}" in each]
    length = int(squeezed.split(", ")[1])
    assert count * (NAME + length) <= total and length >= NAME
    names = statements.index(squeezed) - 1
    assert statements[names].startswith("delete_matching_keys") and f"{{{NAME + 1},}}" in statements[names]


def test_names_without_a_letter_are_left_out() -> None:
    """Loki refuses a whole request for one of them, with the records of all others in it."""
    for statements in (build_record_statements(LIMITS), build_sender_statements(())):
        assert [each for each in statements if "^[^a-zA-Z0-9]*$" in each]


def test_a_map_is_one_attribute() -> None:
    """Loki makes one of each key of a map, however many; so it is a text before attributes are counted."""
    for own, statements in (("log", build_record_statements(LIMITS)), ("resource", build_sender_statements(()))):
        text = statements.index(f"stringify_all({own}.attributes)")
        assert text < next(number for number, each in enumerate(statements) if each.startswith("truncate_all"))


def test_lines_are_within_loki_s_size() -> None:
    """A body is text, cut between characters, and its size before is said."""
    size = LIMITS.line_bytes
    statements = build_record_statements(LIMITS)
    assert f"set(log.body, Substring(log.body, 0, {size}, true)) where log.body != nil and Len(log.body) > {size}" in (
        statements
    )
    assert any(each.startswith(f'set(log.attributes["{bounds.BODY}"], Len(log.body)) where') for each in statements)


@pytest.mark.parametrize("limits", [LIMITS, replace(LIMITS, window="4h", ahead="20m"), replace(LIMITS, oldest="30m")])
def test_times_are_within_loki_s_window(limits: LogLimits) -> None:
    """The oldest that is left as it is can follow the newest of its stream, with time to spare."""
    late, early = map(parse_duration, derive_times(limits))
    assert late + early < parse_duration(limits.window) and late < parse_duration(limits.oldest)
    assert early < parse_duration(limits.ahead)


def test_a_bad_time_is_that_of_arrival() -> None:
    """The time at which it was observed is checked first, as it takes the place; the sender's own stays beside."""
    observed, own, last = build_time_statements(LIMITS)
    assert observed.startswith("set(log.observed_time, Now())")
    assert own.startswith(f'set(log.attributes["{bounds.TIME}"]') and "log.time_unix_nano != 0" in own
    assert last.startswith("set(log.time, log.observed_time)")
