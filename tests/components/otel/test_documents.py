"""The gateway's document: nothing that was answered is lost, everything is bounded, each signal has its store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from model.telemetry import SENT_VALUES
from tests.components.otel.plans import plan_gateway
from tests.support.planned import document
from tests.support.systems import SYSTEM


def config(folder: Path, **settings: Any) -> Any:
    """The document, parsed."""
    return document(plan_gateway(folder, **settings), "otel", "otel.yaml")


def test_nothing_waits_in_memory_before_a_queue(tmp_path: Path) -> None:
    """No processor holds back what was answered, save sampling, which is not on by itself."""
    pipelines = config(tmp_path, jaeger=True)["service"]["pipelines"]
    used = {name for pipeline in pipelines.values() for name in pipeline["processors"]}
    assert not {name for name in used if name.startswith(("batch", "tail_sampling"))}
    assert all(pipeline["processors"][0] == "memory_limiter" for key, pipeline in pipelines.items()
               if pipeline["receivers"] == ["otlp"])  # fmt: skip


def test_memory_is_bounded_below_the_limit(tmp_path: Path) -> None:
    """Senders are refused before the kernel would end the process."""
    made = config(tmp_path, memory="512MiB")["processors"]["memory_limiter"]
    assert made["limit_mib"] == 409 and made["spike_limit_mib"] < made["limit_mib"]


def test_spans_are_measured_before_they_are_sampled(tmp_path: Path) -> None:
    """Requests and errors are those of all traces, whichever of them are stored; errors and slow ones always are."""
    made = config(tmp_path, jaeger=True, sampling={"percentage": 5.0, "slow": "500ms"})
    pipelines = made["service"]["pipelines"]
    assert "tail_sampling" not in pipelines["traces/measured"]["processors"]
    assert pipelines["traces"]["processors"][-1] == "tail_sampling"
    policies = {policy["name"]: policy for policy in made["processors"]["tail_sampling"]["policies"]}
    assert policies["errors"]["status_code"]["status_codes"] == ["ERROR"]
    assert policies["slow"]["latency"]["threshold_ms"] == 500
    assert policies["share"]["probabilistic"]["sampling_percentage"] == 5


def test_a_signal_without_a_store_is_not_taken(tmp_path: Path) -> None:
    """Without Jaeger spans are measured and not stored; nothing is sent to an address where nobody is."""
    made = config(tmp_path)
    assert "otlp_http/traces" not in made["exporters"] and "traces" not in made["service"]["pipelines"]
    assert made["service"]["pipelines"]["traces/measured"]["exporters"] == ["span_metrics"]


def test_whatever_a_sender_sends_shows_that_it_runs(tmp_path: Path) -> None:
    """Its metrics are counted by its name, those of its spans or pages are not: they would be there without it."""
    services = {**SYSTEM["services"], "front": {"otlp": True, "packs": ["web"]}}
    made = config(tmp_path, services=services, browser={"origins": ["https://shop.example.com"]})
    pipelines = made["service"]["pipelines"]
    counted = {name for name, pipeline in pipelines.items() if "signal_to_metrics/sent" in pipeline["exporters"]}
    assert counted == {"metrics"} and pipelines["metrics"]["receivers"] == ["otlp"]
    (metric,) = made["connectors"]["signal_to_metrics/sent"]["datapoints"]
    assert f"{metric['name'].replace('.', '_')}_total" == SENT_VALUES
    # strangers may use up what is counted of them, and nothing of this
    assert "max_streams" not in made["processors"]["delta_to_cumulative/sent"]


def test_pods_are_known_on_a_cluster(tmp_path: Path) -> None:
    """There the pod that sent it stands for the instance; elsewhere nobody could be asked."""
    processors = document(plan_gateway(tmp_path / "a", cluster=True), "otel", "otel.yaml")["processors"]
    assert processors["k8s_attributes"]["auth_type"] == "serviceAccount"
    assert "k8s_attributes" not in config(tmp_path / "b")["processors"]


def test_series_of_spans_are_bounded(tmp_path: Path) -> None:
    """Names of spans come from programs, so there is a number of them beyond which they count as one."""
    assert config(tmp_path)["connectors"]["span_metrics"]["aggregation_cardinality_limit"] == 2000


def test_durations_are_written_as_go_reads_them(tmp_path: Path) -> None:
    """Its parser knows hours at most, so days and weeks of the settings become hours."""
    made = config(tmp_path, jaeger=True, sampling={"wait": "1d12h"})
    assert made["processors"]["tail_sampling"]["decision_wait"] == "36h"


def test_spans_of_all_instances_are_measured_together(tmp_path: Path) -> None:
    """What is measured says nothing of the instance that happened to send first."""
    made = config(tmp_path)
    (last,) = made["processors"]["transform/measured"]["trace_statements"][-1:]
    assert last == 'keep_keys(resource.attributes, ["service.name"])'
    assert made["service"]["pipelines"]["traces/measured"]["processors"][-1] == "transform/measured"
