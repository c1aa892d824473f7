"""Programs of versions before those that are deployed, built from the same modules of the toolchain."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from toolchain.context import Context, build_default_context
from toolchain.golang import ALWAYS, GoBuild, build_go_environment, find_go, find_module_folder
from toolchain.pulumi_cli import KUBERNETES, PROVIDERS, Provider, build_environment, ensure_cli, find_home
from toolchain.recipes import ALERTMANAGER, KUBERNETES_PROGRAMS, KUBERNETES_VERSION, PROMETHEUS
from toolchain.run import run_command


def compile_older(build: GoBuild, context: Context, into: Path, edits: Mapping[str, tuple[str, str]]) -> None:
    """Compiles a build's program after edits of its files: by the file's name an expression, and what replaces it.

    Versions that a go.mod derived from others are left out of it: with those of today an older module may not compile.
    """
    go = find_go(context)
    env = build_go_environment(context, go)
    flags = build.list_flags()
    assert flags[: len(ALWAYS)] == [*ALWAYS]
    with context.cache.lock("go-build"), tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "module"
        shutil.copytree(build.folder, source)
        for name, (expression, text) in edits.items():
            path = source / name
            lines = path.read_text(encoding="utf-8").splitlines()
            text_before = "\n".join(line for line in lines if name != "go.mod" or "// indirect" not in line)
            edited, count = re.subn(expression, text, text_before)
            assert count, f"{name} has no {expression}"
            path.write_text(edited, encoding="utf-8")
        for module, file, name in build.copies:
            shutil.copyfile(find_module_folder(context, go, source, module) / file, source / name)
        command = ["nice", str(go), "build", *flags, "-o", str(into / build.program), build.package]
        run_command(command, cwd=source, env=env)


def ensure_older(
    build: GoBuild, context: Context, inputs: Mapping[str, object], edits: Mapping[str, tuple[str, str]]
) -> Path:
    """The folder with a build's program after edits, by all of its names; compiled where it is not in the cache."""

    def make(draft: Path) -> None:
        compile_older(build, context, draft, edits)
        for name in build.names:
            (draft / name).hardlink_to(draft / build.program)

    return context.cache.ensure(f"older-{build.program}", dict(inputs), make)


def build_edit(module: str, version: str, *also: str) -> dict[str, tuple[str, str]]:
    """The edit of a go.mod that asks for this version of a module, and for those of others that are named in `also`."""
    lines = "".join(f"\nrequire {other}" for other in also)
    return {"go.mod": (rf"(\b{re.escape(module)} )v\S+", rf"\g<1>{version}{lines}")}


@dataclass(frozen=True)
class Older:
    """An image's program one version before: the module, its version there, and the image's tag.

    Attributes:
        image: the image's name.
        build: how the toolchain builds the program that is deployed.
        module: the module whose version decides.
        version: of the module; `tag` is what the image is called then.
        path: of the program in the image.
    """

    image: str
    build: GoBuild
    module: str
    version: str
    tag: str
    path: str

    def make(self) -> bytes:
        """The program, compiled where it is not in the cache."""
        context = build_default_context()
        inputs = {**self.build.list_inputs(context), "older": f"{self.module}@{self.version}"}
        stamps = tuple((name, self.tag.removeprefix("v")) for name, _ in self.build.stamps)
        build, edits = replace(self.build, stamps=stamps), build_edit(self.module, self.version)
        return (ensure_older(build, context, inputs, edits) / build.program).read_bytes()


OLDER = (
    Older(
        "alertmanager", ALERTMANAGER, "github.com/prometheus/alertmanager", "v0.31.0", "v0.31.0", "/bin/alertmanager"
    ),
    Older("prometheus", PROMETHEUS, "github.com/prometheus/prometheus", "v0.314.0", "v3.14.0", "/bin/prometheus"),
)  # fmt: skip
"""What a stack ran before; https://pkg.go.dev has each module's versions."""


@dataclass(frozen=True)
class OlderProvider:
    """A provider as an older checkout would have it: its plugin, and the Python SDK that asks for it.

    Attributes:
        provider: the one that is deployed with.
        version: of the SDK and its plugin, as https://pypi.org has it.
        edits: of the plugin's module, see `compile_older`.
        stamps: what the linker is given.
    """

    provider: Provider
    version: str
    edits: Mapping[str, tuple[str, str]]
    stamps: tuple[tuple[str, str], ...] = field(default=())

    @contextmanager
    def install(self, into: Path) -> Iterator[Path]:
        """The folder for PYTHONPATH with the SDK; the plugin is where pulumi finds it, until the end."""
        context = build_default_context()
        context.cache.root.mkdir(parents=True, exist_ok=True)
        name = self.provider.name
        package = f"pulumi-{name}=={self.version}"
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(into), package]
        run_command(pip, env=context.environ)
        folder = find_home(context) / "plugins" / f"resource-{name}-v{self.version}"
        command = [str(ensure_cli(context) / "pulumi"), "plugin", "install", "resource", name, self.version]
        command += ["--reinstall", "--file", str(self._ensure(context) / self.provider.build.program)]
        try:
            run_command(command, env={**context.environ, **build_environment(context)})
            yield into
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _ensure(self, context: Context) -> Path:
        build = replace(self.provider.build, stamps=self.stamps)
        inputs = {**build.list_inputs(context), "older": self.version, "edits": repr(sorted(self.edits.items()))}
        return ensure_older(build, context, inputs, self.edits)


OLDER_PROVIDERS = {
    # of the bridged module one version alone can be verified by Go's checksum database, so that the plugin is the same
    # program by another version, and the SDK another one
    "docker": OlderProvider(
        PROVIDERS[0], "5.1.1", {"dockerbridge/bridge.go": (r'const Version = "\S+"', 'const Version = "5.1.1"')}
    ),
    # the code of 4.18.1, of 2024-09-30
    "kubernetes": OlderProvider(
        KUBERNETES,
        "4.33.0",
        build_edit(
            "github.com/pulumi/pulumi-kubernetes/provider/v4",
            "v4.0.0-20240930223531-b7dae6b4ea56",
            "github.com/pulumi/pulumi-kubernetes/sdk/v4 v4.18.1",  # it replaces this by a folder beside itself
        ),
        (("main.Version", "4.33.0"),),
    ),
}
"""By the target that a stack has."""


@dataclass(frozen=True)
class Kubernetes:
    """The processes of a cluster of another release than the toolchain's own, older or newer, from the same module.

    Attributes:
        version: of https://pkg.go.dev/k8s.io/kubernetes, without its v.
    """

    version: str

    def ensure(self) -> Path:
        """The folder with the programs, which are compiled where they are not in the cache: some 10 CPU-minutes."""
        context = build_default_context()
        build = KUBERNETES_PROGRAMS
        minor, patch = KUBERNETES_VERSION.removeprefix("1.").split(".")
        other = self.version.removeprefix("1.")
        stamps = tuple(
            (name, value.replace(KUBERNETES_VERSION, self.version).replace(minor, other.split(".")[0]))
            for name, value in build.stamps
        )
        build = replace(build, stamps=stamps)
        edits = {"go.mod": (rf"(k8s\.io/\S+ v[01])\.{minor}\.{patch}\b", rf"\g<1>.{other}")}
        inputs = {**build.list_inputs(context), "older": self.version}
        return ensure_older(build, context, inputs, edits)
