"""Programs of versions before those that are deployed, built from the same modules of the toolchain."""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from toolchain.context import Context, build_default_context
from toolchain.golang import ALWAYS, GoBuild, build_go_environment, find_go
from toolchain.recipes import ALERTMANAGER, PROMETHEUS
from toolchain.run import run_command


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
        name = f"older-{self.build.program}"
        made = context.cache.ensure(name, inputs, lambda draft: self._compile(context, draft))
        return (made / self.build.program).read_bytes()

    def _compile(self, context: Context, into: Path) -> None:
        go = find_go(context)
        env = build_go_environment(context, go)
        with context.cache.lock("go-build"), tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "module"
            shutil.copytree(self.build.folder, source)
            path = source / "go.mod"
            # what it needs itself decides the versions of all others: with those of today it may not compile
            lines = [line for line in path.read_text(encoding="utf-8").splitlines() if "// indirect" not in line]
            named = re.compile(rf"(\b{re.escape(self.module)} )v\S+")
            path.write_text("\n".join(named.sub(rf"\g<1>{self.version}", line) for line in lines), encoding="utf-8")
            stamps = tuple((name, self.tag.removeprefix("v")) for name, _ in self.build.stamps)
            flags = replace(self.build, stamps=stamps).list_flags()
            assert flags[: len(ALWAYS)] == [*ALWAYS]
            command = [str(go), "build", *flags, "-o", str(into / self.build.program), self.build.package]
            run_command(command, cwd=source, env=env)


OLDER = (
    Older(
        "alertmanager", ALERTMANAGER, "github.com/prometheus/alertmanager", "v0.31.0", "v0.31.0", "/bin/alertmanager"
    ),
    Older("prometheus", PROMETHEUS, "github.com/prometheus/prometheus", "v0.314.0", "v3.14.0", "/bin/prometheus"),
)  # fmt: skip
"""What a stack ran before; https://pkg.go.dev has each module's versions."""
