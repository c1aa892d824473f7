"""Who may come in: somebody always can, and machines for what they are for."""

from __future__ import annotations

from model.access import AccessSettings


def test_there_is_a_first_user() -> None:
    """Where nobody is named; with login none there is nobody."""
    assert [(user.name, user.secret) for user in AccessSettings().list_users()] == [("admin", "access-admin-password")]
    assert AccessSettings.model_validate({"login": "none"}).list_users() == ()


def test_machines_have_what_they_are_for() -> None:
    """And no more."""
    settings = AccessSettings.model_validate(
        {"machines": [{"name": "a", "may": ("push",)}, {"name": "b", "may": ("push", "federate")}]}, strict=False
    )
    assert [machine.name for machine in settings.list_machines("push")] == ["a", "b"]
    assert [machine.name for machine in settings.list_machines("federate")] == ["b"]
