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
