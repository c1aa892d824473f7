"""Pulumi: which versions on PATH will do, and the environment of an ordinary run."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolchain import pulumi_cli
from toolchain.context import Context

from .conftest import MakeContext


@pytest.mark.parametrize(
    ("said", "fits"),
    [("v3.250.0", True), ("v3.300.1\n", True), ("v3.249.9", False), ("v4.0.0", False), ("dev", False)],
)
def test_compatible(said: str, fits: bool) -> None:
    """The same major version, not older than the pinned one."""
    assert pulumi_cli.is_compatible(said, "3.250.0") is fits


def install(folder: Path, name: str, script: str) -> None:
    """Put a fake program into `folder`."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_cli_on_path_needs_its_python_host(make_context: MakeContext, tmp_path: Path) -> None:
    """A CLI on PATH is used only together with the host that runs Python programs."""
    folder = tmp_path / "tools"
    install(folder, "pulumi", "echo v3.260.0")
    context = make_context(PATH=f"{folder}:/usr/bin:/bin")
    assert pulumi_cli.find_cli_directory(context) is None
    install(folder, "pulumi-language-python", "")
    assert pulumi_cli.find_cli_directory(context) == folder


def test_old_cli_on_path_is_passed_over(make_context: MakeContext, tmp_path: Path) -> None:
    """An incompatible CLI does not stop us from getting the right one."""
    install(tmp_path / "tools", "pulumi", "echo v3.1.0")
    install(tmp_path / "tools", "pulumi-language-python", "")
    assert pulumi_cli.find_cli_directory(make_context(PATH=f"{tmp_path}/tools:/usr/bin:/bin")) is None


def test_plugin_is_installed_only_with_its_stamp(context: Context) -> None:
    """A plugin counts as installed when the stamp names the very artefact; a half-finished installation does not."""
    provider = pulumi_cli.PROVIDERS[0]
    assert not pulumi_cli.is_installed(context, provider)
    stamp = pulumi_cli._find_stamp(context, provider)
    stamp.parent.mkdir(parents=True)
    tool = pulumi_cli.build_plugin_tool(context, provider)
    stamp.write_text("another")
    assert not pulumi_cli.is_installed(context, provider)
    stamp.write_text(context.cache.find_path(tool.name, tool.inputs).name)
    assert pulumi_cli.is_installed(context, provider)


def test_variables_keep_the_home_in_the_cache(context: Context) -> None:
    """An ordinary run finds our plugins and asks for no others."""
    variables = pulumi_cli.build_environment(context)
    assert variables["PULUMI_HOME"].startswith(str(context.cache.root))
    assert variables["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] == "true"


def test_no_log_is_written_unless_somebody_wants_it(make_context: MakeContext) -> None:
    """A file is where Pulumi would make a folder, and takes the place of one that an older version has left."""
    context = make_context()
    place = pulumi_cli.find_home(context) / "logs"
    place.mkdir(parents=True)
    (place / "pulumi-1.log").touch()
    for _ in range(2):
        pulumi_cli.stop_automatic_log(context)
        assert place.is_file() and not place.stat().st_size
    for _ in range(2):
        pulumi_cli.stop_automatic_log(make_context(**{pulumi_cli.WANTED_LOGS: "1"}))
        assert not place.exists()
    place.mkdir()
    pulumi_cli.stop_automatic_log(make_context(**{pulumi_cli.WANTED_LOGS: "1"}))
    assert place.is_dir()
