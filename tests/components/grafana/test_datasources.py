"""Grafana's data sources: the provisioning format, and links between those of logs and traces."""

from __future__ import annotations

from components.grafana.datasources import build_datasources
from model.telemetry import Datasource

LOGS = Datasource(uid="loki", name="Loki", kind="loki", url="http://loki:3100")
TRACES = Datasource(uid="tracing", name="Traces", kind="tempo", url="http://tempo:3200")


def test_a_data_source_follows_the_format() -> None:
    """Type, address and options stand where the provisioning format wants them."""
    source = Datasource(uid="x", name="X", kind="loki", url="http://loki:3100", json_data={"maxLines": 1})
    assert build_datasources((source,))["datasources"][0] == {
        "name": "X",
        "uid": "x",
        "type": "loki",
        "access": "proxy",
        "url": "http://loki:3100",
        "isDefault": False,
        "editable": False,
        "jsonData": {"maxLines": 1},
    }


def test_logs_and_traces_lead_to_each_other() -> None:
    """Each links to the uid of the other, and neither to one that is not there."""
    logs, traces = (found["jsonData"] for found in build_datasources((LOGS, TRACES))["datasources"])
    assert {link["datasourceUid"] for link in logs["derivedFields"]} == {"tracing"}
    assert traces["tracesToLogsV2"]["datasourceUid"] == "loki"
    (alone,) = build_datasources((LOGS,))["datasources"]
    assert alone["jsonData"] == {}


def test_measurements_lead_to_traces() -> None:
    """Prometheus' exemplars carry a trace_id, which is no link where nobody has traces."""
    metrics = Datasource(uid="prometheus", name="Prometheus", kind="prometheus", url="http://prometheus:9090")
    first, _ = build_datasources((metrics, TRACES))["datasources"]
    assert first["jsonData"]["exemplarTraceIdDestinations"] == [{"name": "trace_id", "datasourceUid": "tracing"}]
    (alone,) = build_datasources((metrics,))["datasources"]
    assert alone["jsonData"] == {}


def test_what_is_gone_is_removed() -> None:
    """A data source that nobody contributes any more is pruned."""
    assert build_datasources(())["prune"] is True
