"""Passwords and certificates of the entry point: which secrets there are, and which files."""

from __future__ import annotations

import json
from pathlib import Path

from model.secret import Htpasswd
from stack.assemble import ConfigValue
from tests.support.planned import workload
from tests.support.systems import plan_shop

SECRET = ConfigValue("", secret=True)


def test_somebody_can_sign_in(tmp_path: Path) -> None:
    """Where the settings name nobody there is one user, whose password is generated."""
    plan = plan_shop(tmp_path)
    assert plan.secrets["access-admin-password"].generate
    assert plan.secrets["traefik-users"].made == Htpasswd(users={"admin": "access-admin-password"})
    (file,) = workload(plan, "traefik").secrets
    assert (file.path, file.reread) == ("/run/secrets/traefik-users", True)


def test_machines_are_in_files_of_their_own(tmp_path: Path) -> None:
    """One for each thing that they are for; their passwords are generated unless they are named."""
    access = {
        "users": [{"name": "ada", "passwordSecret": "ada-key"}],
        "machines": [
            {"name": "m", "may": ["push", "federate"]},
            {"name": "n", "passwordSecret": "n-key", "may": ["push"]},
        ],
    }
    plan = plan_shop(tmp_path, settings={"access": json.dumps(access), "ada-key": SECRET, "n-key": SECRET})
    made = {name: secret.made.users for name, secret in plan.secrets.items() if isinstance(secret.made, Htpasswd)}
    assert made == {
        "traefik-users": {"ada": "ada-key"},
        "traefik-users-push": {"m": "access-m-password", "n": "n-key"},
        "traefik-users-federate": {"m": "access-m-password"},
    }
    assert plan.secrets["access-m-password"].generate and not plan.secrets["n-key"].generate
    assert len(workload(plan, "traefik").secrets) == 3


def test_a_certificate_is_two_files(tmp_path: Path) -> None:
    """Of the configuration's secrets, or of the stack's own authority."""
    named = {"baseUrl": "https://m.example.com"}
    files = {"mode": "files", "files": {"certificateSecret": "c", "keySecret": "k"}}
    given = plan_shop(tmp_path / "a", settings={**named, "tls": json.dumps(files), "c": SECRET, "k": SECRET})
    own = plan_shop(tmp_path / "b", settings={**named, "tls": '{"mode": "internal"}'})
    paths = ["/run/secrets/traefik-certificate", "/run/secrets/traefik-certificate-key"]
    for plan, names in ((given, ["c", "k"]), (own, ["traefik-certificate", "traefik-certificate-key"])):
        found = [file for file in workload(plan, "traefik").secrets if "certificate" in file.path]
        assert [file.path for file in found] == paths and [file.secret for file in found] == names
        assert all(file.reread for file in found)
    assert own.secrets["tls-authority"].generate
