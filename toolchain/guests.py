"""One image with what people's services are written in: CPython, Node.js, and libraries of theirs; a program in Go.

Tests run services of tests/e2e/guests in it. No stack deploys it, and no registry serves it.
"""

from __future__ import annotations

from toolchain.golang import GoBuild
from toolchain.images import ImageSpec
from toolchain.npm import NODE, PROGRAM, NpmPackages
from toolchain.oci import ImageConfig
from toolchain.pypi import PypiPackage
from toolchain.python_programs import PACKAGES, PYTHON_FILES
from toolchain.recipe import File, Recipe

PYTHON_LIBRARIES = PypiPackage("guests", "3.11")
NODE_LIBRARIES = NpmPackages("guests")
GO_SERVICE = GoBuild("guest", "tests/e2e/guests/go", cpu_seconds=15)

GUESTS = ImageSpec("guests", "observability/guests", "1", None)

GUEST_RECIPES: dict[str, Recipe] = {
    "guests": Recipe(
        files=(
            *PYTHON_FILES,
            File(PYTHON_LIBRARIES, ".", PACKAGES),
            File(NODE, PROGRAM, "/usr/bin/node"),
            File(NODE_LIBRARIES, "node_modules", "/node_modules"),
            File(GO_SERVICE, "bin/guest", "/usr/bin/guest"),
        ),
        config=ImageConfig(
            user="20999:20999",
            env=("PATH=/usr/bin:/bin", f"PYTHONPATH={PACKAGES}", "PYTHONUNBUFFERED=1"),
        ),
        busybox=True,
        local=True,
    ),
}
