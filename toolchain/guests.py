"""One image with what people's services are written in: CPython, Node.js, and libraries of theirs; programs in Go.

Tests run the services of tests/e2e/guests and of instrumentation in it. No stack deploys it, and no registry serves it.
"""

from __future__ import annotations

from toolchain.golang import GoBuild
from toolchain.images import ImageSpec
from toolchain.npm import NODE, PROGRAM, NpmPackages
from toolchain.oci import ImageConfig
from toolchain.own_files import OwnFiles
from toolchain.pypi import PypiPackage
from toolchain.python_programs import PACKAGES, PYTHON_FILES
from toolchain.recipe import File, Recipe

PYTHON_LIBRARIES = PypiPackage("guests", "3.11")
NODE_LIBRARIES = NpmPackages("guests")
GO_SERVICE = GoBuild("guest", "tests/e2e/guests/go", cpu_seconds=15)

KITS = "/kits"
KIT_PYTHON = PypiPackage("kit-python", "3.11", "instrumentation/python")
KIT_NODE = NpmPackages("kit-node", "instrumentation/node")
KIT_GO = GoBuild("kit-go", "instrumentation/go", cpu_seconds=40)
KIT_FILES: tuple[File, ...] = (
    File(OwnFiles("kit-python", "instrumentation/python"), "files", f"{KITS}/python"),
    File(KIT_PYTHON, ".", f"{KITS}/python-packages"),
    File(OwnFiles("kit-node", "instrumentation/node", ".js"), "files", f"{KITS}/node"),
    File(KIT_NODE, "package.json", f"{KITS}/node/package.json"),
    File(KIT_NODE, "node_modules", f"{KITS}/node/node_modules"),
    File(KIT_GO, "bin/kit-go", "/usr/bin/kit-go"),
)
"""The services of instrumentation/, each with the libraries of its own lock file."""

GUESTS = ImageSpec("guests", "observability/guests", "1", None)

GUEST_RECIPES: dict[str, Recipe] = {
    "guests": Recipe(
        files=(
            *PYTHON_FILES,
            File(PYTHON_LIBRARIES, ".", PACKAGES),
            File(NODE, PROGRAM, "/usr/bin/node"),
            File(NODE_LIBRARIES, "node_modules", "/node_modules"),
            File(GO_SERVICE, "bin/guest", "/usr/bin/guest"),
            *KIT_FILES,
        ),
        config=ImageConfig(
            user="20999:20999",
            env=("PATH=/usr/bin:/bin", f"PYTHONPATH={PACKAGES}", "PYTHONUNBUFFERED=1"),
        ),
        busybox=True,
        local=True,
    ),
}
