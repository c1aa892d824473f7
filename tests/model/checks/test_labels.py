"""Names and labels that are taken are found wherever they can be written."""

from __future__ import annotations

from model.checks import labels
from tests.model.checks.contexts import context


def test_ordinary_names_are_left_alone() -> None:
    """The shop, and labels that nobody else has, are no problem."""
    free = {"services.api.labels": {"team": "a"}, "alerts.0.labels": {"team": "a", "service": "api"}}
    assert labels.check_labels(context()) == [] and labels.check_labels(context(free)) == []


def test_labels_of_pods_are_taken_where_pods_are_found() -> None:
    """`pod` is free for a service with an address, and taken where the cluster fills it in."""
    free = {"services.api.labels": {"pod": "a"}}
    pods = {**free, "services.api.kubernetes": {"namespace": "n", "selector": {"app": "a"}}}
    assert labels.check_labels(context(free)) == []
    assert [p.where for p in labels.check_labels(context(pods))] == [
        "configs/systems/shop.yaml: services.api.labels.pod"
    ]


def test_labels_of_spans_and_lines_are_taken() -> None:
    """A service's `level` or `span_name` would stand where its lines and spans have theirs."""
    for label in ("level", "span_name", "status_code"):
        (problem,) = labels.check_labels(context({"services.api.labels": {label: "a"}}))
        assert problem.where.endswith(f"services.api.labels.{label}")


def test_objects_of_a_cluster_keep_what_finds_them() -> None:
    """Labels by which the stack finds its own objects cannot be said again, nor any that a cluster would refuse."""
    settings = {
        "labels": {"io.observability.stack": "x", "team": "a b"},
        "annotations": {"pulumi.com/patchForce": "no"},
    }
    paths = [p.where for p in labels.check_labels(context(target="kubernetes", kubernetes=settings))]
    keys = ("labels.io.observability.stack", "annotations.pulumi.com/patchForce", "labels.team")
    assert paths == [f"Pulumi.dev.yaml: kubernetes.{key}" for key in keys]
    assert labels.check_labels(context(target="kubernetes", kubernetes={"labels": {"example.com/team": "a"}})) == []


def test_a_label_of_both_is_refused_unless_it_is_honored() -> None:
    """Prometheus renames that of the metric, so that what is declared is not what is stored; pods have more of them."""
    metric = {"type": "gauge", "labels": {"service": ["a"], "instance": ["b"], "pod": ["c"]}}
    system = {"services.api.metrics.depth": metric}
    where = "configs/systems/shop.yaml: services.api.metrics.depth.labels."
    pods = {"services.api.kubernetes": {"namespace": "n", "selector": {"app": "a"}}}
    usual = [f"{where}service", f"{where}instance"]
    assert [p.where for p in labels.check_labels(context(system))] == usual
    assert [p.where for p in labels.check_labels(context({**system, **pods}))] == usual
    on_cluster = labels.check_labels(context({**system, **pods}, target="kubernetes"))
    assert [p.where for p in on_cluster] == [*usual, f"{where}pod"]
    for honors in ({"services.api.scrape": {"honorLabels": True}}, {"scrape": {"honorLabels": True}}):
        assert labels.check_labels(context({**system, **pods, **honors}, target="kubernetes")) == []


def test_what_has_a_role_keeps_the_labels_of_its_service() -> None:
    """Rules ask for the service by its label, so a metric with one of its own would be seen by none."""
    honors = {"services.api.scrape": {"honorLabels": True}}
    role = {"type": "gauge", "role": "active", "labels": {"job": ["a"]}}
    (problem,) = labels.check_labels(context({**honors, "services.api.metrics.depth": role}))
    assert problem.where.endswith("metrics.depth.labels.job") and "leave honorLabels out" in problem.message
    free = {**role, "labels": {"instance": ["a"]}}
    assert labels.check_labels(context({**honors, "services.api.metrics.depth": free})) == []
