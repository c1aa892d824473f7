"""CPython of the distribution as files of an image, and the programs in Python that are ours."""

from __future__ import annotations

from toolchain.debian import DebianPackages
from toolchain.oci import ImageConfig
from toolchain.own_files import OwnFiles
from toolchain.pypi import PypiPackage
from toolchain.recipe import File, Recipe

PYTHON = DebianPackages(
    "python", ("python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib", "libdb5.3", "libstdc++6")
)
LIBRARIES = "usr/lib/{triplet}"
_STUBS = ("libdl.so.2", "libpthread.so.0", "librt.so.1")
"""Empty in a current C library; programs that run with older ones ask for them all the same."""
PYTHON_FILES: tuple[File, ...] = (
    File(PYTHON, "root/usr/bin/python3.11", "/usr/bin/python3"),
    File(PYTHON, "root/usr/lib/python3.11", "/usr/lib/python3.11"),
    # what parts of PyPI packages that are compiled want beside what CPython wants
    File(PYTHON, f"root/{LIBRARIES}/libstdc++.so.6", f"/{LIBRARIES}/libstdc++.so.6"),
    *(File(PYTHON, f"root/lib/{{triplet}}/{name}", f"/{LIBRARIES}/{name}") for name in _STUBS),
)
PACKAGES = "/usr/lib/python3/dist-packages"


def build_recipe(
    module: str, libraries: PypiPackage, own: OwnFiles, *ports: str, path: str = "/usr/bin:/bin"
) -> Recipe:
    """The image of a program of ours in Python: its module, the libraries it wants, and the ports it listens on."""
    home = f"/usr/share/{libraries.name}"
    return Recipe(
        files=(*PYTHON_FILES, File(libraries, ".", PACKAGES), File(own, "files", f"{home}/{module}")),
        config=ImageConfig(
            entrypoint=("/usr/bin/python3", "-m", module),
            user="65534:65534",
            env=(
                f"PATH={path}",
                "PYTHONUNBUFFERED=1",
                "PYTHONDONTWRITEBYTECODE=1",
                f"PYTHONPATH={home}:{PACKAGES}",
            ),
            ports=ports,
        ),
        local=True,
    )


MCP_LIBRARIES = PypiPackage("mcp", "3.11")
MCP_SERVER = OwnFiles("mcp-server", "images/mcp/mcp_server")
MCP_RECIPE = build_recipe("mcp_server", MCP_LIBRARIES, MCP_SERVER, "8000/tcp", "8001/tcp")

BACKUP_LIBRARIES = PypiPackage("backup", "3.11")
BACKUP_AGENT = OwnFiles("backup-agent", "images/backup/backup_agent")
BACKUP_RECIPE = build_recipe(
    "backup_agent",
    BACKUP_LIBRARIES,
    BACKUP_AGENT,
    "9877/tcp",
    path=f"{PACKAGES}/bin:/usr/bin:/bin",  # the package of rclone has its program in bin
)
