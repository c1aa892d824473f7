"""What an upgrade has stored of a stack."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.record import Record, Underway, read_record


@pytest.mark.parametrize(
    ("text", "record"),
    [
        (None, Record()),
        ("", Record()),
        ("held: {loki: 3.7.7}", Record(held={"loki": "3.7.7"})),
        (
            "held: {loki: 3.7.7}\nsaid: {loki: '3.8'}\nunderway: {name: loki, before: 3.7.7}",
            Record(held={"loki": "3.7.7"}, said={"loki": "3.8"}, underway=Underway(name="loki", before="3.7.7")),
        ),
        ("underway: null", Record()),
    ],
)
def test_a_record_says_what_its_file_says(tmp_path: Path, text: str | None, record: Record) -> None:
    """What is absent in the file, or the file itself, is nothing in the record."""
    path = tmp_path / "held.yaml"
    if text is not None:
        path.write_text(text)
    assert read_record(path) == record
