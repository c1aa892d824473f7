"""The plan: what is absent, and an estimate."""

from __future__ import annotations

import re
from contextlib import nullcontext
from dataclasses import replace

import pytest

from toolchain import plan
from toolchain.context import Context
from toolchain.images import load_images
from toolchain.progress import Progress
from toolchain.recipes import LOKI, PROMETHEUS, PROMTOOL, TRAEFIK

from .conftest import MakeContext


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


def test_whoever_is_built_first_pays_for_what_is_shared(context: Context) -> None:
    """The sum of a module's programs does not depend on their order; the first one compiles what they share."""
    orders = ([PROMETHEUS, PROMTOOL], [PROMTOOL, PROMETHEUS])
    first, second = ([(p.name, p.seconds) for p in plan.plan_sources(context, order)] for order in orders)
    assert [seconds for _, seconds in first] == [seconds for _, seconds in second]
    assert first[0][1] > first[1][1]


def test_a_plan_is_followed(
    make_context: MakeContext, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said at the start, and the end of a build says what remains."""
    monkeypatch.setattr(plan, "fetching_modules", lambda *_: nullcontext())
    context = replace(make_context(), progress=Progress())
    with plan.following_plan(context, plan.plan_sources(context, [PROMETHEUS, LOKI])):
        with context.progress.step(PROMETHEUS.step):
            pass
        with context.progress.step(LOKI.step):
            pass
    said = capsys.readouterr().err
    assert "to get: 2 things" in said
    assert re.search(r"prometheus: Go build: done in .*; about (\d+ min|a minute) to go\n", said)
    assert re.search(r"loki: Go build: done in \S+ s\n", said)


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
