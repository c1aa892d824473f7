"""The whole stack as one resource: secrets are generated or taken, components come in order, all below one parent."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path

import pulumi
import pytest
from pulumi.runtime import config as runtime_config

from model.errors import ConfigError
from model.plan import Plan
from model.secret import Secret
from model.workload import SecretFile
from stack.assemble import ConfigValue
from stack.stack import MonitoringStack, read_config_values
from tests.support.mocks import RecordedResource, by_name, run_program
from tests.support.systems import plan_shop


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """The plan of the shop, in which Prometheus reads one secret of each kind."""
    plan = plan_shop(tmp_path)
    files = tuple(SecretFile(path=f"/run/secrets/{name}", secret=name) for name in ("made", "given"))
    (prometheus,) = plan.workloads["prometheus"]
    secrets = {
        "made": Secret(name="made", purpose="generated", generate=True, length=24),
        "given": Secret(name="given", purpose="configured"),
    }
    workloads = {**plan.workloads, "prometheus": (replace(prometheus, secrets=files),)}
    return replace(plan, workloads=workloads, secrets={**plan.secrets, **secrets})


def deploy(plan: Plan, *, seen: list[object] | None = None) -> list[RecordedResource]:
    """Everything that the stack registers."""

    def program() -> pulumi.Output[object]:
        secrets = {"given": pulumi.Output.secret("canary-given")}
        stack = MonitoringStack("dev", plan, secrets)
        if seen is not None:
            seen.extend([stack.urls, stack.passwords.keys(), stack.deployments.keys()])
        return stack.ready.apply(lambda ready: ready)

    return run_program(program)


def test_everything_lies_below_the_stack(plan: Plan) -> None:
    """One resource is the root of all others, so that a preview reads as a tree."""
    resources = deploy(plan)
    root = resources[0]
    assert root.type == "observability:components:MonitoringStack"
    known = {resource.urn for resource in resources}
    assert not [resource.name for resource in resources[1:] if resource.parent not in known]


def test_absent_secrets_are_generated(plan: Plan) -> None:
    """A secret that may be generated is a random password of its length; a configured one is used as it is."""
    resources = deploy(plan)
    made = [resource for resource in resources if resource.type.endswith(":RandomPassword")]
    assert "dev-made" in [resource.name for resource in made]
    assert "dev-given" not in [resource.name for resource in made]
    assert by_name(resources, "dev-made").inputs["length"] == 24
    uploads = by_name(resources, "dev-prometheus-secrets", ":Container").inputs["uploads"]
    assert [entry["content"] for entry in uploads] == ["canary-dev-made", "canary-given"]


def test_secrets_are_marked_wherever_they_go(plan: Plan) -> None:
    """No input of any resource holds a secret's value without being a secret itself."""
    for resource in deploy(plan):
        for key, value in resource.inputs.items():
            if "canary-" in str(value):
                assert any(path.startswith(key) for path in resource.secrets), (resource.name, key)


def test_people_learn_addresses_and_passwords(plan: Plan) -> None:
    """The stack tells where each published port is, and which passwords it made."""
    seen: list[object] = []
    deploy(plan, seen=seen)
    urls, passwords, deployments = seen
    assert isinstance(urls, dict)
    assert urls["prometheus"] == "127.0.0.1:9090"
    assert "made" in list(passwords)  # type: ignore[call-overload]
    assert set(deployments) == {workload.name for workload in plan.list_workloads()}  # type: ignore[call-overload]


def test_what_the_target_refuses_stops_the_run(plan: Plan) -> None:
    """A workload that Docker cannot express is refused with its name."""
    (prometheus,) = plan.workloads["prometheus"]
    wrong = replace(prometheus, secrets=(SecretFile(path="/elsewhere/made", secret="made"),))
    with pytest.raises(ConfigError, match="target docker: workload 'prometheus'"):
        deploy(replace(plan, workloads={**plan.workloads, "prometheus": (wrong,)}))


def test_configuration_is_read_without_its_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys of other namespaces are left out, and the text of a secret is not even taken."""
    values = {"observability:system": "shop", "observability:token": "hunter2", "aws:region": "x"}
    monkeypatch.setattr(runtime_config, "CONFIG", ContextVar("config", default=values))
    monkeypatch.setattr(runtime_config, "get_config_env", dict)
    monkeypatch.setattr(runtime_config, "is_config_secret", lambda key: key == "observability:token")
    assert read_config_values("observability") == {
        "system": ConfigValue("shop"),
        "token": ConfigValue("", secret=True),
    }
