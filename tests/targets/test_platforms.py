"""The targets by name."""

from __future__ import annotations

import subprocess
import sys
import typing

from model.settings import Settings
from targets.platforms import PLATFORMS
from tests.support.systems import ROOT
from tests.support.workloads import PLAIN


def test_every_target_of_the_settings_is_there() -> None:
    """A target that can be chosen has addresses and checks."""
    assert set(typing.get_args(Settings.model_fields["target"].annotation)) == set(PLATFORMS)
    settings = Settings(system="plue")
    for platform in PLATFORMS.values():
        assert platform.address("dev", settings)("loki", 3100).endswith(":3100")
        assert platform.check([PLAIN]) == []


def test_the_other_provider_is_not_loaded() -> None:
    """Planning for Kubernetes imports no provider at all: both packages are large."""
    code = (
        "import sys; from targets.platforms import PLATFORMS; from model.settings import Settings;"
        "PLATFORMS['kubernetes'].address('dev', Settings(system='plue'))('x', 1);"
        "print([m for m in sys.modules if m in ('pulumi_docker', 'pulumi_kubernetes')])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
