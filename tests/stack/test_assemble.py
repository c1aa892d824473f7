"""Configuration as text becomes a typed plan; what is wrong is in tests/test_refusals.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from model.errors import ConfigError
from model.places import derive_section_key
from model.secret import Secret
from stack import assemble as module
from stack import registry
from stack.assemble import ConfigValue, collect_secrets, load_images, load_settings, load_system
from tests.support.systems import ROOT, SYSTEM, configuration, plan_shop, project
from tests.support.yaml_files import read_yaml

LOGIN = {"registryLogins": [{"address": "r:5000", "username": "u", "passwordSecret": "pull"}]}


@pytest.mark.parametrize(
    ("key", "text", "attribute", "value"),
    [
        ("demo", "true", "demo", True),
        ("retainData", "false", "retain_data", False),
        ("environment", "prod", "environment", "prod"),
        ("scrapeInterval", "30s", "scrape_interval", "30s"),
        ("environment", "true", "environment", "true"),
    ],
)
def test_texts_become_values(key: str, text: str, attribute: str, value: Any) -> None:
    """Pulumi hands out text; a setting's type decides what it means."""
    settings = load_settings("dev", configuration({key: text}))
    assert getattr(settings, attribute) == value


def test_structured_values_are_json() -> None:
    """An object of the configuration file arrives as JSON and becomes the section."""
    docker = {"host": "tcp://10.0.0.5:2376", "logMaxFiles": 5, **LOGIN}
    settings = load_settings("dev", configuration({"docker": json.dumps(docker)}))
    assert settings.docker.log_max_files == 5
    assert settings.docker.registry_logins[0].password_secret == "pull"


def test_every_component_has_a_key() -> None:
    """Each section can be switched off from the configuration."""
    for component in registry.COMPONENTS:
        (target, *_) = component.targets
        options = {"target": target, derive_section_key(component.name): '{"enabled": false}'}
        settings = load_settings("dev", configuration(options))
        assert not registry.list_sections(settings)[component.name].enabled


def test_a_secret_of_a_login_is_part_of_the_plan(tmp_path: Path) -> None:
    """The target finds the login's password among the plan's secrets."""
    settings: dict[str, str | ConfigValue] = {
        "docker": json.dumps(LOGIN),
        "pull": ConfigValue("never looked at", secret=True),
    }
    plan = plan_shop(tmp_path, settings=settings)
    assert plan.secrets["pull"] == Secret(name="pull", purpose="the password of u at the registry r:5000")


def test_a_generated_secret_may_be_absent_or_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What can be generated need not be set, and may be."""
    own = {"made-up": Secret(name="made-up", purpose="a password", generate=True)}
    monkeypatch.setattr(module, "collect_secrets", lambda context: own)
    assert "made-up" in plan_shop(tmp_path).secrets
    assert "made-up" in plan_shop(tmp_path, settings={"made-up": ConfigValue("", secret=True)}).secrets
    with pytest.raises(ConfigError, match="stored in clear, but is a password"):
        plan_shop(tmp_path, settings={"made-up": "hunter2"})


def test_a_disabled_component_asks_for_no_secrets(tmp_path: Path) -> None:
    """Only what runs needs its secrets."""
    assert plan_shop(tmp_path / "on").secrets != {}
    off = {"grafana": '{"enabled": false}', "traefik": '{"enabled": false}'}
    assert plan_shop(tmp_path / "off", settings=off).secrets == {}


def test_parts_can_be_loaded_alone(tmp_path: Path) -> None:
    """Other tools read images and systems through the same functions."""
    root = project(tmp_path, SYSTEM)
    assert "prometheus" in load_images(ROOT)
    assert load_system("shop", "dev", root).title == "Shop"
    assert callable(collect_secrets)


@pytest.mark.parametrize("stack", ["dev", "prod-eu", "a1"])
def test_stack_names_that_work_everywhere(stack: str, tmp_path: Path) -> None:
    """A stack's name becomes part of container, volume and network names."""
    root = project(tmp_path, SYSTEM)
    assert module.assemble_plan(stack, configuration({}), address="{}:{}".format, root=root).stack == stack


def test_a_word_may_stand_for_a_section(tmp_path: Path) -> None:
    """`prometheus: operator` is the mode with its defaults, and on Docker one problem beside those of all else."""
    settings = load_settings("dev", configuration({"prometheus": "operator", "target": "kubernetes"}))
    section = settings.prometheus  # type: ignore[attr-defined]  # sections are added by the registry
    assert section.mode == "operator" and section.operator.labels == {"release": "kube-prometheus-stack"}
    with pytest.raises(ConfigError) as caught:
        plan_shop(tmp_path, settings={"prometheus": "operator", "demo": "maybe"})
    assert [problem.where for problem in caught.value.problems] == ["Pulumi.dev.yaml: demo"]
    with pytest.raises(ConfigError) as caught:
        plan_shop(tmp_path, {"services.api.health": []}, {"prometheus": "operator", "nonsense": "1"})
    assert {problem.where for problem in caught.value.problems} == {
        "Pulumi.dev.yaml: prometheus.mode", "Pulumi.dev.yaml: nonsense",
    }  # fmt: skip


def outcome(folder: Path, settings: dict[str, Any]) -> tuple[Any, ...]:
    """What a plan has to run and to say, or every problem of it."""
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in settings.items()}
    try:
        plan = plan_shop(folder, settings=texts)
    except ConfigError as error:
        return tuple(sorted(map(str, error.problems)))
    return ([workload.name for workload in plan.list_workloads()], plan.warnings)


@pytest.mark.parametrize("off", [component.name for component in registry.COMPONENTS])
def test_what_pulumi_fills_in_says_nothing(tmp_path: Path, off: str) -> None:
    """It hands the project's default of each key to the program: what was left out, commands and program see alike."""
    project_file = read_yaml((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))
    filled = {key: item["default"] for key, item in project_file["config"].items() if "default" in item}
    said = {derive_section_key(off): {"enabled": False}}
    assert {"tls", "access", "docker", "traefik"} <= filled.keys()
    assert outcome(tmp_path / "filled", {**filled, **said}) == outcome(tmp_path / "left", said)
