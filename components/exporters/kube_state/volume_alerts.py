"""When the volumes of a Kubernetes cluster run out of space or of inodes.

Source of kubelet_volume_stats_*: https://kubernetes.io/docs/reference/instrumentation/metrics/
"""

from __future__ import annotations

from components.exporters.kube_state.alerts import build_series
from model.base import DAY
from model.limits import Share
from model.telemetry import AlertRule, Example, Inhibition
from packs.base import SERVICE, Tune, build_flat_samples, build_service_series, format_percent, get_limit

VOLUME_FULL = 0.05
"""Claims are small: of 10 GiB, written to at the 3 MB/s of a busy database, it is three minutes until nothing is left.
Kubernetes' mixin pages at 3%."""
VOLUME_LOW = 0.15
"""With a seventh left there is usually a day: enough to enlarge it in working hours."""
VOLUME_FILLING = 0.4
"""The trend of a volume that is more than half empty changes before it matters."""
FILES = 0.05
"""One in twenty inodes left: what uses them up makes many small files, and so goes on quickly."""
HORIZON = DAY
"""How far the trend of a volume is followed, in seconds: a day, for a claim may need someone's consent to grow."""
KUBELET = "kubelet"
VOLUME = (*SERVICE, "namespace", "persistentvolumeclaim")
"""What tells volumes apart."""
WRITABLE = (
    " unless on(namespace, persistentvolumeclaim)"
    ' kube_persistentvolumeclaim_access_mode{access_mode="ReadOnlyMany"} == 1'
)
"""A volume that nobody may write to is full by design."""
LEFT = "kubelet_volume_stats_available_bytes / kubelet_volume_stats_capacity_bytes"
CLAIM = "{{ $labels.namespace }}/{{ $labels.persistentvolumeclaim }}"
VOLUME_STEPS = (
    "Open the dashboard Cluster, row Volumes: did it jump, or does it grow evenly?",
    "Find what grew: `kubectl -n <namespace> exec <pod> -- du -xh <mount path> | sort -h | tail -20`.",
    "If it is metrics or logs, shorten `prometheus.retention` or `loki.retention` and run `make up`.",
    "If all of it is needed and the storage class allows it (`kubectl get storageclass`), enlarge the claim:"
    " `kubectl -n <namespace> edit pvc <name>`, `resources.requests.storage`.",
)


def alerts(tune: Tune) -> tuple[AlertRule, ...]:
    """Alerts about the volumes of a cluster."""
    return (
        alert_on_volume_full(tune),
        alert_on_volume_low(tune),
        alert_on_volume_filling(tune),
        alert_on_inodes_exhausted(tune),
    )


def _build_volume_series(available: str, size: float) -> dict[str, str]:
    """A volume with the given free space, for ten hours."""
    values = {"available_bytes": available, "capacity_bytes": f"{size!r}+0x600"}
    return {_build_series(what): v for what, v in values.items()}


def _build_series(what: str) -> str:
    labels = {"instance": "10.0.0.1:10250", "node": "a", "namespace": "shop", "persistentvolumeclaim": "data-db-0"}
    return build_service_series(KUBELET, f"kubelet_volume_stats_{what}", **labels)


def _build_read_only_series() -> dict[str, str]:
    name, labels = "kube_persistentvolumeclaim_access_mode", {"persistentvolumeclaim": "data-db-0"}
    return {build_series(name, access_mode="ReadOnlyMany", **labels): "1+0x600"}


def alert_on_volume_full(tune: Tune) -> AlertRule:
    """Somebody has to act now: by its level, for one that fills within an hour has no trend yet."""
    bound = get_limit(tune, "KubePersistentVolumeFillingUp", VOLUME_FULL)
    nearly = _build_volume_series(build_flat_samples(bound * 990), 1000)
    return AlertRule(
        name="KubePersistentVolumeFillingUp",
        expr=f"{LEFT} < {bound:g}{WRITABLE}",
        for_="1m",  # there may be only minutes; a scrape or two can be about a file that is deleted at once
        severity="critical",
        limit=Share(bound),
        inhibits=(Inhibition(alerts=("KubePersistentVolumeSpaceLow", "KubePersistentVolumeFillsSoon"), on=VOLUME),),
        summary=f"{CLAIM} has {{{{ $value | humanizePercentage }}}} left",
        description=f"Less than {format_percent(bound)} of the volume is left: databases, metrics and logs stop when"
        " it is full.",
        steps=VOLUME_STEPS,
        example=Example(fires=nearly, silent={**nearly, **_build_read_only_series()}),
    )


def alert_on_volume_low(tune: Tune) -> AlertRule:
    """Somebody has to act soon."""
    bound = get_limit(tune, "KubePersistentVolumeSpaceLow", VOLUME_LOW)
    return AlertRule(
        name="KubePersistentVolumeSpaceLow",
        expr=f"{LEFT} < {bound:g}{WRITABLE}",
        for_="30m",  # nobody is called for it, so it may be sure: a compaction's temporary files are gone by then
        severity="warning",
        limit=Share(bound),
        summary=f"{CLAIM} has {{{{ $value | humanizePercentage }}}} left",
        description=f"Less than {format_percent(bound)} of the volume is left; what writes to it stops when it is"
        " full.",
        steps=VOLUME_STEPS,
        example=Example(
            fires=_build_volume_series(build_flat_samples(bound * 990), 1000),
            silent=_build_volume_series(build_flat_samples(bound * 1010), 1000),
        ),
    )


def alert_on_volume_filling(tune: Tune) -> AlertRule:
    """A warning, as there is a day; and only from three hours of data on: before, the trend says nothing."""
    bound = get_limit(tune, "KubePersistentVolumeFillsSoon", VOLUME_FILLING)
    size = 400 / bound  # so that the 364 and less of the example are below the bound
    return AlertRule(
        name="KubePersistentVolumeFillsSoon",
        expr=f"{LEFT} < {bound:g} and predict_linear(kubelet_volume_stats_available_bytes[6h], {HORIZON}) < 0"
        " and kubelet_volume_stats_available_bytes offset 3h",
        for_="1h",  # tells a trend from one large file
        severity="warning",
        limit=Share(bound),
        summary=f"{CLAIM} will be full within a day, {{{{ $value | humanizePercentage }}}} is left",
        description=f"Less than {format_percent(bound)} of the volume is left, and the trend of the last six hours"
        " fills it within 24 hours: databases, metrics and logs stop when it is full.",
        steps=VOLUME_STEPS,
        # after five hours 1440 more minutes of 0.211 are just more than is left; after six those of 0.2 are just less
        example=Example(
            fires=_build_volume_series("364-0.211x600", size), silent=_build_volume_series("364-0.2x600", size), at="6h"
        ),
    )


def alert_on_inodes_exhausted(tune: Tune) -> AlertRule:
    """Inodes: file systems that make them as they need them say 0, and are left out."""
    bound = get_limit(tune, "KubePersistentVolumeInodesFillingUp", FILES)
    free, most = _build_series("inodes_free"), _build_series("inodes")
    return AlertRule(
        name="KubePersistentVolumeInodesFillingUp",
        expr=f"kubelet_volume_stats_inodes_free / (kubelet_volume_stats_inodes > 0) < {bound:g}{WRITABLE}",
        for_="5m",  # temporary files of a compaction or a sort are gone by then
        severity="critical",
        limit=Share(bound),
        summary=f"{CLAIM} has {{{{ $value | humanizePercentage }}}} of its inodes left",
        description=f"Less than {format_percent(bound)} of the volume's inodes are left: without one no file can be"
        " made, and"
        ' everything says "no space left on device", however much space there is.',
        steps=(
            "Open the dashboard Cluster, panel Inodes left: since when do they go, and what began then?",
            "Find the directory with most files: `kubectl -n <namespace> exec <pod> -- sh -c 'du -x --inodes <mount"
            " path> | sort -n | tail -20'`.",
            "Delete what is old there: sessions, caches, queues of mail, temporary files.",
            "If all are needed, a larger claim has more inodes: `kubectl -n <namespace> edit pvc <name>`.",
        ),
        example=Example(
            fires={free: build_flat_samples(bound * 990), most: build_flat_samples(1000)},
            silent={free: build_flat_samples(bound * 1010), most: build_flat_samples(1000)},
        ),
    )
