"""What would be built and about how long that takes, before anything is."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from toolchain import pulumi_cli, validators
from toolchain.assemble import find_image_path
from toolchain.context import Context
from toolchain.golang import GoBuild
from toolchain.images import ImageSpec
from toolchain.modules import fetching_modules
from toolchain.progress import format_minutes
from toolchain.prometheus_ui import PrometheusUi
from toolchain.recipe import Source
from toolchain.recipes import CLUSTER_SOURCES, RECIPES

PACKAGE_SECONDS = 5.0
"""Typical time for one Debian or PyPI package with its libraries; several come at a time, beside the builds."""
_PARALLELISM = 0.85
"""Share of the cores that a Go build keeps busy; the linker works alone at the end."""


@dataclass(frozen=True)
class Planned:
    """One thing that is absent, where it would come from, and the seconds that may take on this machine."""

    name: str
    how: str
    seconds: float
    builds: bool
    source: Source | None = None
    """What gets it."""


def plan_sources(context: Context, sources: Iterable[Source]) -> list[Planned]:
    """The absent ones of `sources`, each once."""
    absent = [s for s in dict.fromkeys(sources) if not s.find_path(context).is_dir()]
    seconds = _share_seconds([s for s in absent if isinstance(s, GoBuild)])
    return [_build_planned(s, seconds) for s in absent]


def plan_pulumi(context: Context) -> list[Planned]:
    """What of Pulumi is absent; an official download, where it works, is much quicker than is said here."""
    missing: list[Source] = []
    if pulumi_cli.find_cli_directory(context) is None:
        missing += [pulumi_cli.CLI, pulumi_cli.PYTHON_HOST]
    missing += [p.build for p in pulumi_cli.PROVIDERS if not pulumi_cli.is_installed(context, p)]
    return plan_sources(context, missing)


def plan_kubernetes(context: Context) -> list[Planned]:
    """What is absent of all that a stack on Kubernetes and the cluster for trials need, images aside."""
    provider = pulumi_cli.KUBERNETES
    absent: list[Source] = [] if pulumi_cli.is_installed(context, provider) else [provider.build]
    absent += [validators.PINNED[n][0] for n in validators.KUBERNETES if not validators.find_validator(context, n)]
    return plan_pulumi(context) + plan_sources(context, [*absent, *CLUSTER_SOURCES])


def plan_images(context: Context, specs: Iterable[ImageSpec]) -> list[Planned]:
    """What the absent ones of the images are made from."""
    absent = [s for s in specs if s.name in RECIPES and not find_image_path(context, s).is_dir()]
    return plan_sources(context, [source for s in absent for source in RECIPES[s.name].list_sources()])


def plan_test(context: Context) -> list[Planned]:
    """What of the unit tests' validators is absent."""
    names = (n for n in validators.UNIT_TESTS if validators.find_validator(context, n, pinned=True) is None)
    return plan_sources(context, [*(validators.PINNED[name][0] for name in names), *validators.IMAGE_TESTS])


def compute_minutes(planned: Iterable[Planned]) -> float:
    """Builds run one after the other, packages beside them: minutes in all."""
    listed = list(planned)
    builds = sum(p.seconds for p in listed if p.builds)
    packages = sum(p.seconds for p in listed if not p.builds)
    return max(builds, packages) / 60


def describe_plan(planned: list[Planned]) -> str:
    """The plan in words, for the start of a run."""
    if not planned:
        return "everything is there; nothing to build"
    lines = [f"  {p.name:<26} {p.how:<70} {p.seconds:>5.0f} s" for p in planned]
    minutes = compute_minutes(planned)
    about = format_minutes(minutes * 60)
    head = f"to get: {len(planned)} things, about {about} with {count_cores()} cores"
    return "\n".join([f"{head} if nothing can be downloaded or is compiled yet", *lines])


def count_cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0))


@contextmanager
def following_plan(context: Context, planned: Iterable[Planned]) -> Iterator[None]:
    """Say what will be got, fetch its builds' modules while the body runs, and let each build say what then remains."""
    listed = list(dict.fromkeys(planned))
    context.progress.say(describe_plan(listed))
    builds = {p.source: p.seconds for p in listed if isinstance(p.source, GoBuild | PrometheusUi)}
    context.progress.expect({build.step: seconds for build, seconds in builds.items()})
    with fetching_modules(context, [build for build in builds if isinstance(build, GoBuild)]):
        yield


def _share_seconds(builds: list[GoBuild]) -> dict[GoBuild, float]:
    """Seconds of each build: of those that share a module, the first one compiles what the others have in common."""
    cores = count_cores() * _PARALLELISM
    seconds: dict[GoBuild, float] = {}
    for module in dict.fromkeys(build.module for build in builds):
        alike = [build for build in builds if build.module == module]
        costs = sorted((build.cpu_seconds / cores for build in alike), reverse=True)
        seconds |= dict(zip(alike, costs, strict=True))
    return seconds


def _build_planned(source: Source, seconds: Mapping[GoBuild, float]) -> Planned:
    if isinstance(source, PrometheusUi):
        return Planned(source.name, source.describe(), source.seconds, builds=True, source=source)
    if isinstance(source, GoBuild):
        return Planned(source.program, source.describe(), seconds[source], builds=True, source=source)
    return Planned(source.name, source.describe(), PACKAGE_SECONDS, builds=False, source=source)
