"""The programs that check documents: those inside the images that are deployed, at the same versions.

A distribution's own are no substitute: Debian's promtool knows no Kubernetes discovery, and an older one judges rules
differently. A validator that cannot be had is an error, never a reason to skip what needs it.
"""

from __future__ import annotations

from pathlib import Path

from toolchain.context import Context
from toolchain.errors import ToolchainError
from toolchain.golang import GoBuild
from toolchain.host import find_program
from toolchain.npm import NODE
from toolchain.recipe import Source
from toolchain.recipes import (
    ALERTMANAGER,
    AMTOOL,
    BLACKBOX,
    BROWSER_KIT,
    HAPROXY,
    JAEGER,
    KUBERNETES_PROGRAMS,
    LOKI,
    OPERATOR_CRDS,
    OTEL_COLLECTOR,
    PROMETHEUS,
    PROMTAIL,
    PROMTOOL,
    TRAEFIK,
    VIEWER_PAGES,
)

ACTIONLINT = GoBuild("actionlint", "actionlint", "github.com/rhysd/actionlint/cmd/actionlint", cpu_seconds=25)

KUBECONFORM = GoBuild("kubeconform", "kubeconform", "github.com/yannh/kubeconform/cmd/kubeconform", cpu_seconds=15)

PINT = GoBuild("pint", "pint", "github.com/cloudflare/pint/cmd/pint", cpu_seconds=120)

PINNED: dict[str, tuple[Source, str]] = {
    "promtool": (PROMTOOL, "promtool"),
    "amtool": (AMTOOL, "amtool"),
    "prometheus": (PROMETHEUS, "prometheus"),
    "alertmanager": (ALERTMANAGER, "alertmanager"),
    "loki": (LOKI, "loki"),
    "promtail": (PROMTAIL, "promtail"),
    "otel-collector": (OTEL_COLLECTOR, "otel-collector"),
    "jaeger": (JAEGER, "jaeger"),
    "traefik": (TRAEFIK, "traefik"),
    "haproxy": (HAPROXY, "haproxy"),
    "blackbox_exporter": (BLACKBOX, "prometheus-blackbox-exporter"),
    "actionlint": (ACTIONLINT, "actionlint"),
    "pint": (PINT, "pint"),
    "kubeconform": (KUBECONFORM, "kubeconform"),
    "kubectl": (KUBERNETES_PROGRAMS, "kubectl"),
}
"""The very programs inside the images that we build, and linters; where each comes from and its file name in bin/."""

UNIT_TESTS = ("promtool", "amtool", "prometheus", "actionlint")
"""What `make test` needs, pinned: what PATH has instead would judge by another version's rules."""

IMAGE_TESTS: tuple[Source, ...] = (NODE, VIEWER_PAGES.packages, BROWSER_KIT.packages)
"""What tests of programs of ours need beside Go."""

KUBERNETES = ("kubeconform", "kubectl", "promtool")
"""What checks the objects of a stack on Kubernetes, and looks at them there; promtool for an operator's rules."""


def require_validator(context: Context, name: str, *, pinned: bool = False) -> Path:
    """The validator's program, if it is there already. Raises ToolchainError when it is not.

    `pinned` asks for the version of the deployed image; without it PATH comes first.
    """
    program = find_validator(context, name, pinned=pinned)
    if program is None:
        how = f"python -m toolchain validator {'--pinned ' if pinned else ''}{name}"
        raise ToolchainError(f"the validator {name} is not here", advice=f"run: {how} (or: make toolchain)")
    return program


def ensure_validator(context: Context, name: str, *, pinned: bool = False) -> Path:
    """The validator's program, got if it is absent. Raises ToolchainError when nobody knows how."""
    if path := find_validator(context, name, pinned=pinned):
        return path
    if name not in PINNED:
        raise ToolchainError(f"no validator is called {name}", advice=f"one of {', '.join(sorted(PINNED))}")
    source, program = PINNED[name]
    return source.ensure(context) / "bin" / program


def ensure_unit_tests(context: Context) -> None:
    """All validators that `make test` needs, the schemas of an operator's objects, and what images are tested with."""
    for name in UNIT_TESTS:
        ensure_validator(context, name, pinned=True)
    for source in IMAGE_TESTS:
        source.ensure(context)
    OPERATOR_CRDS.ensure(context)


def ensure_kubernetes(context: Context) -> None:
    """Those for Kubernetes."""
    for name in KUBERNETES:
        ensure_validator(context, name)


def find_validator(context: Context, name: str, *, pinned: bool = False) -> Path | None:
    """The validator's program, or None when it is not there yet."""
    if not pinned and (installed := find_program(name, context.environ, outside=context.cache.root)):
        return installed
    if name not in PINNED:
        return None
    source, program = PINNED[name]
    path = source.find_path(context) / "bin" / program
    return path if path.exists() else None
