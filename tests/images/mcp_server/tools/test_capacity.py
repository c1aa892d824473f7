"""What the stack takes."""

from __future__ import annotations

from mcp_server.tools.capacity import DISKS, MEMORY, NOW
from tests.support.agents import build_document, faking, read


def test_now_next_to_what_was_planned() -> None:
    """Numbers by name, null where nothing is known; the fullest first."""
    with faking() as fake:
        fake.vectors = {
            NOW["series"]: [({}, 9000)],
            MEMORY: [({"service": "loki"}, 0.5), ({"service": "api"}, 0.9)],
            DISKS: [({"instance": "h", "mountpoint": "/"}, 0.7)],
        }
        data = read(build_document(fake, capacity={"series": 10_000}), "capacity")
    by_name = {each["name"]: each for each in data["quantities"]}
    assert by_name["series"] == {"name": "series", "now": 9000, "planned": 10_000}
    assert by_name["targets"] == {"name": "targets", "now": None, "planned": None}
    assert [each["what"] for each in data["memory"]] == ["api", "loki"] and data["disks"][0]["what"] == "h /"
