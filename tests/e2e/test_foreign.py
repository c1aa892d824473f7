"""The five systems where they really run: in compose projects of their own, which the stack joins, and on the host.

Their services are stood in for by containers that are not the stack's; nothing of the stack knows that they are none.
One system alone: -k plue.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from cli.lifecycle import get_prerequisites
from cli.render import plan_file
from model.plan import Plan
from stack.assemble import load_images
from tests.e2e.test_host import APP
from tests.e2e.test_no_change import unchanged
from tests.support.foreign import Project
from tests.support.planned import workload
from tests.support.running import ROOT, Engine, RunningStack
from tests.support.waiting import eventually
from tests.support.yaml_files import read_yaml

SYSTEMS = ("plue", "pluggedin", "agenttrace", "devops-mcp", "execora")
PASSWORD = "theirs-5f0c2a"
OURS = ("prometheus", "alertmanager", "loki", "grafana", "traefik", "promtail", "blackbox-exporter")
"""Names of the stack's parts that the projects have containers for, too."""
GROUP = 4
"""The group that may read the log files of the host: adm, on Debian."""
ODD_LINES = (
    '{"level":50,"time":1700000000000,"msg":"pino says error","component":"cart"}',
    '{"level":30,"msg":"all fine","errors":0}',
    '{"level":"WARNING","msg":"python says warning"}',
    "2026-01-01 12:00:00.000 ERROR 1 --- [main] c.e.App : spring says error",
    'level=error msg="go says error"',
    "an error without any level",
)
"""What programs write beside the stand-ins."""


ALERT = {
    "name": "TheirsIsTold", "expr": "vector(1)", "severity": "critical", "summary": "s", "description": "d.",
    "example": {"fires": {"up": "1+0x120"}, "silent": {"up": "1+0x120"}},
}  # fmt: skip
"""An alert that fires from the beginning."""


@dataclass(frozen=True)
class Place:
    """A system's stack, the project that it watches, and the folder of the host that its log files are in."""

    system: str
    stack: RunningStack
    project: Project
    folder: str

    @property
    def plan(self) -> Plan:
        """The stack's plan, of the files that it was deployed from."""
        plan = plan_file(self.stack.stack_file, self.stack.name)
        document = read_yaml((self.stack.root / f"configs/systems/{self.system}.yaml").read_text())
        assert set(document["services"]) == set(plan.system.services)
        return plan


def _reference(engine: Engine) -> Any:
    """What the engine knows each image by, once it is there."""
    names = ("busybox", "demo", "postgres", "redis")
    here = get_prerequisites(names).get("docker", {})
    mirror = {**here, **engine.settings}.get("registryMirror")
    known = {name: image.reference(mirror) for name, image in load_images(ROOT).items()}
    assert engine.client is not None
    for name in names:
        engine.client.images.pull(known[name])
    return known.__getitem__


def _called(key: str) -> str:
    """What compose calls a service: with underscores, as many people do."""
    return key.replace("-", "_")


def _theirs(project: Project, demo: Plan) -> None:
    """The system's services and databases, a receiver of notifications, odd lines, and names like our parts'."""
    passwords = dict.fromkeys(demo.secrets, PASSWORD)
    project.create()
    for item in demo.workloads["demo-workload"]:
        host = item.name in demo.system.services and demo.system.services[item.name].on_host
        if not host and item.name != "demo-webhook":
            project.play(item, _called(item.name), passwords)
    project.play(workload(demo, "demo-webhook"), "ntfy", {})
    write = "cat /lines; exec /bin/busybox sleep 3600"
    project.run(
        "odd_one", "busybox", command=("/bin/busybox", "sh", "-c", write), files={"/lines": "\n".join(ODD_LINES) + "\n"}
    )
    project.run("decoy", "busybox", command=("/bin/busybox", "sleep", "3600"), aliases=OURS)


def _edit(stack: RunningStack, project: Project, folder: str, demo: Plan) -> None:
    """The stack's files as people would have them for this project: what is theirs is named, and nothing else."""
    first = next(iter(demo.system.services))
    target = {"name": "theirs", "prefix": "/theirs", "strip": True, "login": False}

    def settings(config: dict[str, Any]) -> None:
        config["demo"] = False
        config.pop("demoWorkload", None)
        config["docker"] = {**config.get("docker", {}), "externalNetworks": [project.network]}
        config["alertmanager"]["receivers"] = [{"name": "ntfy", "webhook": {"url": "http://ntfy:8080/demo/webhook"}}]
        port = 8080 if demo.system.services[first].on_host else demo.system.services[first].port
        name = "ntfy" if demo.system.services[first].on_host else _called(first)
        config["traefik"]["routes"] = [{**target, "url": f"http://{name}:{port}"}]

    def system(document: dict[str, Any]) -> None:
        for key, service in document["services"].items():
            if "-" in key:
                service["address"] = f"{_called(key)}:{service['port']}"
        document.setdefault("alerts", []).append(ALERT)
        for log in document.get("hostLogs", ()):
            log |= {"path": f"{folder}/*/logs/*.log", "group": GROUP}

    stack.edit_settings(settings)
    stack.edit_system(system)
    for name, secret in demo.secrets.items():
        if name.endswith("-password") and not name.startswith("grafana"):
            assert secret.generate
            stack.secret(name, PASSWORD)


@pytest.fixture(scope="module", params=SYSTEMS)
def place(request: pytest.FixtureRequest, engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A system's stack with `demo: false`, beside the project that its services run in."""
    system = str(request.param)
    number = SYSTEMS.index(system)
    assert engine.client is not None
    # its network's name is behind all projects', so that names that are in both would be found in theirs
    stack = RunningStack(tmp_path_factory.mktemp(system), f"your-{system}", engine, 28200 + 10 * number, system)
    # longer than the windows of its objectives
    stack.edit_settings(lambda config: config["prometheus"].update(retention="32d"))
    demo = plan_file(stack.stack_file, stack.name)
    project = Project(engine.client, system.replace("-", ""), _reference(engine))
    made = subprocess.run([*engine.files(), "mktemp", "-d"], capture_output=True, text=True, check=True)
    folder = made.stdout.strip()
    script = (
        f"chmod 755 {folder} && mkdir -p {folder}/app/logs && cd {folder}/app/logs && touch app.log"
        f" && chown 0:{GROUP} app.log && chmod 640 app.log"
    )
    subprocess.run([*engine.files(), "sh", "-c", script], check=True)
    bridge = engine.find_host_gateway()
    app = subprocess.Popen([*engine.network(), sys.executable, "-c", APP, bridge])
    try:
        _theirs(project, demo)
        _edit(stack, project, folder, demo)
        stack.first_up = stack.up()
        print(f"{system}: make up in {stack.first_up.seconds:.0f} s")
        yield Place(system, stack, project, folder)
    finally:
        app.terminate()
        app.wait(20)
        stack.discard()
        project.remove()
        subprocess.run([*engine.files(), "rm", "-r", folder], check=True)


def test_every_target_is_up(place: Place) -> None:
    """Every service and database of the project is scraped, and so is each part of the stack."""
    up = place.stack.prom("up")
    assert {series["value"][1] for series in up} == {"1"}, [s["metric"] for s in up if s["value"][1] != "1"]
    assert set(place.plan.system.services) <= {series["metric"]["service"] for series in up}
    for kind in {database.kind for database in place.plan.system.databases.values()}:
        metric = {"postgres": "pg_up", "redis": "redis_up"}[kind]
        eventually(lambda metric=metric: place.stack.prom(f"{metric} == 1"), timeout=30, what=metric)  # type: ignore[misc]
    probes = place.stack.prom("probe_success")
    assert {series["value"][1] for series in probes} <= {"1"}, probes
    print(f"{place.system}: {len(up)} of {len(up)} targets up, {len(probes)} health endpoints answer")


def test_lines_have_the_service_of_the_metrics(place: Place) -> None:
    """A line of each container is found by the very label that its metrics have, whatever compose calls it."""
    found = 0
    for key, service in place.plan.system.services.items():
        if service.on_host:
            continue
        marker = uuid.uuid4().hex
        url = f"http://{_called(key)}:{service.port}/demo/logs"
        body = json.dumps({"msg": f"marker {marker}", "level": "error", "fields": {"tenant_id": marker}})
        place.stack.sh("prometheus", f"/tools/busybox wget -q -O - --post-data '{body}' {url}")
        beside = f' | tenant_id="{marker}"' if "tenant_id" in service.logs.fields else ""
        query = f'{{job="containerlogs", service="{key}", level="error"}} |= "{marker}"{beside}'
        eventually(lambda query=query: place.stack.loki(query), timeout=20, what=query)  # type: ignore[misc]
        found += 1
    print(f"{place.system}: lines of {found} services found by the service of their metrics")


def test_levels_are_the_same_words(place: Place) -> None:
    """Numbers, capitals and text have the level that they mean, and no word in a line makes it an error."""
    lines = eventually(
        lambda: _at_least(place.stack.loki('{service="odd_one"}'), len(ODD_LINES)), timeout=20, what="the odd lines"
    )
    assert set(lines) == set(ODD_LINES)
    errors = place.stack.loki('{service="odd_one", level="error"}')
    assert set(errors) == {ODD_LINES[0], ODD_LINES[3], ODD_LINES[4]}
    assert place.stack.loki('{service="odd_one", level="warn"}') == [ODD_LINES[2]]
    assert place.stack.loki('{service="odd_one", level="info"}') == [ODD_LINES[1]]
    drawn = place.stack.loki('{service="odd_one"} | detected_level=~"error|critical|fatal"')
    assert set(drawn) == {*errors, ODD_LINES[5]}, "a panel of errors shows words only where there is no level"


def test_files_below_a_pattern_are_read(place: Place, engine: Engine) -> None:
    """Files that a group alone may read, in folders that a pattern finds, are in Loki; no folder is called like one."""
    logs = place.plan.system.host_logs
    if not logs:
        assert place.system not in ("devops-mcp", "execora")
        return
    line = json.dumps({"level": "error", "ts": time.time(), "msg": f"file {uuid.uuid4().hex}"})
    append = [*engine.files(), "sh", "-c", f"cat >> {place.folder}/app/logs/app.log"]
    subprocess.run(append, input=line + "\n", text=True, check=True)
    query = f'{{job="{logs[0].job}", level="error"}}'
    eventually(lambda: line in place.stack.loki(query), timeout=30, what="the line of the file")
    listed = subprocess.run([*engine.files(), "ls", place.folder], capture_output=True, text=True, check=True)
    assert listed.stdout.split() == ["app"]


def test_others_are_routed_to_and_notified(place: Place) -> None:
    """Traefik leads to a service of the project, and Alertmanager reaches a receiver in it."""
    path = "/theirs/demo/healthz"
    eventually(lambda: place.stack.http("traefik", 8080, "GET", path), timeout=20, what="the route")

    def notified() -> list[Any]:
        answer = place.stack.get("alertmanager", "http://ntfy:8080/demo/webhook")
        return [a for item in answer["notifications"] for a in item["payload"]["alerts"]]

    alerts = eventually(notified, timeout=90, what="a notification")
    assert ALERT["name"] in {alert["labels"]["alertname"] for alert in alerts}


def test_names_are_nobody_elses(place: Place) -> None:
    """The project finds its own containers by the names that our parts have too, and only those."""
    decoy = place.project.client.containers.get(f"{place.project.name}-decoy-1")
    own = decoy.attrs["NetworkSettings"]["Networks"][place.project.network]["IPAddress"]
    joined = place.project.client.networks.get(place.project.network).attrs["Containers"].values()
    assert {f"{place.stack.name}-{name}" for name in ("prometheus", "traefik")} <= {each["Name"] for each in joined}
    for name in OURS:
        answer = eventually(lambda name=name: place.project.addresses(name), timeout=30, what=name)  # type: ignore[misc]
        assert answer == {own}, name


def test_second_up_changes_nothing(place: Place) -> None:
    """Neither the order of networks nor anything else is a difference."""
    before = place.stack.identities()
    run = place.stack.up()
    assert unchanged(run.text), run.text[-3000:]
    assert place.stack.identities() == before
    refreshed = place.stack.run("refresh")
    assert refreshed.code == 0 and unchanged(refreshed.text), refreshed.text[-3000:]


def _at_least(lines: list[str], count: int) -> list[str]:
    return lines if len(lines) >= count else []
