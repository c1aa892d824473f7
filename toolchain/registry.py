"""The local image registry: the distribution's docker-registry on loopback, with its storage in the cache."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from toolchain.context import Context
from toolchain.daemon import Daemon
from toolchain.debian import DebianPackages
from toolchain.errors import ToolchainError
from toolchain.host import find_program
from toolchain.push import RegistryClient

DEFAULT_PORT = 5000
START_SECONDS = 20
_PACKAGE = DebianPackages("docker-registry", ("docker-registry",), ("usr/bin/docker-registry",))


@dataclass(frozen=True)
class Registry:
    """The registry of this cache on `listen`:`port`."""

    context: Context
    port: int
    listen: str = "127.0.0.1"

    @property
    def address(self) -> str:
        """host:port as an engine on this machine reaches it; engines trust plain HTTP on loopback only."""
        return f"{'127.0.0.1' if self.listen == '0.0.0.0' else self.listen}:{self.port}"  # noqa: S104 - a comparison

    @property
    def daemon(self) -> Daemon:
        """The process, told apart by its port and address."""
        suffix = "" if self.listen == "127.0.0.1" else f"-{self.listen}"
        return Daemon(f"registry-{self.port}{suffix}", self.context.cache.root / "registry")

    @property
    def client(self) -> RegistryClient:
        """For requests to it."""
        return RegistryClient(self.address)

    def is_answering(self) -> bool:
        """Whether a registry answers at the address."""
        try:
            answer = self.client.request("GET", "/v2/")
        except ToolchainError:
            return False
        return answer.status == 200 and "docker-distribution-api-version" in answer.headers

    def ensure(self) -> None:
        """Start the registry unless it runs. Raises ToolchainError when the port belongs to somebody else."""
        with self.context.cache.lock(self.daemon.name):
            if self.daemon.find_pid() is not None and self.is_answering():
                return
            advice = "free the port, or set OBSERVABILITY_REGISTRY_PORT to another one"
            if self.is_answering():
                raise ToolchainError(f"another registry already answers at {self.address}", advice=advice)
            with self.context.progress.step(f"registry on {self.address}"):
                self.daemon.start([str(self._find_program()), "serve", str(self._write_configuration())])
                self.daemon.await_ready(self.is_answering, seconds=START_SECONDS, advice=advice)

    def stop(self) -> bool:
        """Stop the registry that we started; False when none runs."""
        return self.daemon.stop()

    def _find_program(self) -> Path:
        program = find_program("docker-registry", self.context.environ, outside=self.context.cache.root)
        return program or _PACKAGE.ensure(self.context) / "bin" / "docker-registry"

    def _write_configuration(self) -> Path:
        """Write the configuration (https://distribution.github.io/distribution/about/configuration/)."""
        storage = self.context.cache.root / "registry" / "storage"
        storage.mkdir(parents=True, exist_ok=True)
        document = {
            "version": "0.1",
            "log": {"level": "warn", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": str(storage)}, "delete": {"enabled": True}},
            "http": {"addr": f"{self.listen}:{self.port}"},
        }
        path = self.daemon.directory / f"{self.daemon.name}.yml"
        path.write_text(yaml.safe_dump(document))
        return path


def build_default_registry(context: Context, *, listen: str = "127.0.0.1", port: int | None = None) -> Registry:
    """The registry on `port`, else on OBSERVABILITY_REGISTRY_PORT, else on 5000."""
    chosen = port or int(context.environ.get("OBSERVABILITY_REGISTRY_PORT") or DEFAULT_PORT)
    return Registry(context, port=chosen, listen=listen)
