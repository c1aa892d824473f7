"""Loki's documents: what it reads at its start, and limits that it reads again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.components.loki.plans import scaled
from tests.support.planned import document, text, workload
from tests.support.systems import plan_shop


def test_retention_is_really_applied(tmp_path: Path) -> None:
    """The compactor deletes, with a store for its requests, and the period is the one that is set."""
    plan = plan_shop(tmp_path, settings={"loki": json.dumps({"retention": "48h"})})
    compactor = document(plan, "loki", "loki.yaml")["compactor"]
    assert compactor["retention_enabled"] is True and compactor["delete_request_store"] == "filesystem"
    assert document(plan, "loki", "runtime.yaml")["overrides"]["fake"]["retention_period"] == "48h"


def test_the_schema_is_tsdb_v13(tmp_path: Path) -> None:
    """The index is TSDB with schema v13 and a period of 24 hours, which retention needs."""
    (schema,) = document(plan_shop(tmp_path), "loki", "loki.yaml")["schema_config"]["configs"]
    assert (schema["store"], schema["schema"], schema["index"]["period"]) == ("tsdb", "v13", "24h")


def test_limits_need_no_restart(tmp_path: Path) -> None:
    """Every tunable limit stands in the runtime file; only loki.yaml is read at start."""
    changed = plan_shop(tmp_path, settings={"loki": json.dumps({"ingestionRateMb": 3, "maxQueryLength": "24h"})})
    plain = plan_shop(tmp_path)
    assert text(changed, "loki", "loki.yaml") == text(plain, "loki", "loki.yaml")
    assert text(changed, "loki", "runtime.yaml") != text(plain, "loki", "runtime.yaml")
    config = workload(plain, "loki").config
    assert config is not None and config.restart_on == {"loki.yaml"}


def test_the_runtime_file_is_written_as_loki_writes_it(tmp_path: Path) -> None:
    """Keys are sorted and indented by four spaces, so that Loki's digest is the file's own."""
    lines = text(plan_shop(tmp_path), "loki", "runtime.yaml").splitlines()
    keys = [line.strip() for line in lines if line.startswith(" " * 8)]
    assert lines[:2] == ["overrides:", "    fake:"] and keys == sorted(keys)


@pytest.mark.parametrize(("writers", "copies"), [(1, 1), (2, 2), (3, 3), (7, 3)])
def test_lines_have_as_many_copies_as_there_are_writers(tmp_path: Path, writers: int, copies: int) -> None:
    """Up to three: then one may be away and the other two agree."""
    plan = scaled(tmp_path, replicas={"write": writers})
    assert document(plan, "loki-write", "loki.yaml")["common"]["replication_factor"] == copies
