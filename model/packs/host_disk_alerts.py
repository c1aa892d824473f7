"""What the disks of a host run out of, and what is wrong with the disks themselves.

Source: https://github.com/prometheus/node_exporter#collectors
"""

from __future__ import annotations

from model.packs.base import SERVICE, Tune, counter, flat, limit, percent, series_of
from model.telemetry import AlertRule, Example, Mute

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
QUEUE = 10.0
"""Operations that wait at a time, on average: a disk that keeps up has one or two, a solid state disk a few more."""
REAL = 'fstype!~"tmpfs|ramfs|squashfs"'
"""File systems that hold data: the others are memory, or full by design."""
HARMLESS = 'device_error!~"permission denied|operation not permitted|no such file or directory"'
"""What the exporter may not look at, as an ordinary user, or what was unmounted just now: nothing is broken."""
HORIZON = 24 * 3600
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
    """Alerts about the disks of the host."""
    return (
        disk_full(tune),
        disk_low(tune),
        disk_filling(tune),
        files_used_up(tune),
        cannot_be_read(),
        saturated(tune),
        raid_degraded(),
        bonding_degraded(),
    )


def _series(name: str, **labels: str) -> str:
    return series_of(SELF, name, instance="node-exporter:9100", **labels)


# -- space -----------------------------------------------------------------------------------------------------------


def _left(tune: Tune, alert: str, bound: float, floor: int) -> tuple[str, str]:
    """A share of the disk, at most, that ordinary users can still write; as a condition and in words.

    Large disks have time with a small share, hence the floor in GiB; a system's own threshold is meant as it is.
    """
    share = f"node_filesystem_avail_bytes{{{REAL}}} / node_filesystem_size_bytes"
    expr, words = f"{share} < {bound:g} and node_filesystem_readonly == 0", f"Less than {percent(bound)} of the disk"
    if (given := tune.get(alert)) is not None and given.threshold is not None:
        return expr, f"{words} is left"
    return f"{expr} and node_filesystem_avail_bytes < {floor * GIB}", f"{words}, and less than {floor} GiB, is left"


def _disk(avail: str, size: float, mountpoint: str = "/") -> dict[str, str]:
    """A disk with the given free space, for ten hours."""
    names = {"avail_bytes": avail, "size_bytes": f"{size!r}+0x600", "readonly": "0+0x600"}
    labels = {"mountpoint": mountpoint, "fstype": "ext4"}
    return {_series(f"node_filesystem_{name}", **labels): values for name, values in names.items()}


def _nearly(bound: float, floor: int, tuned: bool) -> Example:
    """A small disk just below and above the share; where the floor counts, also a large one that has more than that."""
    large = {} if tuned else _disk(flat(floor * GIB * 1.01), floor * GIB * 100.0, mountpoint="/data")
    return Example(fires=_disk(flat(bound * 990), 1000), silent={**_disk(flat(bound * 1010), 1000), **large})


def disk_full(tune: Tune) -> AlertRule:
    """Somebody has to act now."""
    bound = limit(tune, "HostDiskAlmostFull", DISK_FULL)
    expr, words = _left(tune, "HostDiskAlmostFull", bound, FLOOR_FULL)
    return AlertRule(
        name="HostDiskAlmostFull",
        expr=expr,
        hold="10m",  # a large temporary file is gone by then
        severity="critical",
        limit=bound,
        mutes=(Mute(alerts=("HostDiskLow", "HostDiskFilling"), on=DISK),),
        summary="{{ $labels.mountpoint }} has {{ $value | humanizePercentage }} left",
        description=f"{words}: databases, metrics and logs stop when it is full.",
        steps=DISK_STEPS,
        example=_nearly(bound, FLOOR_FULL, "GiB" not in words),
    )


def disk_low(tune: Tune) -> AlertRule:
    """Somebody has to act soon."""
    bound = limit(tune, "HostDiskLow", DISK_LOW)
    expr, words = _left(tune, "HostDiskLow", bound, FLOOR_LOW)
    return AlertRule(
        name="HostDiskLow",
        expr=expr,
        hold="30m",  # nobody is called for it, so it may be sure: a backup's temporary files are gone by then
        severity="warning",
        limit=bound,
        summary="{{ $labels.mountpoint }} has {{ $value | humanizePercentage }} left",
        description=f"{words}.",
        steps=DISK_STEPS,
        example=_nearly(bound, FLOOR_LOW, "GiB" not in words),
    )


def disk_filling(tune: Tune) -> AlertRule:
    """Only from three hours of data on: the trend of a host that was just set up says nothing."""
    bound = limit(tune, "HostDiskFilling", DISK_FILLING)
    size = 400 / bound  # so that the 364 and less of the example are below the bound
    return AlertRule(
        name="HostDiskFilling",
        expr=f"predict_linear(node_filesystem_avail_bytes{{{REAL}}}[6h], {HORIZON}) < 0"
        f" and node_filesystem_avail_bytes / node_filesystem_size_bytes < {bound:g}"
        " and node_filesystem_readonly == 0 and node_filesystem_avail_bytes offset 3h",
        hold="1h",  # tells a trend from one large file
        severity="warning",
        limit=bound,
        summary="{{ $labels.mountpoint }} will be full within a day",
        description=f"Less than {percent(bound)} of the disk is left, and the trend of the last six hours fills it"
        " within 24 hours.",
        steps=("Open the dashboard Host, row Disks: since when does it grow, and what began then?", *DISK_STEPS[:3]),
        # after five hours 1440 more minutes of 0.211 are just more than is left; after six those of 0.2 are just less
        example=Example(fires=_disk("364-0.211x600", size), silent=_disk("364-0.2x600", size), at="6h"),
    )


def files_used_up(tune: Tune) -> AlertRule:
    """Inodes: file systems that make them as they need them (btrfs, zfs) say 0, and are left out."""
    bound = limit(tune, "NodeFilesystemAlmostOutOfFiles", FILES)
    labels = {"mountpoint": "/", "fstype": "ext4"}
    free, most, fixed = (_series(f"node_filesystem_{what}", **labels) for what in ("files_free", "files", "readonly"))
    return AlertRule(
        name="NodeFilesystemAlmostOutOfFiles",
        expr=f"node_filesystem_files_free{{{REAL}}} / (node_filesystem_files > 0) < {bound:g}"
        " and node_filesystem_readonly == 0",
        hold="10m",  # a directory of temporary files is gone by then
        severity="critical",
        limit=bound,
        summary="{{ $labels.mountpoint }} has {{ $value | humanizePercentage }} of its inodes left",
        description=f"Less than {percent(bound)} of the inodes are left: without one no file can be made, and"
        ' everything says "no space left on device", however much space there is.',
        steps=(
            "Find the directory with most files: `du -x --inodes --max-depth=3 <mountpoint> | sort -n | tail -20`.",
            "Usual ones are mail spools, session and cache directories, and build caches: delete what is old"
            " (`find <directory> -xdev -type f -mtime +7 -delete`).",
            "If it is /var/lib/docker, remove what no container uses: `docker image prune` and `docker builder prune`.",
            "If all are needed, the file system must be made anew with more of them (`mkfs.ext4 -N`), or be XFS.",
        ),
        example=Example(
            fires={free: flat(bound * 990), most: flat(1000), fixed: flat(0)},
            silent={free: flat(bound * 1010), most: flat(1000), fixed: flat(0)},
        ),
    )


# -- the disks themselves --------------------------------------------------------------------------------------------


def cannot_be_read() -> AlertRule:
    """Its space and inodes are not told then, so that no other alert about it can fire."""
    name, labels = "node_filesystem_device_error", {"mountpoint": "/data", "fstype": "nfs4"}
    broken = _series(name, **labels, device_error="mountpoint timeout")
    hidden = _series(name, **labels, device_error="permission denied")
    return AlertRule(
        name="HostFilesystemDeviceError",
        expr=f"node_filesystem_device_error{{{REAL}, {HARMLESS}}} == 1",  # the exporter's own 1 and 0
        hold="10m",  # a file server that restarts is back by then
        severity="warning",
        summary="{{ $labels.mountpoint }} cannot be read: {{ $labels.device_error }}",
        description="The file system does not say how full it is: its disk is broken, or its server is gone. Whoever"
        " uses it fails or hangs.",
        steps=(
            "Try it on the host: `timeout 5 stat -f <mountpoint>`; if it hangs, its server or disk does not answer.",
            "Read the kernel's messages: `journalctl -k --since -1h | grep -iE 'i/o error|nfs|ext4|xfs'`.",
            "If it is a network file system, bring its server back; `umount -l <mountpoint>` frees who hangs there.",
            "If it is a disk, save what can be read before anything else, and replace it.",
        ),
        example=Example(fires={broken: flat(1)}, silent={hidden: flat(1)}),
    )


def saturated(tune: Tune) -> AlertRule:
    """Mean length of a disk's queue: the time that operations waited, in each second."""
    bound = limit(tune, "NodeDiskIOSaturation", QUEUE)
    waited = _series("node_disk_io_time_weighted_seconds_total", device="sda")
    return AlertRule(
        name="NodeDiskIOSaturation",
        expr=f"rate(node_disk_io_time_weighted_seconds_total[5m]) > {bound:g}",
        hold="30m",  # a backup or a large compaction is over by then
        severity="warning",
        limit=bound,
        summary="{{ $value | humanize }} operations at a time wait for {{ $labels.device }}",
        description=f"More than {bound:g} operations wait for the disk all the time: whoever reads or writes waits with"
        " them, databases first.",
        steps=(
            "Open the dashboard Host, row Disks: is it many operations, much throughput, or slow ones?",
            "A flat top of operations or bytes is the limit of a cloud disk: look there which one was bought.",
            "Find who does it: `iotop -oPa` on the host, or the dashboard Containers, panel Major page faults.",
            "If each operation became slow without more of them, the disk may be failing: `smartctl -a /dev/<device>`.",
        ),
        example=Example(fires={waited: counter(60 * bound * 1.01)}, silent={waited: counter(60 * bound * 0.99)}),
    )


def raid_degraded() -> AlertRule:
    """Software RAID alone; a host without one has no such series."""
    labels = {"device": "md0"}
    required, active = _series("node_md_disks_required", **labels), _series("node_md_disks", **labels, state="active")
    return AlertRule(
        name="NodeRAIDDegraded",
        expr='node_md_disks_required - ignoring(state) node_md_disks{state="active"} > 0',
        hold="15m",  # an array that is assembled at a start lacks its members for seconds
        severity="critical",
        summary="{{ $labels.device }} lacks {{ $value | humanize }} of its disks",
        description="A disk of the array has failed or is missing: the next one that fails takes the data with it.",
        steps=(
            "See which one it is: `cat /proc/mdstat` and `mdadm --detail /dev/<device>` on the host.",
            "Look whether last night's backup is there, before anything else.",
            "Replace the disk and add the new one: `mdadm --manage /dev/<device> --add /dev/<disk>`.",
            "Watch it being rebuilt in /proc/mdstat; the alert ends when that is done.",
        ),
        example=Example(fires={required: flat(2), active: flat(1)}, silent={required: flat(2), active: flat(2)}),
    )


def bonding_degraded() -> AlertRule:
    """Network cards that stand in for each other; a host without a bond has no such series."""
    most, active = (_series(f"node_bonding_{what}", master="bond0") for what in ("slaves", "active"))
    return AlertRule(
        name="NodeBondingDegraded",
        expr="node_bonding_slaves - node_bonding_active > 0",
        hold="5m",  # a switch port that is trained anew takes seconds
        severity="warning",
        summary="{{ $labels.master }} lacks {{ $value | humanize }} of its links",
        description="A network link of the bond is down: the next one that fails takes the host off the network.",
        steps=(
            "See which one it is: `cat /proc/net/bonding/<master>` on the host.",
            "Look at its cable, its port on the switch, and the kernel's messages: `journalctl -k | grep <link>`.",
            "If it was taken down on purpose, bring it back: `ip link set <link> up`.",
        ),
        example=Example(fires={most: flat(2), active: flat(1)}, silent={most: flat(2), active: flat(2)}),
    )
