"""The control plane's commands."""

from __future__ import annotations

from dataclasses import replace

from toolchain.cluster.control_plane import (
    build_api_server_command,
    build_controllers_command,
    build_etcd_command,
    build_scheduler_command,
)
from toolchain.cluster.layout import Layout


def test_programs_come_from_the_build(layout: Layout) -> None:
    """Each command starts the program that was built, not one that PATH finds."""
    commands = [
        command(layout)
        for command in (
            build_etcd_command,
            build_api_server_command,
            build_controllers_command,
            build_scheduler_command,
        )
    ]
    assert {command[0].rpartition("/")[0] for command in commands} == {str(layout.programs)}


def test_rights_are_those_of_a_real_cluster(layout: Layout) -> None:
    """Requests are authorized by roles, nobody is let in without a token, and one node's pods are not soon evicted."""
    flags = build_api_server_command(layout)
    assert "--authorization-mode=Node,RBAC" in flags
    assert not [flag for flag in flags if "AlwaysAllow" in flag]
    assert not [flag for flag in flags if "toleration" in flag]
    assert [flag for flag in build_api_server_command(replace(layout, node_count=3)) if "toleration" in flag]
    assert "--use-service-account-credentials=true" in build_controllers_command(layout)
