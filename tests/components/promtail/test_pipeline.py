"""What is made of a line, as stages; tests/e2e/test_levels.py shows what Promtail itself makes of lines by them."""

from __future__ import annotations

from typing import Any

from components.lines.reading import Reading, build_reading
from components.promtail.pipeline import build_stages
from model.load import parse_model
from model.logs import Logs


def matches(made: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The stages below each selector."""
    return {stage["match"]["selector"]: stage["match"]["stages"] for stage in made}


# -- fields ----------------------------------------------------------------------------------------------------------


def test_declared_labels_and_fields_are_taken() -> None:
    """Fields of few values become labels, all others but level, time and message are stored beside the line."""
    logs = parse_model(
        Logs, {"labels": ["level", "component"], "fields": ["level", "time", "msg", "component", "log.id"]}, "l"
    )
    how = build_reading(logs)
    assert how.labels == ("component",)
    assert how.fields == ("request_id", "trace_id", "span_id", "user_id", "log.id")
    (*_, labels, beside) = matches(build_stages({"web": how}))['{service=~"web"} |~ "^\\\\s*\\\\{"']
    assert set(labels["labels"]) == {"level", "component"}
    assert set(beside["structured_metadata"]) == {"request_id", "trace_id", "span_id", "user_id", "log_id"}


def test_services_that_are_read_alike_share_a_stage() -> None:
    """Each line is compared with each stage, so a thousand services must not make a thousand of them."""
    odd = Reading(labels=("component",))
    made = matches(build_stages({f"s{number}": odd if number % 2 else Reading() for number in range(6)}))
    assert [selector.partition("}")[0] for selector in made] == [
        '{service=~"s1|s3|s5"', '{job=~".+", service!~"s1|s3|s5"', '{job=~".+", level=""',
    ]  # fmt: skip


def test_text_is_searched_for_its_level_alone() -> None:
    """Lines of a service that writes text are left as they are, even those that look like JSON."""
    made = matches(build_stages({"java": build_reading(parse_model(Logs, {"format": "text"}, "l"))}))
    assert [selector.partition("}")[0] for selector in made] == ['{job=~".+", service!~"java"', '{job=~".+", level=""']


def test_logfmt_is_read_as_such() -> None:
    """A service that writes logfmt has its keys read, and its level under the name that it says."""
    how = build_reading(parse_model(Logs, {"format": "logfmt", "levelField": "sev", "fields": ["caller"]}, "l"))
    ((first, *_), *_) = matches(build_stages({"go": how})).values()
    assert first["logfmt"]["mapping"]["caller"] == "caller" and first["logfmt"]["mapping"]["level_0"] == "sev"
