"""What of a workload's data is worth a copy elsewhere, and how it is copied while the workload writes to it."""

from __future__ import annotations

from dataclasses import dataclass

from model.workload import DataVolume


@dataclass(frozen=True, kw_only=True)
class BackupSource:
    """A data volume of a workload, as whoever copies its files while it runs must see it.

    `order` are paths below the volume whose files are copied first, one path after the other: what would miss
    something if it were copied after what it leads to, or before what it is made of. `exclude` are patterns of paths
    below the volume that are no data, `sqlite` databases that are copied by SQLite's own backup
    (https://www.sqlite.org/backup.html). `secrets` are those without which a copy cannot be used. Of several
    `instances`, which all have the same data, the first one is copied.
    """

    workload: str
    volume: DataVolume
    order: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    sqlite: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    instances: int = 1
