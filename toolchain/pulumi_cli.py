"""The Pulumi CLI with its Python host, and the provider plugins in a home of their own."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from toolchain.cache import Inputs
from toolchain.context import Context
from toolchain.errors import ToolchainError
from toolchain.fetch import Download, Unavailable, fetch_archive
from toolchain.golang import GoBuild, find_go, find_module_folder
from toolchain.host import find_program
from toolchain.resolve import Tool, ensure_tool, find_tool
from toolchain.run import run_command

CLI_VERSION = "3.250.0"
HOST_VERSION = "3.79.0"
"""The last version of the module that holds the Python language host."""
_TAGS = ("grpcnotrace", "osusergo", "no_compose")
_SDK = "github.com/pulumi/pulumi/sdk/v3"

CLI = GoBuild(
    "pulumi",
    "pulumi/cli",
    "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    _TAGS,
    # The Automation API refuses a CLI that does not tell its version.
    ((f"{_SDK}/go/common/version.Version", f"v{CLI_VERSION}"),),
    cpu_seconds=350,
)
PYTHON_HOST = GoBuild(
    "pulumi-language-python",
    "pulumi/language-python",
    f"{_SDK}/python/cmd/pulumi-language-python",
    _TAGS,
    cpu_seconds=32,
)


@dataclass(frozen=True)
class Provider:
    """A resource plugin by its name in pulumi's words, at the version that the Python SDK of the lock file asks for."""

    name: str
    version: str
    build: GoBuild


def _build_provider(name: str, version: str, cpu_seconds: int) -> Provider:
    program = f"pulumi-resource-{name}"
    return Provider(name, version, GoBuild(program, "pulumi/providers", f"./cmd/{program}", _TAGS, (), cpu_seconds))


PROVIDERS = (_build_provider("docker", "5.2.0", 200), _build_provider("random", "4.21.4", 110))
"""What every stack needs."""
_KUBERNETES_MODULE = "github.com/pulumi/pulumi-kubernetes/provider/v4"
KUBERNETES = Provider(
    "kubernetes",
    "4.34.2",
    GoBuild(
        "pulumi-resource-kubernetes",
        "pulumi/kubernetes",
        ".",
        _TAGS,
        # The SDK compares this with its own version; the code is of 2026-01-15, between 4.24.0 and 4.26.0.
        (("main.Version", "4.34.2"),),
        cpu_seconds=430,
        copies=tuple(
            (_KUBERNETES_MODULE, f"cmd/pulumi-resource-kubernetes/{file}", name)
            for file, name in (
                ("schema.json", "schema-embed.json"),
                ("terraform-mapping.json", "terraform-mapping.json"),
            )
        ),
    ),
)
"""What a stack on Kubernetes needs beside them."""


WANTED_LOGS = "OBSERVABILITY_PULUMI_LOGS"
"""The variable that has Pulumi write its own logs."""


def find_home(context: Context) -> Path:
    """PULUMI_HOME: plugins, and where the CLI keeps its own state."""
    return context.cache.root / "pulumi-home"


def build_environment(context: Context) -> dict[str, str]:
    """What an ordinary `pulumi up` needs in its environment, save PATH."""
    return {"PULUMI_HOME": str(find_home(context)), "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true"}


def build_cli_tool(context: Context) -> Tool:
    """The CLI and its Python host, side by side in one bin/."""
    arch = {"amd64": "x64"}.get(context.host.arch, context.host.arch)
    base = "https://get.pulumi.com/releases/sdk"
    download = Download(
        f"{base}/pulumi-v{CLI_VERSION}-linux-{arch}.tar.gz", f"{base}/pulumi-{CLI_VERSION}-checksums.txt"
    )

    def unpack(directory: Path) -> None:
        fetch_archive(download, directory)
        (directory / "pulumi").rename(directory / "bin")

    return Tool(
        "pulumi", _list_cli_inputs(context), lambda: _find_cli_on_path(context), unpack, _make_cli_builder(context)
    )


def _list_cli_inputs(context: Context) -> Inputs:
    return {
        "cli": dict(CLI.list_inputs(context)),
        "host": dict(PYTHON_HOST.list_inputs(context)),
        "host-version": HOST_VERSION,
    }


def _find_cli_on_path(context: Context) -> Path | None:
    """The directory above the bin/ of an installed CLI, if it is new enough and has its Python host."""
    program = find_program("pulumi", context.environ, outside=context.cache.root)
    if program is None or find_program("pulumi-language-python", context.environ, outside=context.cache.root) is None:
        return None
    return program.parent if is_compatible(run_command([str(program), "version"]), CLI_VERSION) else None


def is_compatible(text: str, required: str) -> bool:
    """Whether the version in `text` is of the same major version as `required` and not older."""
    present, minimum = parse_version(text), parse_version(required)
    return bool(present) and present[0] == minimum[0] and present >= minimum


def parse_version(text: str) -> tuple[int, ...]:
    """The first version in `text` as numbers; empty where there is none."""
    match = re.search(r"(\d+)\.(\d+)\.(\d+)", text)
    return tuple(int(part) for part in match.groups()) if match else ()


def _make_cli_builder(context: Context) -> Callable[[Path], None]:
    def build(directory: Path) -> None:
        folder = directory / "bin"
        folder.mkdir()
        for part in (CLI, PYTHON_HOST):
            os.link(part.ensure(context) / "bin" / part.program, folder / part.program)
        script = folder / "pulumi-language-python-exec"
        shutil.copyfile(_find_python_exec(context), script)
        script.chmod(0o755)

    return build


def _find_python_exec(context: Context) -> Path:
    """The script that the Python host starts a program with; it lies in the host's module."""
    go = find_go(context)
    return find_module_folder(context, go, PYTHON_HOST.folder, _SDK) / "python" / "cmd" / "pulumi-language-python-exec"


def build_plugin_tool(context: Context, provider: Provider) -> Tool:
    """The plugin's binary in a bin/ of its own."""
    program, base = f"pulumi-resource-{provider.name}", f"https://github.com/pulumi/pulumi-{provider.name}/releases"
    address = f"{base}/download/v{provider.version}"
    download = Download(
        f"{address}/{program}-v{provider.version}-linux-{context.host.arch}.tar.gz",
        f"{address}/pulumi-{provider.name}_{provider.version}_checksums.txt",
    )

    def unpack(directory: Path) -> None:
        fetch_archive(download, directory)
        if not (directory / program).is_file():
            raise Unavailable(f"{download.url} holds no {program}")
        (directory / "bin").mkdir()
        (directory / program).rename(directory / "bin" / program)

    def build(directory: Path) -> None:
        (directory / "bin").mkdir()
        os.link(provider.build.ensure(context) / "bin" / program, directory / "bin" / program)

    inputs = {"version": provider.version, "build": dict(provider.build.list_inputs(context))}
    return Tool(program, inputs, lambda: None, unpack, build)


def is_installed(context: Context, provider: Provider) -> bool:
    """Whether the home holds this very plugin, whole."""
    tool = build_plugin_tool(context, provider)
    stamp = _find_stamp(context, provider)
    return stamp.exists() and stamp.read_text() == context.cache.find_path(tool.name, tool.inputs).name


def ensure_plugin(context: Context, provider: Provider) -> None:
    """Put the plugin into the home, where every `pulumi` with our PULUMI_HOME finds it."""
    if is_installed(context, provider):
        return
    tool = build_plugin_tool(context, provider)
    directory = ensure_tool(tool, context.cache, context.progress)
    with context.cache.lock("pulumi-home"):
        stamp = _find_stamp(context, provider)
        stamp.unlink(missing_ok=True)
        folder = find_home(context) / "plugins" / f"resource-{provider.name}-v{provider.version}"
        shutil.rmtree(folder, ignore_errors=True)
        pulumi = ensure_cli(context) / "pulumi"
        binary = directory / "bin" / tool.name
        command = [str(pulumi), "plugin", "install", "resource", provider.name, provider.version]
        run_command([*command, "--file", str(binary)], env={**context.environ, **build_environment(context)})
        if not (folder / tool.name).is_file():
            raise ToolchainError(f"{folder} holds no {tool.name} after `pulumi plugin install`")
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.write_text(directory.name)


def _find_stamp(context: Context, provider: Provider) -> Path:
    return find_home(context) / ".installed" / f"{provider.name}-{provider.version}"


def ensure_cli(context: Context) -> Path:
    """The directory that holds `pulumi`, for PATH."""
    directory = ensure_tool(build_cli_tool(context), context.cache, context.progress)
    return directory / "bin" if (directory / "bin" / "pulumi").exists() else directory


def find_cli_directory(context: Context) -> Path | None:
    """The directory that holds `pulumi` if it is there already."""
    directory = find_tool(build_cli_tool(context), context.cache)
    if directory is None:
        return None
    return directory / "bin" if (directory / "bin" / "pulumi").exists() else directory


def ensure_pulumi(context: Context) -> None:
    """The CLI, its Python host and the plugins that every stack needs."""
    ensure_cli(context)
    for provider in PROVIDERS:
        ensure_plugin(context, provider)
    stop_automatic_log(context)


def stop_automatic_log(context: Context) -> None:
    """Have Pulumi write no log of each run beside what it prints, unless OBSERVABILITY_PULUMI_LOGS is set.

    From 3.250 on it writes one of every command, in full detail, compressed and encrypted, and has no setting for it:
    https://github.com/pulumi/pulumi/pull/23731. That takes a sixth of the processor time of a run that changes nothing.
    It goes on without where it cannot make their folder, so a file is in its place.
    """
    place = find_home(context) / "logs"
    if context.environ.get(WANTED_LOGS):
        if place.is_file():
            place.unlink()
    elif not place.is_file():
        shutil.rmtree(place, ignore_errors=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch(0o600)


def ensure_kubernetes(context: Context) -> None:
    """The same for a stack on Kubernetes."""
    ensure_pulumi(context)
    ensure_plugin(context, KUBERNETES)
