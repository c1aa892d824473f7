"""Names and users are stable, and apart from each other."""

from __future__ import annotations

from model.naming import derive_resource_name, derive_user_id

NAMES = ("prometheus", "alertmanager", "grafana", "loki", "promtail", "traefik", "node-exporter", "cadvisor", "api")


def test_a_resource_is_named_after_its_stack() -> None:
    """Two stacks on one engine do not meet."""
    assert derive_resource_name("dev", "prometheus") == "dev-prometheus"


def test_users_never_change() -> None:
    """A user's number is written on data volumes, so it must be the same in every version."""
    assert derive_user_id("dev", "prometheus") == 57424


def test_each_workload_has_a_user_of_its_own() -> None:
    """Process limits and files of two workloads, also of two stacks, are kept apart."""
    users = {derive_user_id(stack, name) for stack in ("dev", "prod") for name in NAMES}
    assert len(users) == 2 * len(NAMES)
    assert all(20000 <= user < 60000 for user in users)
