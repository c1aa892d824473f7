"""What is wrong with the devices of a host: a disk that cannot be read or does not keep up, redundancy that is lost.

Source: https://github.com/prometheus/node_exporter#collectors
"""

from __future__ import annotations

from components.exporters.node.disk_alerts import REAL
from model.telemetry import AlertRule, Example
from packs.base import Tune, build_counter_samples, build_flat_samples, build_service_series, get_limit

QUEUE = 10.0
"""Operations that wait at a time, on average: a disk that keeps up has one or two, a solid state disk a few more."""
HARMLESS = 'device_error!~"permission denied|operation not permitted|no such file or directory"'
"""What the exporter may not look at, as an ordinary user, or what was unmounted just now: nothing is broken."""
SELF = "node-exporter"


def alerts(tune: Tune) -> tuple[AlertRule, ...]:
    """Alerts about the devices of the host."""
    return (
        alert_on_unreadable_filesystem(),
        alert_on_saturated_disk(tune),
        alert_on_raid_degraded(),
        alert_on_bonding_degraded(),
    )


def _build_series(name: str, **labels: str) -> str:
    return build_service_series(SELF, name, instance="node-exporter:9100", **labels)


def alert_on_unreadable_filesystem() -> AlertRule:
    """Its space and inodes are not told then, so that no other alert about it can fire."""
    name, labels = "node_filesystem_device_error", {"mountpoint": "/data", "fstype": "nfs4"}
    broken = _build_series(name, **labels, device_error="mountpoint timeout")
    hidden = _build_series(name, **labels, device_error="permission denied")
    return AlertRule(
        name="NodeFilesystemDeviceError",
        expr=f"node_filesystem_device_error{{{REAL}, {HARMLESS}}} == 1",  # the exporter's own 1 and 0
        for_="10m",  # a file server that restarts is back by then
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
        example=Example(fires={broken: build_flat_samples(1)}, silent={hidden: build_flat_samples(1)}),
    )


def alert_on_saturated_disk(tune: Tune) -> AlertRule:
    """Mean length of a disk's queue: the time that operations waited, in each second."""
    bound = get_limit(tune, "NodeDiskIOSaturation", QUEUE)
    waited = _build_series("node_disk_io_time_weighted_seconds_total", device="sda")
    return AlertRule(
        name="NodeDiskIOSaturation",
        expr=f"rate(node_disk_io_time_weighted_seconds_total[5m]) > {bound:g}",
        for_="30m",  # a backup or a large compaction is over by then
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
        example=Example(
            fires={waited: build_counter_samples(60 * bound * 1.01)},
            silent={waited: build_counter_samples(60 * bound * 0.99)},
        ),
    )


def alert_on_raid_degraded() -> AlertRule:
    """Software RAID alone; a host without one has no such series."""
    labels = {"device": "md0"}
    required, active = (
        _build_series("node_md_disks_required", **labels),
        _build_series("node_md_disks", **labels, state="active"),
    )
    return AlertRule(
        name="NodeRAIDDegraded",
        expr='node_md_disks_required - ignoring(state) node_md_disks{state="active"} > 0',
        for_="15m",  # an array that is assembled at a start lacks its members for seconds
        severity="critical",
        summary="{{ $labels.device }} lacks {{ $value | humanize }} of its disks",
        description="A disk of the array has failed or is missing: the next one that fails takes the data with it.",
        steps=(
            "See which one it is: `cat /proc/mdstat` and `mdadm --detail /dev/<device>` on the host.",
            "Look whether last night's backup is there, before anything else.",
            "Replace the disk and add the new one: `mdadm --manage /dev/<device> --add /dev/<disk>`.",
            "Watch it being rebuilt in /proc/mdstat; the alert ends when that is done.",
        ),
        example=Example(
            fires={required: build_flat_samples(2), active: build_flat_samples(1)},
            silent={required: build_flat_samples(2), active: build_flat_samples(2)},
        ),
    )


def alert_on_bonding_degraded() -> AlertRule:
    """Network cards that stand in for each other; a host without a bond has no such series."""
    most, active = (_build_series(f"node_bonding_{what}", master="bond0") for what in ("slaves", "active"))
    return AlertRule(
        name="NodeBondingDegraded",
        expr="node_bonding_slaves - node_bonding_active > 0",
        for_="5m",  # a switch port that is trained anew takes seconds
        severity="warning",
        summary="{{ $labels.master }} lacks {{ $value | humanize }} of its links",
        description="A network link of the bond is down: the next one that fails takes the host off the network.",
        steps=(
            "See which one it is: `cat /proc/net/bonding/<master>` on the host.",
            "Look at its cable, its port on the switch, and the kernel's messages: `journalctl -k | grep <link>`.",
            "If it was taken down on purpose, bring it back: `ip link set <link> up`.",
        ),
        example=Example(
            fires={most: build_flat_samples(2), active: build_flat_samples(1)},
            silent={most: build_flat_samples(2), active: build_flat_samples(2)},
        ),
    )
