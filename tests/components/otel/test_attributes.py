"""What becomes a label has values of the system's file alone; names are quoted, levels are those that lines have."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from components.otel import attributes
from model.levels import LEVELS
from tests.components.otel.plans import SENDER, plan_gateway
from tests.support.planned import document
from tests.support.systems import SYSTEM, plan_shop


def statements(folder: Path, name: str, **services: Any) -> list[str]:
    """The statements of a transform processor; `services` are others than the usual ones."""
    plan = plan_gateway(folder, services={**SYSTEM["services"], **services})
    found: dict[str, Any] = document(plan, "otel", "otel.yaml")["processors"][f"transform/{name}"]
    written = [each for key, value in found.items() if key.endswith("_statements") for each in value]
    return [each.replace("$$", "$") for each in written]  # as the program reads it


def test_a_service_is_one_that_the_file_names(tmp_path: Path) -> None:
    """Whoever calls itself otherwise is `undeclared`, so that a sender makes no new value of the label."""
    found = statements(tmp_path, "logs")
    pattern = re.search(r'IsMatch\(resource.attributes\["service.name"\], "(.+?)"\)', "\n".join(found))
    assert pattern and re.fullmatch(pattern[1], "billing") and not re.fullmatch(pattern[1], "billing2")
    assert f'set(resource.attributes["service"], "{attributes.UNDECLARED}")' in found


def test_names_are_no_expressions() -> None:
    """A dot in the name of a service stands for itself."""
    condition = attributes.build_name_condition(["api.v2", "web"])
    assert r"^(api\\.v2|web)$" in condition


def test_nobody_sends_where_no_service_says_so() -> None:
    """Without names the condition holds for nobody, not for everybody."""
    assert attributes.build_name_condition([]).endswith('"^()$")')


def test_labels_of_the_file_stand_on_what_is_sent(tmp_path: Path) -> None:
    """A team, which alerts are routed by, is a label of a service that sends as of one that is scraped."""
    assert any('["team"], "money") where' in each for each in statements(tmp_path, "metrics"))
    assert "team" in plan_gateway(tmp_path / "a").telemetry.otlp_labels


def test_values_do_not_pass_for_identity(tmp_path: Path) -> None:
    """An attribute `service` of a value is moved, as Prometheus moves a label of a target that has the same name."""
    found = statements(tmp_path, "metrics")
    for label in ("job", "instance", "service"):
        start = f'replace_all_patterns(datapoint.attributes, "key", "^{label}$", "exported_{label}")'
        assert any(each.startswith(start) for each in found), label


def test_values_do_not_pass_for_labels_of_the_file(tmp_path: Path) -> None:
    """However it is written, what Prometheus would store as a label of the service is moved, and nothing else."""
    sender = {**SENDER, "labels": {"cost_team": "money"}}
    (rename,) = [each for each in statements(tmp_path, "metrics", billing=sender) if "exported_cost_team" in each]
    pattern = json.loads(re.findall(r'"(?:[^"\\]|\\.)*"', rename)[1])
    assert all(re.search(pattern, name) for name in ("cost_team", "cost.team", "cost..team", "cost-team", "cost team"))
    assert not any(re.search(pattern, name) for name in ("costteam", "cost_teams", "my_cost_team"))
    assert rename.endswith('where resource.attributes["cost_team"] != nil')


def test_a_sender_gives_itself_no_label(tmp_path: Path) -> None:
    """What it calls like a label of the file is gone before the file's labels are set, of records and of metrics."""
    for name in ("metrics", "logs"):
        found = statements(tmp_path / name, name)
        gone, known = (next(n for n, each in enumerate(found) if word in each) for word in (
            'delete_key(resource.attributes, "team")', 'set(resource.attributes["team"], "money")'
        ))  # fmt: skip
        assert gone < known


def test_a_sender_gives_itself_no_label_of_lines(tmp_path: Path) -> None:
    """Loki has one list of names for all senders, in which those of the agent are; what that reads has its own."""
    settings = {"otel": json.dumps({"enabled": True}), "logs": json.dumps({"agent": "collector"})}
    plan = plan_shop(tmp_path, {"services.billing": dict(SENDER)}, settings)
    (limits,) = [document(plan, "loki", "loki.yaml")["limits_config"]]
    (names,) = limits["otlp_config"]["resource_attributes"]["attributes_config"]
    (found,) = [
        value for key, value in document(plan, "otel", "otel.yaml")["processors"]["transform/logs"].items()
        if key.endswith("_statements")
    ]  # fmt: skip
    gone = {name for name in names["attributes"] if f'delete_key(resource.attributes, "{name}")' in found}
    assert gone == set(names["attributes"]) > {"container", "filename", "stack"}


def test_levels_are_those_of_lines() -> None:
    """One query finds the errors of lines and of records."""
    assert set(attributes.NUMBERS) <= set(LEVELS)
    numbers = [number for first, last in attributes.NUMBERS.values() for number in range(first, last + 1)]
    assert numbers == list(range(1, 25))  # each number of the protocol has one


def test_every_text_is_quoted(tmp_path: Path) -> None:
    """A backslash in a pattern is doubled, as a text of the language has it; the gateway refuses it otherwise."""
    for name in ("metrics", "counted", "spans", "measured", "logs"):
        for each in statements(tmp_path / name, name):
            for text in re.findall(r'"(?:[^"\\]|\\.)*"', each):
                json.loads(text)
