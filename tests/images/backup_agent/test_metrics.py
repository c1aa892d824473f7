"""What the agent says about itself."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from backup_agent.document import DocumentFile
from backup_agent.lock import locking
from backup_agent.metrics import AgentMetrics
from backup_agent.state import change_state
from tests.support.backups import Stand

ALWAYS = """
last_run_timestamp_seconds last_success_timestamp_seconds last_duration_seconds running size_bytes previous_size_bytes
files uploaded_bytes newest_timestamp_seconds copies verified_timestamp_seconds interval_seconds
document_read_successful document_info
"""
LATER = "last_run_successful destination_up verify_successful"


def read_metrics(file: DocumentFile) -> dict[str, float]:
    """The values as Prometheus reads them, without labels."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(AgentMetrics(file))
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {sample.name.removeprefix("backup_"): sample.value for family in families for sample in family.samples}


def test_before_the_first_backup(stand: Stand) -> None:
    """Times are never, and what nobody knows is absent: neither success nor failure."""
    values = read_metrics(DocumentFile(stand.write_document()))
    assert set(values) == set(ALWAYS.split())
    assert values["last_success_timestamp_seconds"] == values["newest_timestamp_seconds"] == values["copies"] == 0
    assert values["interval_seconds"] == 86_400


def test_what_a_process_has_done_another_one_says(stand: Stand) -> None:
    """The values are those of the state, whoever wrote it."""
    file = DocumentFile(stand.write_document())
    change_state(
        str(stand.scratch), run_successful=False, success_at=5, copies=2, verify_successful=True, destination_up=True
    )
    values = read_metrics(file)
    assert set(values) == {*ALWAYS.split(), *LATER.split()}
    assert (values["last_run_successful"], values["last_success_timestamp_seconds"], values["copies"]) == (0, 5, 2)
    assert values["running"] == 0
    with locking(stand.scratch / "lock", 0, print, "busy"):
        assert read_metrics(file)["running"] == 1


def test_a_wrong_document_is_seen(stand: Stand) -> None:
    """The one before is used, and its digest is said."""
    path = stand.write_document()
    file = DocumentFile(path)
    path.write_text("{")
    assert read_metrics(file)["document_read_successful"] == 0
