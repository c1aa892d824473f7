"""The control plane's commands."""

from __future__ import annotations

from toolchain.cluster.control_plane import api_server, controllers, etcd, scheduler
from toolchain.cluster.layout import Layout


def test_programs_come_from_the_build(layout: Layout) -> None:
    """Each command starts the program that was built, not one that PATH finds."""
    commands = [command(layout) for command in (etcd, api_server, controllers, scheduler)]
    assert {command[0].rpartition("/")[0] for command in commands} == {str(layout.programs)}


def test_rights_are_those_of_a_real_cluster(layout: Layout) -> None:
    """Requests are authorized by roles, and nobody is let in without a token."""
    flags = api_server(layout)
    assert "--authorization-mode=Node,RBAC" in flags
    assert not [flag for flag in flags if "AlwaysAllow" in flag]
    assert "--use-service-account-credentials=true" in controllers(layout)
