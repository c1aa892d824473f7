"""Bad configurations: each is refused before anything is registered, by a message with place, value and remedy."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from model.errors import ConfigError
from stack.assemble import ConfigValue, assemble_plan
from stack.stack import MonitoringStack
from targets.docker.check import check
from targets.docker.shared import build_address
from targets.platforms import PLATFORMS
from tests.support.mocks import run_program
from tests.support.refusals import CASES
from tests.support.refusals.case import Case
from tests.support.refusals.plain_secrets import CANARY, PAGERDUTY, PLAIN_SECRET_CASES, TOKEN
from tests.support.systems import ROOT, SYSTEM, changed, configuration, plan_shop, project


def refusal(case: Case, folder: Path) -> ConfigError:
    """What assembling the case says; fails the test when it says nothing."""
    system = case.text if case.text is not None else changed(SYSTEM, case.system)
    root = project(folder, system, images=case.images)
    with pytest.raises(ConfigError) as caught:
        assemble_plan(case.stack, configuration(case.settings), address=build_address, root=root)
    return caught.value


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_refused_with_place_and_remedy(case: Case, tmp_path: Path) -> None:
    """A bad configuration is refused where it is wrong, with what would be right.

    A single mistake is reported once, not as a trail of consequences. Whatever else is wrong at the place of a secret
    in clear, no message has a part of its value.
    """
    error = refusal(case, tmp_path)
    said, places = "\n".join(map(str, error.problems)), {p.where for p in error.problems}
    assert any(p.where.startswith(case.at) and case.says in p.message for p in error.problems), said
    assert case.text is not None or case.name.startswith("images") or len(places) == 1, said
    never = (CANARY[:10], PAGERDUTY[:10], "Hunter2") if case in PLAIN_SECRET_CASES else ()
    assert not [part for part in never if part in str(error)]


def problems_of(folder: Path, system: dict[str, object], settings: dict[str, str | ConfigValue]) -> list[str]:
    """Everything that is said about a shop with these changes."""
    with pytest.raises(ConfigError) as caught:
        plan_shop(folder, system, settings)
    return [str(problem) for problem in caught.value.problems]


def test_mistakes_of_different_kinds_are_said_in_one_run(tmp_path: Path) -> None:
    """What a component, the needs of others, ports, a secret and the target say is one list."""
    settings: dict[str, str | ConfigValue] = {
        "prometheus": '{"retention": "1d"}',
        "loki": '{"enabled": false}',
        "alertmanager": '{"port": 9090}',
        "grafana": '{"replicas": 2, "database": {"type": "postgres", "host": "db.internal:5432"}}',
    }
    root = project(tmp_path, SYSTEM)
    with pytest.raises(ConfigError) as caught:
        assemble_plan("dev", configuration(settings), platforms=PLATFORMS, root=root)
    said = [str(problem) for problem in caught.value.problems]
    for part in (
        "prometheus.retention: ",
        "loki.enabled: false, but promtail sends its lines to it",
        "host port 9090 is wanted by alertmanager and prometheus",
        "grafana-database-password: is required",
        "target docker: workload 'grafana'",
    ):
        assert [text for text in said if part in text], (part, said)


def test_a_mistake_of_the_system_hides_none_of_the_stack(tmp_path: Path) -> None:
    """A metric that no rule can be made of is told together with what components and ports say."""
    unit: dict[str, object] = {"services.api.metrics.shop_duration_seconds.unit": "bytes"}
    said = problems_of(tmp_path, unit, {"loki": '{"retention": "12h"}', "alertmanager": '{"port": 9090}'})
    for part in ("'bytes' is no unit of time", "the least that Loki supports is 24h", "host port 9090 is wanted"):
        assert [text for text in said if part in text], (part, said)


def test_there_are_many_cases() -> None:
    """The table is as long as promised, and no case stands in it twice."""
    assert len({case.name for case in CASES}) == len(CASES) >= 100


def test_the_unchanged_shop_is_accepted(tmp_path: Path) -> None:
    """What all the cases bend is itself a good configuration."""
    assert plan_shop(tmp_path).system.name == "shop"


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    """Mistakes in settings, system and images come in one list, each with its place."""
    images = "images:\n  prometheus: {repository: prom/prometheus, tag: 3.1}\n"
    root = project(tmp_path, changed(SYSTEM, {"services.api.port": 0, "titel": "x"}), images=images)
    config = configuration({"demo": "maybe", "scrapeIntervall": "1s"})
    with pytest.raises(ConfigError) as caught:
        assemble_plan("dev", config, address=build_address, root=root)
    places = [problem.where for problem in caught.value.problems]
    assert places == [
        "configs/images.yaml: images.prometheus.tag",
        "Pulumi.dev.yaml: demo",
        "configs/systems/shop.yaml: services.api.port",
        "configs/systems/shop.yaml: titel",
        "Pulumi.dev.yaml: scrapeIntervall",
    ]
    assert str(caught.value).startswith("5 problems in the configuration:\n  - configs/images.yaml")


def test_contradictions_and_secrets_are_said_together(tmp_path: Path) -> None:
    """What only the plan shows, and what is wrong with secrets, come in one list too."""
    login = '{"registryLogins": [{"address": "r:5000", "username": "u", "passwordSecret": "pull"}]}'
    said = problems_of(tmp_path, {}, {"docker": login, "unknown": "1", "system": "shop"})
    assert len(said) == 2
    assert "unknown key 'unknown'" in said[0]
    assert "make secret STACK=dev NAME=pull (or: pulumi config set --secret pull)" in said[1]


def test_what_parts_say_of_each_other_is_said_together(tmp_path: Path) -> None:
    """Times, needs and ports come in one list: no part ends the run before the next one is asked."""
    settings: dict[str, str | ConfigValue] = {"loki": '{"enabled": false}', "alertmanager": '{"port": 9090}'}
    said = problems_of(tmp_path, {"objectives.0.window": "30d"}, settings)
    assert [text.partition(": ")[0] + ": " + text.split(": ")[1] for text in said] == [
        "Pulumi.dev.yaml: loki.enabled",
        "configs/systems/shop.yaml: objectives[0].window",
        "Pulumi.dev.yaml: alertmanager.port",
    ]


def test_the_value_of_a_secret_is_never_shown(tmp_path: Path) -> None:
    """Neither a secret stored in clear nor a key that looks like a forgotten one has its value in a message."""
    login = '{"registryLogins": [{"address": "r:5000", "username": "u", "passwordSecret": "pull"}]}'
    said = problems_of(tmp_path, {}, {"docker": login, "pull": "hunter2", "pul": "hunter3"})
    assert len(said) == 2
    assert "hunter" not in "".join(said)


def test_the_target_is_asked_before_anything_is_registered(tmp_path: Path) -> None:
    """What the platform cannot express is part of the same list."""
    root = project(tmp_path, SYSTEM)
    with pytest.raises(ConfigError, match="target docker: no room"):
        assemble_plan("dev", configuration({}), address=build_address, root=root, check=lambda _: ["no room"])
    assert assemble_plan("dev", configuration({}), address=build_address, root=root, check=check).stack == "dev"


def test_a_refusal_registers_nothing(tmp_path: Path) -> None:
    """In the order of the real program, a bad configuration ends the run before the first resource."""
    root = project(tmp_path, changed(SYSTEM, {"services.api.port": 0}))
    registered: list[str] = []

    def program() -> None:
        plan = assemble_plan("dev", configuration({}), address=build_address, root=root)
        registered.append("reached")
        MonitoringStack("dev", plan, {})

    with pytest.raises(ConfigError):
        run_program(program)
    assert registered == []


def test_the_program_assembles_before_it_registers() -> None:
    """In __main__.py, the plan is complete before the first resource is made."""
    tree = ast.parse((ROOT / "__main__.py").read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    lines = {node.func.id: node.lineno for node in calls if isinstance(node.func, ast.Name)}
    assert lines["assemble_plan"] < lines["MonitoringStack"]


def test_refusing_needs_no_provider(tmp_path: Path) -> None:
    """Where a configuration is judged, no provider SDK is even loaded, so nothing can be registered with one."""
    root = project(tmp_path, changed(SYSTEM, {"services.api.port": 0}))
    code = f"""
import sys, pathlib
from stack.assemble import ConfigValue, assemble_plan
from model.errors import ConfigError
try:
    assemble_plan("dev", {{"system": ConfigValue("shop")}}, address=str, root=pathlib.Path({str(root)!r}))
except ConfigError as error:
    print(len(error.problems), [name for name in sys.modules if name.startswith("pulumi_")])
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "1 []", done.stderr


def test_system_names_do_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    """A system's name is never used as a path before it is known to be a name."""
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "evil.yaml").write_text("name: evil\n", encoding="utf-8")
    assert [s for s in problems_of(tmp_path, {}, {"system": "../evil"}) if "evil.yaml" in s] == []


def test_a_secret_as_a_key_of_the_configuration_is_not_repeated(tmp_path: Path) -> None:
    """A token in the place of a configuration key is refused as an unknown key without its name."""
    (said,) = problems_of(tmp_path, {}, {TOKEN: "x"})
    assert "unknown key 'hidden'" in said
