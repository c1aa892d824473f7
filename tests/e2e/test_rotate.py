"""`make secrets` and `make rotate` on a running stack: what changes is in force, and nobody who asks sees a failure."""

from __future__ import annotations

import pytest

from cli.render import plan_file
from cli.secrets import describe_effect
from tests.e2e.conftest import CANARY
from tests.support.load import under_load
from tests.support.running import RunningStack

ASKED = ("/api/health", "/login")
"""Pages that need no login, so that they are asked for with every password."""


def _visit(stack: RunningStack) -> int:
    """Opens each page, and returns how many answered 200.

    Raises:
        RuntimeError: one answered something else.
    """
    for path in ASKED:
        stack.get_text("traefik", f"http://127.0.0.1:8080{path}")
    return len(ASKED)


def _restarted(stack: RunningStack, name: str, value: str | None = None) -> set[str]:
    """Workloads whose process is another one after the rotation of a secret, which must succeed; no request fails."""
    before = stack.identities()
    with under_load(lambda: _visit(stack)) as answers:
        run = stack.run("rotate", "--name", name, stdin=value)
    assert run.code == 0, run.text[-6000:]
    failed = [answer for answer in answers if answer != len(ASKED)]
    assert not failed, failed[:5]
    assert len(answers) * len(ASKED) > 20, "somebody asked"
    changed = {service for service, identity in stack.identities().items() if before.get(service) != identity}
    names = [workload.name for workload in plan_file(stack.stack_file, stack.name).list_workloads()]
    return {_workload(process.removeprefix(f"{stack.name}-"), names) for process in changed}


def _workload(process: str, names: list[str]) -> str:
    """The workload of a container or a pod, whose name begins with the workload's."""
    return max((name for name in names if process.startswith(name)), key=len)


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


def test_a_receivers_address_changes_in_place(stack: RunningStack) -> None:
    """Alertmanager reads the new one with its next notification, and no process is another one."""
    new = f"http://demo-webhook:8080/demo/webhook?key={CANARY}-rotated"
    assert _restarted(stack, "pager-url", new) == set()
    copies = [copy.text for copy in stack.secret_copies() if "alertmanager" in copy.path]
    assert new in copies
    assert stack.run("alert-test", "--receiver", "pager").code == 0


def test_grafanas_password_changes_the_login(stack: RunningStack) -> None:
    """Grafana alone restarts, on the database that had the old password; deliveries sign in with the new one."""
    old = stack.password("grafana-admin-password")
    assert _restarted(stack, "grafana-admin-password") == {"grafana"}
    new = stack.password("grafana-admin-password")
    assert new != old
    assert stack.get("grafana", f"http://admin:{new}@127.0.0.1:3000/api/search")
    with pytest.raises(RuntimeError, match="401"):
        stack.get("grafana", f"http://admin:{old}@127.0.0.1:3000/api/search")
    stack.edit_system(lambda system: system["dashboards"][0].update(title="Plue Overview, rotated"))
    stack.up()


def test_the_table_says_what_happens(stack: RunningStack) -> None:
    """Each secret is one of the kinds that were rotated here, or it is said why it cannot be."""
    plan = plan_file(stack.stack_file, stack.name)
    kinds = {describe_effect(plan, secret) for secret in plan.secrets.values()}
    assert {kind.rpartition(" of ")[2].removeprefix("restarts ") for kind in kinds} == {
        "in place", "grafana", "cannot be rotated",
    }  # fmt: skip


def test_the_key_of_grafanas_database_is_refused(stack: RunningStack) -> None:
    """With words, and without a change."""
    run = stack.run("rotate", "--name", "grafana-secret-key")
    assert run.code == 2 and "only an empty database takes one" in run.text
