"""What the disks of a host run out of: space and inodes.

Source: https://github.com/prometheus/node_exporter#collectors
"""

from __future__ import annotations

from model.base import DAY
from model.limits import Share
from model.telemetry import AlertRule, Example, Inhibition
from packs.base import SERVICE, Tune, build_flat_samples, build_service_series, format_percent, get_limit

DISK_FULL = 0.1
"""A tenth left still leaves hours to act on the usual growth."""
DISK_LOW = 0.15
"""With a seventh left there is usually a day: enough to do it in working hours."""
GIB = 1 << 30
FLOOR_FULL = 50
"""GiB: whoever has more has time, for 10 MB/s, more than logs and backups write for long, take an hour and a half."""
FLOOR_LOW = 100
"""GiB: twice the above."""
DISK_FILLING = 0.4
"""The trend of a disk that is more than half empty changes before it matters."""
FILES = 0.05
"""One in twenty inodes left: on a small disk of 10 GiB some 30,000 files, which is what a cache makes in an hour."""
REAL = 'fstype!~"tmpfs|ramfs|squashfs"'
"""File systems that hold data: the others are memory, or full by design."""
HORIZON = DAY
"""How far the trend of a disk is followed, in seconds: a day, so that it can be dealt with by daylight."""
SELF = "node-exporter"
DISK = (*SERVICE, "instance", "mountpoint", "device")
"""What tells disks apart, those of several hosts too."""
DISK_STEPS = (
    "Find what grew: `du -xh --max-depth=2 <mountpoint> | sort -h | tail -20` on the host.",
    "If it is /var/lib/docker, run `docker system df -v`: container logs, images that nobody uses, volumes.",
    "If it is metrics or logs, shorten `prometheus.retention` or `loki.retention` and run `make up`.",
    "If all of it is needed, enlarge the disk.",
)


def alerts(tune: Tune) -> tuple[AlertRule, ...]:
    """Alerts about the room on the disks of the host."""
    return (
        alert_on_disk_full(tune),
        alert_on_disk_low(tune),
        alert_on_disk_filling(tune),
        alert_on_inodes_exhausted(tune),
    )


def _build_series(name: str, **labels: str) -> str:
    return build_service_series(SELF, name, instance="node-exporter:9100", **labels)


def _build_free_condition(tune: Tune, alert: str, bound: float, floor: int) -> tuple[str, str]:
    """A share of the disk, at most, that ordinary users can still write; as a condition and in words.

    Large disks have time with a small share, hence the floor in GiB; a system's own threshold is meant as it is.
    """
    share = f"node_filesystem_avail_bytes{{{REAL}}} / node_filesystem_size_bytes"
    expr, description = (
        f"{share} < {bound:g} and node_filesystem_readonly == 0",
        f"Less than {format_percent(bound)} of the disk",
    )
    if (tuning := tune.get(alert)) is not None and tuning.threshold is not None:
        return expr, f"{description} is left"
    return (
        f"{expr} and node_filesystem_avail_bytes < {floor * GIB}",
        f"{description}, and less than {floor} GiB, is left",
    )


def _build_disk_series(avail: str, size: float, mountpoint: str = "/") -> dict[str, str]:
    """A disk with the given free space, for ten hours."""
    names = {"avail_bytes": avail, "size_bytes": f"{size!r}+0x600", "readonly": "0+0x600"}
    labels = {"device": "/dev/sda1", "mountpoint": mountpoint, "fstype": "ext4"}
    return {_build_series(f"node_filesystem_{name}", **labels): values for name, values in names.items()}


def _build_example(bound: float, floor: int, tuned: bool) -> Example:
    """A small disk just below and above the share; where the floor counts, also a large one that has more than that."""
    large = (
        {}
        if tuned
        else _build_disk_series(build_flat_samples(floor * GIB * 1.01), floor * GIB * 100.0, mountpoint="/data")
    )
    return Example(
        fires=_build_disk_series(build_flat_samples(bound * 990), 1000),
        silent={**_build_disk_series(build_flat_samples(bound * 1010), 1000), **large},
    )


def alert_on_disk_full(tune: Tune) -> AlertRule:
    """Somebody has to act now."""
    bound = get_limit(tune, "NodeFilesystemAlmostOutOfSpace", DISK_FULL)
    expr, description = _build_free_condition(tune, "NodeFilesystemAlmostOutOfSpace", bound, FLOOR_FULL)
    return AlertRule(
        name="NodeFilesystemAlmostOutOfSpace",
        expr=expr,
        for_="10m",  # a large temporary file is gone by then
        severity="critical",
        limit=Share(bound),
        inhibits=(Inhibition(alerts=("NodeFilesystemSpaceLow", "NodeFilesystemSpaceFillingUp"), on=DISK),),
        summary="{{ $labels.mountpoint }} has {{ $value | humanizePercentage }} left",
        description=f"{description}: databases, metrics and logs stop when it is full.",
        steps=DISK_STEPS,
        example=_build_example(bound, FLOOR_FULL, "GiB" not in description),
    )


def alert_on_disk_low(tune: Tune) -> AlertRule:
    """Somebody has to act soon."""
    bound = get_limit(tune, "NodeFilesystemSpaceLow", DISK_LOW)
    expr, description = _build_free_condition(tune, "NodeFilesystemSpaceLow", bound, FLOOR_LOW)
    return AlertRule(
        name="NodeFilesystemSpaceLow",
        expr=expr,
        for_="30m",  # nobody is called for it, so it may be sure: a backup's temporary files are gone by then
        severity="warning",
        limit=Share(bound),
        summary="{{ $labels.mountpoint }} has {{ $value | humanizePercentage }} left",
        description=f"{description}.",
        steps=DISK_STEPS,
        example=_build_example(bound, FLOOR_LOW, "GiB" not in description),
    )


def alert_on_disk_filling(tune: Tune) -> AlertRule:
    """Only from three hours of data on: the trend of a host that was just set up says nothing."""
    bound = get_limit(tune, "NodeFilesystemSpaceFillingUp", DISK_FILLING)
    size = 400 / bound  # so that the 364 and less of the example are below the bound
    return AlertRule(
        name="NodeFilesystemSpaceFillingUp",
        expr=f"predict_linear(node_filesystem_avail_bytes{{{REAL}}}[6h], {HORIZON}) < 0"
        f" and node_filesystem_avail_bytes / node_filesystem_size_bytes < {bound:g}"
        " and node_filesystem_readonly == 0 and node_filesystem_avail_bytes offset 3h",
        for_="1h",  # tells a trend from one large file
        severity="warning",
        limit=Share(bound),
        summary="{{ $labels.mountpoint }} will be full within a day",
        description=f"Less than {format_percent(bound)} of the disk is left, and the trend of the last six hours"
        " fills it within 24 hours.",
        steps=("Open the dashboard Host, row Disks: since when does it grow, and what began then?", *DISK_STEPS[:3]),
        # after five hours 1440 more minutes of 0.211 are just more than is left; after six those of 0.2 are just less
        example=Example(
            fires=_build_disk_series("364-0.211x600", size), silent=_build_disk_series("364-0.2x600", size), at="6h"
        ),
    )


def alert_on_inodes_exhausted(tune: Tune) -> AlertRule:
    """Inodes: file systems that make them as they need them (btrfs, zfs) say 0, and are left out."""
    bound = get_limit(tune, "NodeFilesystemAlmostOutOfFiles", FILES)
    labels = {"mountpoint": "/", "fstype": "ext4"}
    free, most, fixed = (
        _build_series(f"node_filesystem_{what}", **labels) for what in ("files_free", "files", "readonly")
    )
    return AlertRule(
        name="NodeFilesystemAlmostOutOfFiles",
        expr=f"node_filesystem_files_free{{{REAL}}} / (node_filesystem_files > 0) < {bound:g}"
        " and node_filesystem_readonly == 0",
        for_="10m",  # a directory of temporary files is gone by then
        severity="critical",
        limit=Share(bound),
        summary="{{ $labels.mountpoint }} has {{ $value | humanizePercentage }} of its inodes left",
        description=f"Less than {format_percent(bound)} of the inodes are left: without one no file can be made, and"
        ' everything says "no space left on device", however much space there is.',
        steps=(
            "Find the directory with most files: `du -x --inodes --max-depth=3 <mountpoint> | sort -n | tail -20`.",
            "Usual ones are mail spools, session and cache directories, and build caches: delete what is old"
            " (`find <directory> -xdev -type f -mtime +7 -delete`).",
            "If it is /var/lib/docker, remove what no container uses: `docker image prune` and `docker builder prune`.",
            "If all are needed, the file system must be made anew with more of them (`mkfs.ext4 -N`), or be XFS.",
        ),
        example=Example(
            fires={free: build_flat_samples(bound * 990), most: build_flat_samples(1000), fixed: build_flat_samples(0)},
            silent={
                free: build_flat_samples(bound * 1010),
                most: build_flat_samples(1000),
                fixed: build_flat_samples(0),
            },
        ),
    )
