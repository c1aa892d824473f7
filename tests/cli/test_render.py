"""Documents of a stack on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli import render
from model.errors import ConfigError
from tests.support import systems
from tests.support.yaml_files import read_yaml


def test_wrong_stack_file_is_refused(tmp_path: Path) -> None:
    """Rendering says what is wrong in a stack file, as `up` does."""
    path = tmp_path / "Pulumi.dev.yaml"
    path.write_text("config: {observability:systm: plue}")
    with pytest.raises(ConfigError, match="systm"):
        render.plan_file(path, "dev")


def test_what_nobody_reads_is_refused_with_the_rest(tmp_path: Path) -> None:
    """A misspelt project's name is reported in the same run as other mistakes, and alone too."""
    path = tmp_path / "Pulumi.dev.yaml"
    for settings, count in (("observability:system: plue", 1), ("observability:systm: plue", 3)):
        path.write_text(f"config: {{{settings}, 'observabilty:loki': {{}}}}")
        with pytest.raises(ConfigError, match="observabilty:loki: belongs to") as raised:
            render.plan_file(path, "dev")
        assert len(raised.value.problems) == count


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    """A stack file is read as strictly as a system: of two equal keys, neither silently wins."""
    path = tmp_path / "Pulumi.dev.yaml"
    path.write_text("config:\n  observability:system: plue\n  observability:system: shop\n")
    with pytest.raises(ConfigError, match=r"Pulumi.dev.yaml: .*'observability:system' stands twice \(lines 2 and 3\)"):
        render.plan_file(path, "dev")


def test_every_workload_and_document_is_there(tmp_path: Path) -> None:
    """Each workload has a file of what the engine is asked for, and its documents are below its name."""
    plan = systems.plan_shop(tmp_path)
    files = render.render_documents(plan)
    for workload in plan.list_workloads():
        assert f"docker/{workload.name}.yaml" in files
        for name, text in (workload.config.files if workload.config else {}).items():
            assert files[f"{workload.name}/{name}"] == text


def test_containers_are_shown_as_the_engine_is_asked(tmp_path: Path) -> None:
    """Image, ports, volumes, limits and probe of a workload's container can be read and compared."""
    files = render.render_documents(systems.plan_shop(tmp_path))
    shown = read_yaml(files["docker/prometheus.yaml"])
    container = shown["containers"][-1]
    assert container["ports"] == [{"internal": 9090, "external": 9090, "ip": "127.0.0.1", "protocol": "tcp"}]
    assert shown["volumes"][0]["name"] == "dev-prometheus-data" and shown["volumes"][0]["retain"] is True
    assert container["memory"] > 0 and container["ulimits"] and container["healthcheck"]["tests"]
    stack = read_yaml(files["docker/stack.yaml"])
    assert container["image"] == "${image prometheus}"
    assert stack["images"]["prometheus"].startswith("prom/prometheus:v")


def test_exceptions_of_a_workload_on_a_cluster_have_their_reasons(tmp_path: Path) -> None:
    """Objects do not say why an agent runs as root; the workload's own file does."""
    files = render.render_documents(systems.plan_cluster(tmp_path))
    shown = read_yaml(files["node-exporter/workload.yaml"])
    assert shown["exemptions"] and all(shown["exemptions"].values())


def test_render_leaves_nothing_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second run into the same folder removes documents that are gone and keeps the others."""
    plan = systems.plan_shop(tmp_path / "project")
    monkeypatch.setattr(render, "plan_file", lambda path, stack: plan)
    folder = tmp_path / "out"
    (folder / "old").mkdir(parents=True)
    (folder / "old" / "gone.yml").write_text("x")
    assert render.write_documents("dev", folder) == 0
    assert not (folder / "old" / "gone.yml").exists()
    written = {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}
    assert written == render.render_documents(plan)


def test_objects_for_an_operator_are_files_of_their_own(tmp_path: Path) -> None:
    """One for each, by kind and name, with the labels by which it is selected; no Prometheus of our own beside them."""
    plan = systems.plan_cluster(tmp_path, settings={"prometheus": "operator"})
    files = render.render_documents(plan)
    for item in plan.extra_objects:
        shown = read_yaml(files[f"kubernetes/{item.kind.lower()}/{item.name}.yaml"])
        assert shown["metadata"]["labels"].items() >= item.labels.items()
    assert "kubernetes/prometheus.yaml" not in files and "kubernetes/servicemonitor/loki.yaml" in files
    assert "kubernetes.io/metadata.name: monitoring\n" in files["kubernetes/loki.yaml"]


def test_only_what_a_stack_runs_is_brought() -> None:
    """Images of components that are off are not asked for; what replaces one, and what prepares volumes, are."""

    def images(stack: str) -> set[str]:
        return set(render.list_images(render.plan_file(systems.ROOT / f"Pulumi.{stack}.yaml", stack)))

    expected = images("dev")
    assert {"prometheus", "grafana", "dashboard-viewer", "busybox", "postgres"} <= expected
    assert not expected & {"jaeger", "redis", "kube-state-metrics"}
    assert "jaeger" in images("devops-mcp")
    assert {"kube-state-metrics"} < images("prod") and "cadvisor" not in images("prod")
