"""What every Collector of a stack has: files of queues on its volume, memory below its limit, a document it takes."""

from __future__ import annotations

from components import otelcol
from model.workload import MIB, Limits


def test_memory_is_bounded_below_the_limit() -> None:
    """It refuses what is sent before the kernel would end it."""
    made = otelcol.build_memory_limiter(Limits(memory=512 * MIB, cpus=1, pids=1))
    assert made["limit_mib"] == 409 and made["spike_limit_mib"] < made["limit_mib"]


def test_every_extension_that_is_used_is_there() -> None:
    """What `service` names is configured, and queues are files of the volume."""
    made = otelcol.build_extensions()
    assert made.keys() == set(otelcol.EXTENSIONS)
    assert made["file_storage"]["directory"] == otelcol.DATA_DIR


def test_the_document_is_validated_before_it_is_taken() -> None:
    """A change of it starts the program anew, as it reads it at its start alone."""
    made = otelcol.build_config_dir("x.yaml", {"a": "^b$"})
    assert made.files == {"x.yaml": "a: ^b$$\n"} and made.restart_on == {"x.yaml"}
    assert made.validate and made.validate[-1] == "--config=file:{dir}/x.yaml"
