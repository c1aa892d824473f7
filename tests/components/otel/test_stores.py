"""Where everything goes: each store has a queue on disk, and is sent no more than it takes."""

from __future__ import annotations

from pathlib import Path

from components.otel.bounds import choose_record_bytes
from components.otelcol import DATA_DIR
from model.stores import LogLimits
from tests.components.otel.plans import plan_gateway
from tests.components.otel.test_documents import config
from tests.support.planned import document


def test_every_store_has_a_queue_on_disk(tmp_path: Path) -> None:
    """What was answered survives the gateway's end, and a store that is away is waited for without an end."""
    made = config(tmp_path, jaeger=True, queue="64MiB")
    assert made["exporters"].keys() == {"otlp_http/traces", "otlp_http/metrics", "otlp_http/logs"}
    for exporter in made["exporters"].values():
        queue = exporter["sending_queue"]
        assert (queue["storage"], queue["sizer"], queue["queue_size"]) == ("file_storage", "bytes", 64 * 1024**2)
        assert exporter["retry_on_failure"]["max_elapsed_time"] == 0
    assert made["extensions"]["file_storage"]["directory"] == DATA_DIR


def test_metrics_reach_every_prometheus(tmp_path: Path) -> None:
    """What is sent to one instance does not reach the others, so each has an exporter and a queue of its own."""
    plan = plan_gateway(tmp_path, cluster=True, prometheus={"replicas": 2})
    made = document(plan, "otel", "otel.yaml")
    stores = [name for name in made["exporters"] if name.startswith("otlp_http/metrics")]
    assert len({made["exporters"][name]["endpoint"] for name in stores}) == len(stores) == 2
    assert made["service"]["pipelines"]["metrics"]["exporters"] == [*stores, "signal_to_metrics/sent"]
    assert made["service"]["pipelines"]["metrics/sent"]["exporters"] == stores


def test_one_request_to_loki_is_bounded(tmp_path: Path) -> None:
    """Loki has the attributes of a sender at each of its records: so many records at once have no more than it takes.

    They go there in their order, as an older one is refused behind a newer one.
    """
    queue = document(plan_gateway(tmp_path), "otel", "otel.yaml")["exporters"]["otlp_http/logs"]["sending_queue"]
    batch = queue["batch"]
    assert (batch["sizer"], batch["min_size"], queue["num_consumers"]) == ("items", 0, 1)
    beside = batch["max_size"] * (LogLimits().metadata_bytes - choose_record_bytes(LogLimits()))
    assert 2 * 4 * 1024**2 + beside <= LogLimits().request_bytes  # of a request of 4 MiB, whose texts may become longer
