"""A plan collects from every component, and refuses what contradicts itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from model.component import Component, Contribution, Contributor, Planned, Planning
from model.errors import ConfigError, Problem
from model.images import Image
from model.load import parse_model
from model.plan import Plan, build_plan, mark_accompanied
from model.secret import Secret
from model.settings import ComponentSettings, Settings
from model.system import System
from model.telemetry import EVALUATION, ScrapeJob, Telemetry
from model.workload import MIB, DataVolume, Limits, Port, SecretFile, Workload
from tests.support.systems import SYSTEM, changed

LIMITS = Limits(memory=MIB)


class OwnSettings(ComponentSettings):
    """Settings of a component of the test."""


@dataclass
class Fake(Component[ComponentSettings]):
    """A component that hands out what it was given, and remembers what it saw."""

    name: str
    planned: tuple[Workload, ...] = ()
    needs: tuple[Secret, ...] = ()
    contributed: Telemetry = field(default_factory=Telemetry)
    seen: list[Telemetry] = field(default_factory=list)
    sections: list[ComponentSettings] = field(default_factory=list)
    settings: type[ComponentSettings] = ComponentSettings

    def secrets(self, own: ComponentSettings, context: Planning) -> tuple[Secret, ...]:
        """Its secrets."""
        return self.needs

    def telemetry(self, own: ComponentSettings, context: Planning) -> Telemetry:
        """Its contribution."""
        return self.contributed

    def workloads(self, own: ComponentSettings, context: Planned) -> tuple[Workload, ...]:
        """Its workloads."""
        self.seen.append(context.telemetry)
        self.sections.append(own)
        return self.planned


def workload(name: str, **more: object) -> Workload:
    """A workload by name."""
    return Workload(**{"name": name, "image": "img", "limits": LIMITS, **more})  # type: ignore[arg-type]


def context(components: Sequence[Fake], *, off: tuple[str, ...] = ()) -> Planning:
    """A context in which all components are registered, some switched off."""
    return Planning(
        stack="dev",
        settings=Settings(system="shop"),
        system=parse_model(System, changed(SYSTEM, {"services.api.health": []}), "shop"),
        sections={c.name: OwnSettings(enabled=c.name not in off) for c in components},
        address=lambda name, port: f"{name}:{port}",
        images={"img": Image(repository="img", tag="v1")},
    )


@dataclass
class Extra(Contributor):
    """Somebody who contributes without being a component."""

    made: Contribution

    def contribute(self, context: Planning) -> Contribution:
        """What it was given."""
        return self.made


def plan(*components: Fake, off: tuple[str, ...] = (), extra: Telemetry | None = None) -> Plan:
    """The plan of some components.

    Raises:
        ConfigError: something in it is wrong.
    """
    others = [Extra(Contribution(telemetry=extra))] if extra else []
    made, problems = build_plan(context(components, off=off), components, others)
    if problems:
        raise ConfigError(problems)
    return made


def job(name: str) -> Telemetry:
    """A contribution of one scrape job, and of somebody who scrapes."""
    return Telemetry(scrape=(ScrapeJob(name=name, targets=()),), offers=(EVALUATION,))


def test_workloads_see_the_telemetry_of_everyone() -> None:
    """The first component's documents know what the last one and the system contribute."""
    first, last = Fake("first", (workload("first"),), contributed=job("a")), Fake("last", contributed=job("b"))
    made = plan(first, last, extra=job("c"))
    assert [entry.name for entry in first.seen[0].scrape] == ["a", "b", "c"]
    assert made.telemetry == first.seen[0]


def test_a_component_that_is_off_takes_no_part() -> None:
    """Neither its workloads nor its telemetry nor its secrets are in the plan."""
    off = Fake("off", (workload("off"),), (Secret(name="s", purpose="p"),), job("a"))
    made = plan(Fake("on", (workload("on"),)), off, off=("off",))
    assert [w.name for w in made.list_workloads()] == ["on"]
    assert made.secrets == {}
    assert made.telemetry.scrape == ()


def test_components_without_workloads_are_left_out() -> None:
    """A component that the system does not call for makes no resource."""
    assert list(plan(Fake("idle"), Fake("busy", (workload("busy"),))).workloads) == ["busy"]


def test_a_component_gets_its_own_section() -> None:
    """The settings that a hook is called with are those that stand under the component's name."""
    first, second = Fake("first"), Fake("second")
    known = context([first, second])
    build_plan(known, [first, second])
    assert first.sections[0] is known.sections["first"] and second.sections[0] is known.sections["second"]


@pytest.mark.parametrize(
    ("planned", "says"),
    [
        ((workload("a"), workload("a")), "workload 'a' is planned more than once"),
        (
            (workload("a", ports=(Port(number=1, publish=80),)), workload("b", ports=(Port(number=2, publish=80),))),
            "host port 80 is wanted by a and b: give each a port of its own",
        ),
        (
            (workload("a", ports=(Port(number=1, publish=80), Port(number=2, publish=80))),),
            "host port 80 is wanted by a and a",
        ),
        (
            (
                workload("a", volumes=(DataVolume(name="d", path="/d"),)),
                workload("b", volumes=(DataVolume(name="d", path="/d"),)),
            ),
            "volume 'd' is planned more than once",
        ),
        ((workload("a", image="imgg"),), "workload 'a': image 'imgg' is unknown; did you mean 'img'?"),
        (
            (workload("a", secrets=(SecretFile(path="/run/secrets/p", secret="pasword"),)),),
            "workload 'a': secret 'pasword' is not declared; did you mean 'password'?",
        ),
        (
            (workload("a", after=("prometeus",)), workload("prometheus")),
            "workload 'a': starts after 'prometeus', which is not planned; did you mean 'prometheus'?",
        ),
    ],
)
def test_contradictions_are_refused(planned: tuple[Workload, ...], says: str) -> None:
    """Names, ports, images, secrets and order are checked across all workloads."""
    with pytest.raises(ConfigError) as caught:
        plan(Fake("x", planned, (Secret(name="password", purpose="p"),)))
    assert any(says in str(problem) for problem in caught.value.problems), str(caught.value)


def test_all_contradictions_at_once() -> None:
    """Telemetry, names and images are reported in one list, at the stack."""
    with pytest.raises(ConfigError) as caught:
        plan(Fake("x", (workload("a", image="no"), workload("a")), contributed=job("j")), extra=job("j"))
    assert len(caught.value.problems) == 3
    assert {problem.where for problem in caught.value.problems} == {"stack dev"}


def test_a_name_is_said_once_with_its_place() -> None:
    """Whoever knows where a name stands that is taken says it, in whatever words; the plan does not say it again."""
    volumes = (DataVolume(name="a-data", path="/d"),)
    twice = Fake("x", (workload("a", volumes=volumes), workload("a", volumes=volumes)))

    def list_problems(taken: str) -> list[Problem]:
        mistake = Problem("configs/systems/shop.yaml: services.a", "is in use", taken)
        wrong = Extra(Contribution(telemetry=Telemetry(), problems=(mistake,)))
        return build_plan(context([twice]), [twice], [wrong])[1]

    assert [problem.where for problem in list_problems("a")] == ["configs/systems/shop.yaml: services.a"]
    assert [problem.where for problem in list_problems("b")][1:] == ["stack dev", "stack dev"]


def test_unpublished_ports_do_not_clash() -> None:
    """Two workloads may listen on one port number, each in its own container."""
    ports = (Port(number=80),)
    assert len(plan(Fake("x", (workload("a", ports=ports), workload("b", ports=ports)))).list_workloads()) == 2


def test_a_mistake_of_a_contributor_hides_no_other() -> None:
    """Its problems come first, with those of all workloads; a plan is made all the same."""
    mistake = Problem("configs/systems/shop.yaml", "is wrong")
    wrong = Extra(Contribution(telemetry=Telemetry(), problems=(mistake,), complete=False))
    component = Fake("x", (workload("a", image="no"),))
    made, problems = build_plan(context([component]), [component], [wrong])
    assert problems[0] == mistake and any("image 'no' is unknown" in str(problem) for problem in problems[1:])
    assert [entry.name for entry in made.list_workloads()] == ["a"]


def test_who_has_a_neighbour_says_so() -> None:
    """A target keeps both together; nobody else is touched."""
    made = mark_accompanied({"a": (workload("a"), workload("b")), "c": (workload("c", beside="a"),)})
    assert [item.accompanied for item in made["a"]] == [True, False] and not made["c"][0].accompanied


def test_whoever_is_deployed_last_is_derived_first() -> None:
    """So that the one that scrapes sees the jobs that follow from others."""

    @dataclass
    class Deriving(Fake):
        """A component that adds a job, and remembers which it saw."""

        adds: Telemetry = field(default_factory=Telemetry)
        saw: list[tuple[str, ...]] = field(default_factory=list)

        def derived(self, own: ComponentSettings, context: Planning, collected: Telemetry) -> Telemetry:
            """What it adds."""
            self.saw.append(tuple(item.name for item in collected.scrape))
            return self.adds

    early, late = (
        Deriving("early"),
        Deriving("late", adds=Telemetry(scrape=(ScrapeJob(name="late"),), offers=(EVALUATION,))),
    )
    plan(early, late)
    assert early.saw == [("late",)] and late.saw == [()]
