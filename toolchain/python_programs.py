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
ENVIRONMENT = ("PATH=/usr/bin:/bin", "PYTHONUNBUFFERED=1", "PYTHONDONTWRITEBYTECODE=1")

MCP_LIBRARIES = PypiPackage("mcp", "3.11")
MCP_SERVER = OwnFiles("mcp-server", "images/mcp/mcp_server")
_HOME = "/usr/share/mcp"
MCP_RECIPE = Recipe(
    files=(
        *PYTHON_FILES,
        File(MCP_LIBRARIES, ".", PACKAGES),
        File(MCP_SERVER, "files", f"{_HOME}/mcp_server"),
    ),
    config=ImageConfig(
        entrypoint=("/usr/bin/python3", "-m", "mcp_server"),
        user="65534:65534",
        env=(*ENVIRONMENT, f"PYTHONPATH={_HOME}:{PACKAGES}"),
        ports=("8000/tcp", "8001/tcp"),
    ),
    local=True,
)

BACKUP_LIBRARIES = PypiPackage("backup", "3.11")
BACKUP_AGENT = OwnFiles("backup-agent", "images/backup/backup_agent")
_BACKUP_HOME = "/usr/share/backup"
BACKUP_RECIPE = Recipe(
    files=(
        *PYTHON_FILES,
        File(BACKUP_LIBRARIES, ".", PACKAGES),
        File(BACKUP_AGENT, "files", f"{_BACKUP_HOME}/backup_agent"),
    ),
    config=ImageConfig(
        entrypoint=("/usr/bin/python3", "-m", "backup_agent"),
        user="65534:65534",
        # the package of rclone has its program in bin
        env=(f"PATH={PACKAGES}/bin:/usr/bin:/bin", *ENVIRONMENT[1:], f"PYTHONPATH={_BACKUP_HOME}:{PACKAGES}"),
        ports=("9877/tcp",),
    ),
    local=True,
)
