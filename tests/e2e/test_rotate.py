"""`make secrets` and `make rotate` on a running stack: what changes is in force, and nothing else restarts."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import CANARY
from tests.support.running import RunningStack


def _restarted(stack: RunningStack, name: str) -> set[str]:
    """Services whose process is another one after the rotation of a secret, which must succeed."""
    before = stack.identities()
    run = stack.run("rotate", "--name", name)
    assert run.code == 0, run.text[-6000:]
    return {service for service, identity in stack.identities().items() if before.get(service) != identity}


def test_the_table_shows_no_value(stack: RunningStack) -> None:
    """Every secret has a state, an age where it is deployed, and no value."""
    run = stack.run("secrets")
    values = [CANARY, stack.password("grafana-admin-password"), stack.password("access-admin-password")]
    assert run.code == 0 and "pager-url" in run.text and "generated" in run.text and " min" in run.text
    assert not [value for value in values if value in run.text]


def test_a_password_of_the_entry_point_changes_in_place(stack: RunningStack) -> None:
    """Traefik takes the new one, refuses the old one, and no process is another one."""
    old = stack.password("access-admin-password")
    assert _restarted(stack, "access-admin-password") == set()
    new, path = stack.password("access-admin-password"), "@127.0.0.1:8080/prometheus/-/healthy"
    assert new != old
    stack.get_text("traefik", f"http://admin:{new}{path}")
    with pytest.raises(RuntimeError, match="401"):
        stack.get_text("traefik", f"http://admin:{old}{path}")


def test_grafanas_password_changes_the_login(stack: RunningStack) -> None:
    """Grafana alone restarts, on the database that had the old password; deliveries sign in with the new one."""
    old = stack.password("grafana-admin-password")
    assert _restarted(stack, "grafana-admin-password") == {stack.container_name("grafana")}
    new = stack.password("grafana-admin-password")
    assert new != old
    assert stack.get("grafana", f"http://admin:{new}@127.0.0.1:3000/api/search")
    with pytest.raises(RuntimeError, match="401"):
        stack.get("grafana", f"http://admin:{old}@127.0.0.1:3000/api/search")
    stack.edit_system(lambda system: system["dashboards"][0].update(title="Plue Overview, rotated"))
    stack.up()


def test_the_key_of_grafanas_database_is_refused(stack: RunningStack) -> None:
    """With words, and without a change."""
    run = stack.run("rotate", "--name", "grafana-secret-key")
    assert run.code == 2 and "only an empty database takes one" in run.text
