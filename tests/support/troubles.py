"""Real troubles of a running stack: what makes the alerts about hosts, containers, databases and the stack itself fire.

Each is a context: it is there inside, and mended after. What it yields is called again and again until its alerts are
seen, for those that have to happen repeatedly.
"""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.running import RunningStack
from tests.support.waiting import eventually

Poke = Callable[[], object]
TOTAL_MEMORY = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
"""Bytes."""
DISK_MARGIN = 0.015
"""Free share of the disk, below that at the start, at which the tuned alerts fire."""
MEMORY_MARGIN = 0.25
"""Used share of the memory, above that at the start, at which the tuned alert fires: stacks take some of it."""


def nothing() -> None:
    """The poke of a trouble that stays by itself."""


# -- services of the stack -------------------------------------------------------------------------------------------


@contextmanager
def stopped(stack: RunningStack, *workloads: str) -> Iterator[Poke]:
    """Containers that are not there."""
    for workload in workloads:
        stack.container(workload).stop(timeout=5)
    try:
        yield nothing
    finally:
        for workload in workloads:
            stack.container(workload).start()


@contextmanager
def paused(stack: RunningStack, workload: str) -> Iterator[Poke]:
    """A process that takes connections and never answers; its memory is kept."""
    stack.container(workload).pause()
    try:
        yield nothing
    finally:
        stack.container(workload).unpause()


@contextmanager
def restarted(stack: RunningStack, workload: str, uptime: str, times: int = 3) -> Iterator[Poke]:
    """A container that starts again and again, until Prometheus has seen each start as a reset.

    `uptime` selects its series of seconds since its start. A start is a reset only where the first sample after it is
    lower than the last one before, so the process runs for longer than a slow start takes.
    """
    for number in range(times):
        eventually(lambda: _number(stack, uptime) > 20, timeout=90, what=f"{uptime} after {number} restarts")
        stack.container(workload).restart(timeout=5)
        seen = f"resets({uptime}[30m])"
        eventually(lambda seen=seen, least=number: _number(stack, seen) > least, timeout=90, what=seen)  # type: ignore[misc]
    yield nothing


def visited(stack: RunningStack, path: str = "/grafana/login") -> None:
    """People who ask for something through Traefik, a few times."""
    ask = f"/tools/busybox wget -q -O /dev/null 'http://127.0.0.1:8080{path}'"
    stack.sh("traefik", f"for n in 1 2 3 4 5; do {ask}; done; true")


@contextmanager
def unanswered(stack: RunningStack, workload: str, path: str) -> Iterator[Poke]:
    """A backend that is not there, and people who ask for it through Traefik."""
    with stopped(stack, workload):
        yield lambda: visited(stack, path)


@contextmanager
def never_ready(stack: RunningStack) -> Iterator[Poke]:
    """A Loki that restarts, while a load balancer asks whether it is ready."""
    ask = "/tools/busybox wget -q -O /dev/null http://127.0.0.1:3100/ready"
    begun = [0.0]

    def poke() -> None:
        if time.monotonic() - begun[0] > 30:  # it is ready after a quarter of a minute
            stack.container("loki").restart(timeout=10)
            begun[0] = time.monotonic()
        stack.sh("loki", f"for n in 1 2 3 4 5 6 7 8 9; do {ask}; done; true")

    yield poke


@contextmanager
def spoiled(stack: RunningStack, workload: str, folder: str, file: str, reload: Poke = nothing) -> Iterator[Poke]:
    """Documents that somebody spoiled behind the program's back; `reload` makes the process read them."""
    volume = _volume(stack, workload, folder)

    def change(script: str) -> None:
        _busybox(stack, f"cd /config; {script}", volumes={volume: {"bind": "/config", "mode": "rw"}})
        reload()

    switch = "ln -s $to ..next; mv -fT ..next ..data"
    change(f"to=.spoiled; readlink ..data > .kept; cp -r $(cat .kept) $to; echo '][' > $to/{file}; {switch}")
    try:
        yield reload
    finally:
        change(f"to=$(cat .kept); {switch}; rm -rf .kept .spoiled")


def hang_up(stack: RunningStack, workload: str) -> Poke:
    """SIGHUP, by which Prometheus, Alertmanager and blackbox-exporter read their documents."""
    return lambda: stack.container(workload).kill("HUP")


def reload_grafana(stack: RunningStack) -> Poke:
    """Asks Grafana to read its provisioning, a few times; it may refuse."""
    login = b64encode(f"admin:{stack.password('grafana-admin-password')}".encode()).decode()
    url = "http://127.0.0.1:3000/api/admin/provisioning/dashboards/reload"
    ask = f"/tools/busybox wget -q -O /dev/null --post-data '' --header 'Authorization: Basic {login}' {url}"
    return lambda: stack.sh("grafana", f"for n in 1 2 3 4 5; do {ask}; done; true")


@contextmanager
def edited(stack: RunningStack, change: Callable[[dict[str, Any]], object]) -> Iterator[Poke]:
    """A mistake in the system's YAML that only shows while it runs; mended as it was made, by `make up`."""
    path = stack.root / f"configs/systems/{stack.system}.yaml"
    before = path.read_text()
    stack.edit_system(change)
    run = stack.start("up")  # it will say that a target is not up, after having waited for it
    try:
        yield nothing
    finally:
        run.wait(timeout=300)
        path.write_text(before)
        stack.up()


# -- lines -----------------------------------------------------------------------------------------------------------


@contextmanager
def long_lines(stack: RunningStack, service: str, port: int) -> Iterator[Poke]:
    """A service that logs lines longer than Loki takes (256 KiB)."""
    length = 300_000
    head = (
        f"POST /demo/logs HTTP/1.0\\r\\nContent-Type: application/json\\r\\nContent-Length: {length + 10}\\r\\n\\r\\n"
    )
    text = f"/tools/busybox head -c {length} /dev/zero | /tools/busybox tr '\\0' x"
    whole = (
        f"/tools/busybox printf '{head}'; /tools/busybox printf '{{\"msg\":\"'; {text}; /tools/busybox printf '\"}}'"
    )
    yield lambda: stack.sh(service, f"({whole}) | /tools/busybox nc 127.0.0.1 {port} >/dev/null")


@contextmanager
def closed_file(stack: RunningStack, service: str, folder: str) -> Iterator[Poke]:
    """A log file that grows and that nobody but root may open; in the end it is opened."""
    volume = _volume(stack, service, folder)

    def change(script: str) -> None:
        _busybox(stack, f"cd /logs; {script}", volumes={volume: {"bind": "/logs", "mode": "rw"}})

    change("umask 777; echo closed > closed.log")  # closed from the first moment: one that was opened is read for ever
    try:
        yield lambda: change("echo more >> closed.log")
    finally:
        change("chmod 644 closed.log; echo open >> closed.log")


# -- containers and the host -----------------------------------------------------------------------------------------


@contextmanager
def bad_containers(stack: RunningStack) -> Iterator[Poke]:
    """Containers of somebody else on the same engine: near their memory limit, over it, throttled, unhealthy."""
    check = {"test": ["CMD", "/bin/busybox", "false"], "interval": 5 * 10**9, "retries": 1}
    fill = "head -c {} /dev/zero >/dev/shm/filled"
    wanted: list[tuple[str, dict[str, Any]]] = [
        (f"{fill.format(30 << 20)}; sleep 3600", {"mem_limit": "32m", "shm_size": "64m"}),
        (f"{fill.format(40 << 20)}; sleep 3600", {"mem_limit": "16m", "memswap_limit": "16m", "shm_size": "64m"}),
        ("while :; do :; done", {"nano_cpus": 50_000_000}),
        ("sleep 3600", {"healthcheck": check}),
    ]
    made = []
    try:
        for number, (script, options) in enumerate(wanted):
            name = f"{stack.name}-trouble-{number}"
            made.append(_start(stack, script, name=name, detach=True, network_mode="none", **options))
        yield nothing
    finally:
        for container in made:
            container.remove(force=True)


@contextmanager
def blind_cadvisor(stack: RunningStack) -> Iterator[Poke]:
    """A cAdvisor that starts while nobody tells it of containers; it answers all the same."""
    with stopped(stack, "socket-proxy"):
        stack.container("cadvisor").restart(timeout=10)
        yield nothing
    stack.container("cadvisor").restart(timeout=10)


@contextmanager
def busy_host(folder: Path, *, memory_from: float, disk_below: float) -> Iterator[Poke]:
    """All processors busy (as nicely as can be), memory used beyond `memory_from`, disk free below `disk_below`."""
    size = os.statvfs(folder)
    wanted = (disk_free(folder) - disk_below + DISK_MARGIN) * size.f_blocks * size.f_frsize
    burn = ["nice", "-n", "19", sys.executable, "-c", "while True: pass"]
    # a session of its own is a group of its own for the scheduler, whose niceness is what others feel
    burners = [subprocess.Popen(burn, start_new_session=True) for _ in range(os.cpu_count() or 1)]
    for burner in burners:
        if (group := Path(f"/proc/{burner.pid}/autogroup")).exists():
            group.write_text("19")
    taken = mmap.mmap(
        -1,
        int((memory_from - memory_used() + 0.04) * TOTAL_MEMORY),
        flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE,
    )
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            os.posix_fallocate(file.fileno(), 0, int(wanted))
            yield nothing
    finally:
        taken.close()
        for burner in burners:
            burner.kill()
            burner.wait()


def memory_used() -> float:
    """Share of the memory that is not available, as the alert counts it."""
    lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    return 1 - int(lines["MemAvailable"].split()[0]) * 1024 / TOTAL_MEMORY


def disk_free(folder: Path) -> float:
    """Share of the filesystem that is free for anyone but root."""
    found = os.statvfs(folder)
    return found.f_bavail / found.f_blocks


# -- parts -----------------------------------------------------------------------------------------------------------


def _number(stack: RunningStack, query: str) -> float:
    found = stack.prom(query)
    return float(found[0]["value"][1]) if found else 0.0


def _volume(stack: RunningStack, workload: str, folder: str) -> str:
    """The volume that a container has at a folder."""
    mounts: list[Mapping[str, Any]] = stack.container(workload).attrs["Mounts"]
    return next(str(mount["Name"]) for mount in mounts if mount["Destination"] == folder)


def _start(stack: RunningStack, script: str, **options: Any) -> Any:
    image = next(tag for item in stack.client.images.list() for tag in item.tags if "/busybox:" in tag)
    return stack.client.containers.run(image, entrypoint=["/bin/busybox", "sh", "-c", script], **options)


def _busybox(stack: RunningStack, script: str, **options: Any) -> None:
    _start(stack, f"set -e; {script}", remove=True, network_mode="none", **options)
