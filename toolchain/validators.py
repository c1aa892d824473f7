"""The programs that check documents: their quick variants for unit tests, the pinned ones for end-to-end tests.

A validator that cannot be had is an error, never a reason to skip what needs it.
"""

from __future__ import annotations

from pathlib import Path

from toolchain.context import Context
from toolchain.debian import DebianPackages
from toolchain.errors import ToolchainError
from toolchain.golang import GoBuild
from toolchain.host import find_program
from toolchain.recipes import (
    ALERTMANAGER,
    AMTOOL,
    BLACKBOX,
    HAPROXY,
    KUBERNETES_PROGRAMS,
    LOKI,
    OPERATOR_CRDS,
    PROMETHEUS,
    PROMTAIL,
    PROMTOOL,
    TRAEFIK,
    Source,
)

_QUICK_TOOLS = DebianPackages("validators", ("prometheus",), ("usr/bin/promtool", "usr/bin/prometheus"))
ACTIONLINT = GoBuild("actionlint", "actionlint", "github.com/rhysd/actionlint/cmd/actionlint", cpu_seconds=25)

KUBECONFORM = GoBuild("kubeconform", "kubeconform", "github.com/yannh/kubeconform/cmd/kubeconform", cpu_seconds=15)

PINT = GoBuild("pint", "pint", "github.com/cloudflare/pint/cmd/pint", cpu_seconds=120)

QUICK: dict[str, Source] = {
    "promtool": _QUICK_TOOLS,
    "amtool": AMTOOL,
    "prometheus": _QUICK_TOOLS,
    "actionlint": ACTIONLINT,
}
"""What `make test` needs; nothing of it compiles for long. Debian 12's amtool (0.25) knows no time-out of a webhook."""

PINNED: dict[str, tuple[Source, str]] = {
    "promtool": (PROMTOOL, "promtool"),
    "amtool": (AMTOOL, "amtool"),
    "prometheus": (PROMETHEUS, "prometheus"),
    "alertmanager": (ALERTMANAGER, "alertmanager"),
    "loki": (LOKI, "loki"),
    "promtail": (PROMTAIL, "promtail"),
    "traefik": (TRAEFIK, "traefik"),
    "haproxy": (HAPROXY, "haproxy"),
    "blackbox_exporter": (BLACKBOX, "prometheus-blackbox-exporter"),
    "pint": (PINT, "pint"),
    "kubeconform": (KUBECONFORM, "kubeconform"),
    "kubectl": (KUBERNETES_PROGRAMS, "kubectl"),
}
"""The very programs inside the images that we build, and one that takes long to build; their file names in bin/."""

KUBERNETES: dict[str, Source] = {
    "kubeconform": KUBECONFORM,
    "kubectl": KUBERNETES_PROGRAMS,
    "promtool": _QUICK_TOOLS,
}
"""What checks the objects of a stack on Kubernetes, and looks at them there; promtool for an operator's rules."""


def require_validator(context: Context, name: str, *, pinned: bool = False) -> Path:
    """The validator's program, if it is there already. Raises ToolchainError when it is not.

    `pinned` asks for the version of the deployed image; without it PATH comes first, then whatever is at hand.
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
    if not pinned and name in QUICK:
        return QUICK[name].ensure(context) / "bin" / name
    if name in PINNED:
        source, program = PINNED[name]
        return source.ensure(context) / "bin" / program
    raise ToolchainError(f"no validator is called {name}", advice=f"one of {', '.join(sorted({*QUICK, *PINNED}))}")


def ensure_quick(context: Context) -> None:
    """All validators that `make test` needs, and the schemas of an operator's objects."""
    for name in QUICK:
        ensure_validator(context, name)
    OPERATOR_CRDS.ensure(context)


def ensure_kubernetes(context: Context) -> None:
    """Those for Kubernetes."""
    for name in KUBERNETES:
        ensure_validator(context, name)


def find_validator(context: Context, name: str, *, pinned: bool = False) -> Path | None:
    """The validator's program, or None when it is not there yet."""
    if not pinned and (installed := find_program(name, context.environ, outside=context.cache.root)):
        return installed
    candidates = [PINNED[name]] if name in PINNED else []
    if not pinned and name in QUICK:
        candidates.append((QUICK[name], name))
    paths = (source.find_path(context) / "bin" / program for source, program in candidates)
    return next((path for path in paths if path.exists()), None)
