"""The stack that measurements are taken on."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import bench_stack
from cli.render import plan_file
from tests.support import systems
from tests.support.yaml_files import read_yaml, write_yaml

ROOT = Path(__file__).resolve().parents[2]


def test_ports_are_moved_out_of_the_way(tmp_path: Path) -> None:
    """Every published port, and the base URL's, differs from those of a stack that may be up."""
    plan = systems.plan_shop(tmp_path)
    settings = bench_stack.move_ports({"observability:prometheus": {"retention": "1d"}}, plan)
    assert settings["observability:prometheus"] == {"retention": "1d", "port": 9090 + bench_stack.OFFSET}
    assert settings["observability:baseUrl"] == f"http://127.0.0.1:{8080 + bench_stack.OFFSET}"


def test_the_moved_stack_shares_no_port_with_dev(tmp_path: Path) -> None:
    """The measured stack can be deployed while dev is up."""
    document = read_yaml((ROOT / "Pulumi.dev.yaml").read_text(encoding="utf-8"))
    plan = plan_file(ROOT / "Pulumi.dev.yaml", "dev")
    path = tmp_path / "Pulumi.bench.yaml"
    path.write_text(write_yaml({"config": bench_stack.move_ports(document["config"], plan)}), encoding="utf-8")
    moved = plan_file(path, "bench")
    before, after = ({p.publish for w in p.list_workloads() for p in w.ports if p.publish} for p in (plan, moved))
    assert before and after and not before & after


def test_phases_are_read_from_the_closing_line() -> None:
    """The seconds of each phase come from the last line that has some."""
    printed = "noise 3 s\nprerequisites 1.0 s · pulumi up 12.5 s · health 0.4 s · total 13.9 s\n"
    assert bench_stack.parse_phases(printed) == {"prerequisites": 1.0, "pulumi up": 12.5, "health": 0.4, "total": 13.9}
    with pytest.raises(ValueError, match="no phase times"):
        bench_stack.parse_phases("nothing here\n")
