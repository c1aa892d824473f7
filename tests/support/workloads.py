"""Workloads for tests of targets: one that uses everything, and one that uses nothing."""

from __future__ import annotations

from model.images import Image
from model.workload import (
    MIB,
    ConfigDir,
    DataVolume,
    Exemption,
    HostMount,
    HttpProbe,
    Limits,
    Port,
    Reload,
    SecretFile,
    Workload,
)

IMAGES = {name: Image(repository=f"example/{name}", tag="v1") for name in ("busybox", "server", "agent")}

PLAIN = Workload(name="plain", image="server", limits=Limits(memory=64 * MIB))
"""As little as a workload can say."""

SERVER = Workload(
    name="server",
    image="server",
    limits=Limits(memory=256 * MIB, cpus=1.5, pids=99),
    args=("--config=/etc/server/server.yml",),
    env={"ZONE": "b", "AREA": "a"},
    config=ConfigDir(
        path="/etc/server",
        files={"server.yml": "a: 1\n", "rules/b.yml": "b: 2\n"},
        validate=("/bin/check", "{dir}/server.yml"),
        reload=Reload(port=8080, success_metric="ok"),
    ),
    secrets=(SecretFile(path="/run/secrets/password", secret="password"),),
    ports=(Port(number=8080, publish=18080), Port(number=9000, name="internal")),
    volumes=(DataVolume(name="server-data", path="/data"), DataVolume(name="cache", path="/cache", retain=False)),
    probe=HttpProbe(path="/healthy", port=8080, interval=7, timeout=3, retries=2, start_period=11),
    aliases=("zz", "alias"),
)
"""Everything a service can say."""

AGENT = Workload(
    name="agent",
    image="agent",
    limits=Limits(memory=128 * MIB),
    host_mounts=(HostMount(source="/sys", path="/host/sys", reason="reads the host's load"),),
    exemptions=(
        Exemption(rule="root-user", reason="reads files of root"),
        Exemption(rule="writable-root", reason="writes beside its binary"),
        Exemption(rule="capability", value="SYS_PTRACE", reason="reads other processes"),
        Exemption(rule="capability", value="DAC_READ_SEARCH", reason="reads all files"),
        Exemption(rule="host-mount", reason="reads the host's load"),
        Exemption(rule="host-gateway", reason="scrapes a process of the host"),
    ),
)
"""Every exception a node agent can declare."""
