"""What of a workload's data is worth a copy elsewhere."""

from __future__ import annotations

from model.backups import BackupSource
from model.workload import DataVolume


def test_a_source_is_one_volume_as_it_is() -> None:
    """Unless more is said all of the volume is copied, in any order, of the only instance."""
    source = BackupSource(workload="server", volume=DataVolume(name="server-data", path="/data"))
    assert (source.order, source.exclude, source.sqlite, source.secrets) == ((), (), (), ())
    assert source.instances == 1
