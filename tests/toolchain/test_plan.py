"""The plan: what is absent, and an estimate."""

from __future__ import annotations

from toolchain import plan
from toolchain.context import Context
from toolchain.images import load_images
from toolchain.recipes import LOKI, PROMETHEUS, TRAEFIK


def test_only_absent_sources_are_planned(context: Context) -> None:
    """What is there is not planned, and nothing is planned twice."""
    LOKI.find_path(context).mkdir(parents=True)
    planned = plan.plan_sources(context, [LOKI, PROMETHEUS, PROMETHEUS, TRAEFIK])
    assert [(p.name, p.builds) for p in planned] == [("prometheus", True), ("traefik", False)]


def test_images_are_planned_by_their_sources(context: Context) -> None:
    """An absent image stands for the programs that it is made from."""
    names = {p.name for p in plan.plan_images(context, [load_images()["prometheus"]])}
    assert names == {"prometheus", "promtool", "prometheus-ui", "certificates"}


def test_estimate_overlaps_packages_with_builds() -> None:
    """Packages come beside the builds, so the longer of the two counts."""
    build, package = plan.Planned("a", "Go", 120, builds=True), plan.Planned("b", "Debian", 60, builds=False)
    assert plan.compute_minutes([build, package]) == 2


def test_words() -> None:
    """The plan says how many things, how long, and that nothing is to be done when nothing is."""
    assert "nothing to build" in plan.describe_plan([])
    text = plan.describe_plan([plan.Planned("loki", "Go loki", 300, builds=True)])
    assert "1 things, about 5 min" in text
    assert "Go loki" in text


def test_kubernetes_is_planned_by_its_own_group(context: Context) -> None:
    """Provider, cluster and validators come with the group `kubernetes` and with no other."""
    names = {p.name for p in plan.plan_kubernetes(context)}
    assert {"pulumi-resource-kubernetes", "kubernetes", "coredns", "kubeconform"} <= names
    assert not {p.name for p in plan.plan_pulumi(context)} & {"pulumi-resource-kubernetes", "kubernetes"}
