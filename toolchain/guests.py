"""One image with what people's services are written in: CPython, Node.js, and libraries of theirs; a program in Go.

Tests run services of tests/e2e/guests in it. No stack deploys it, and no registry serves it.
"""

from __future__ import annotations

from toolchain.debian import DebianPackages
from toolchain.golang import GoBuild
from toolchain.images import ImageSpec
from toolchain.npm import NODE, PROGRAM, NpmPackages
from toolchain.oci import ImageConfig
from toolchain.pypi import PypiPackage
from toolchain.recipes import File, Recipe

PYTHON = DebianPackages(
    "python", ("python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib", "libdb5.3", "libstdc++6")
)
PYTHON_LIBRARIES = PypiPackage("guests", "3.11")
NODE_LIBRARIES = NpmPackages("guests")
GO_SERVICE = GoBuild("guest", "tests/e2e/guests/go", cpu_seconds=15)

GUESTS = ImageSpec("guests", "observability/guests", "1", None)
_LIBRARIES = "usr/lib/{triplet}"
_LOADED = ("libstdc++.so.6",)
"""What the program of Node.js wants beside what CPython wants."""
_STUBS = ("libdl.so.2", "libpthread.so.0", "librt.so.1")
"""Empty in a current C library; programs that run with older ones ask for them all the same."""

GUEST_RECIPES: dict[str, Recipe] = {
    "guests": Recipe(
        files=(
            File(PYTHON, "root/usr/bin/python3.11", "/usr/bin/python3"),
            File(PYTHON, "root/usr/lib/python3.11", "/usr/lib/python3.11"),
            *(File(PYTHON, f"root/{_LIBRARIES}/{name}", f"/{_LIBRARIES}/{name}") for name in _LOADED),
            *(File(PYTHON, f"root/lib/{{triplet}}/{name}", f"/{_LIBRARIES}/{name}") for name in _STUBS),
            File(PYTHON_LIBRARIES, ".", "/usr/lib/python3/dist-packages"),
            File(NODE, PROGRAM, "/usr/bin/node"),
            File(NODE_LIBRARIES, "node_modules", "/node_modules"),
            File(GO_SERVICE, "bin/guest", "/usr/bin/guest"),
        ),
        config=ImageConfig(
            user="20999:20999",
            env=("PATH=/usr/bin:/bin", "PYTHONPATH=/usr/lib/python3/dist-packages", "PYTHONUNBUFFERED=1"),
        ),
        busybox=True,
        local=True,
    ),
}
