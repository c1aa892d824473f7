"""Every document is accepted by the very program that will read it, asked by the command that a deployment runs.

A program that is not there yet is built, however long that takes: these tests are never skipped.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]  # only its schemas are used
import pytest

from cli.render import plan_file, render_config_maps, render_objects
from model.plan import Plan
from model.workload import ConfigDir
from stack import registry
from tests.components.otel.plans import plan_gateway
from tests.support.planned import document, workload
from tests.support.systems import ROOT, plan_shop
from tests.support.validating import SECRET_WEBHOOK, accepts, everything, grown, judged, written
from tests.support.yaml_files import write_yaml
from toolchain import validators
from toolchain.context import build_default_context
from toolchain.recipes import DEMO

STACKS = sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml"))
TOOLS = {
    "prometheus": "promtool",
    "alertmanager": "amtool",
    "loki": "loki",
    "promtail": "promtail",
    "jaeger": "jaeger",
    "traefik": "traefik",
    "socket-proxy": "haproxy",
    "otel": "otel-collector",
    "blackbox-exporter": "blackbox_exporter",
    "api": "demo",
    "web": "demo",
}
"""The program that judges each workload's documents."""
PLANS: dict[str, Callable[[Path], Plan]] = {
    "dev": lambda _: plan_file(ROOT / "Pulumi.dev.yaml", "dev"),
    "prod": lambda _: plan_file(ROOT / "Pulumi.prod.yaml", "prod"),
    "everything": lambda folder: everything(folder, SECRET_WEBHOOK),
}
ON_REQUEST = {"jaeger", "otel"}
"""What only a stack that asks for it has: of the plans above `everything`."""
WITHOUT_VALIDATOR = {"grafana"}
"""Grafana has no way to ask it; tests/e2e/test_up.py looks at what it provisioned."""
BREAKS = {
    "promtool": ("prometheus", "prometheus.yml", "scrape_interval:", "scrape_intervall:"),
    "amtool": ("alertmanager", "alertmanager.yml", "group_wait:", "group_wate:"),
    "loki": ("loki", "loki.yaml", "retention_enabled:", "retention_enabeld:"),
    "promtail": ("promtail", "promtail.yml", "pipeline_stages:", "pipeline_stagse:"),
    "traefik": ("traefik", "routes.yml", "PathPrefix(`/prometheus`)", "PathPrefix(`/prometheus`"),
    "otel-collector": ("otel", "otel.yaml", "processors:", "processor:"),
    "haproxy": ("socket-proxy", "haproxy.cfg", "http-request deny", "http-request dney"),
    "blackbox_exporter": ("blackbox-exporter", "blackbox.yml", "follow_redirects:", "follow_redirect:"),
    "jaeger": ("jaeger", "jaeger.yaml", "queue_size:", "queue_siez:"),
    "demo": ("api", "spec.json", '"port"', '"prot"'),
}
"""For each program a mistake: workload, file, what stands there, what should not."""


def program(name: str) -> Path:
    """The program of the deployed image."""
    context = build_default_context()
    if name == "demo":
        return DEMO.ensure(context) / "bin" / "demo"
    return validators.ensure_validator(context, name, pinned=True)


def verdict(config: ConfigDir, tool: str, folder: Path) -> tuple[bool, str]:
    """Whether a directory is accepted by the workload's own validation, and what was said."""
    words = [word.replace("{dir}", str(folder)) for word in config.validate[1:]]
    if config.validate_seconds is None:
        done = judged(program(tool), *words)
        return done.returncode == 0, done.stdout
    process = subprocess.Popen(
        [program(tool), *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder
    )
    try:
        said, _ = process.communicate(timeout=config.validate_seconds)
        return False, said  # it serves until it is stopped, so an end of its own is a refusal
    except subprocess.TimeoutExpired:
        process.terminate()
        said, _ = process.communicate()
        return not re.search(config.validate_marker, said), said
    finally:
        process.kill()


def settings_of(plan: Plan, name: str) -> ConfigDir:
    """The configuration directory of a workload."""
    config = workload(plan, name).config
    assert config is not None
    return config


@pytest.mark.parametrize("stack", PLANS)
@pytest.mark.parametrize("name", TOOLS)
def test_documents_are_accepted(name: str, stack: str, tmp_path: Path) -> None:
    """What a workload is given is accepted by the program that reads it."""
    plan = PLANS[stack](tmp_path)
    if name not in {item.name for item in plan.list_workloads()}:
        stand_in = not plan.settings.demo and TOOLS[name] == "demo"
        elsewhere = name in {component.name for component in registry.COMPONENTS} - set(plan.sections) | ON_REQUEST
        assert stand_in or elsewhere  # only stand-ins, and what another target needs, may be absent
        return
    accepted, said = verdict(settings_of(plan, name), TOOLS[name], written(plan, name, tmp_path))
    assert accepted, said


@pytest.mark.parametrize("tool", BREAKS)
def test_mistakes_are_refused(tool: str, tmp_path: Path) -> None:
    """A mistake in a document is found by the program, so that its acceptance means something."""
    name, file, before, after = BREAKS[tool]
    plan = PLANS["everything" if name in ON_REQUEST else "dev"](tmp_path)
    folder = written(plan, name, tmp_path)
    text = (folder / file).read_text(encoding="utf-8")
    assert before in text
    (folder / file).write_text(text.replace(before, after), encoding="utf-8")
    accepted, said = verdict(settings_of(plan, name), tool, folder)
    assert not accepted, said


def test_every_document_has_its_validator() -> None:
    """No workload of the shipped stacks has documents that nothing here judges."""
    plans = [PLANS[stack](ROOT) for stack in ("dev", "prod")]
    names = {item.name for plan in plans for item in plan.list_workloads() if item.config}
    assert names - WITHOUT_VALIDATOR | ON_REQUEST == TOOLS.keys()


def test_a_gateway_on_a_cluster_is_accepted(tmp_path: Path) -> None:
    """It asks there which pod sends, by a processor that it has nowhere else; with all that can be switched on."""
    own = {"sampling": {"slow": "500ms"}}
    plan = plan_gateway(tmp_path, cluster=True, jaeger=True, prometheus={"replicas": 2}, **own)
    accepted, said = verdict(settings_of(plan, "otel"), "otel-collector", written(plan, "otel", tmp_path))
    assert accepted, said


def test_loki_knows_every_limit(tmp_path: Path) -> None:
    """Each limit of the runtime file is one of Loki's: as `limits_config`, which -verify-config reads, it is taken."""
    plan = plan_shop(tmp_path)
    (limits,) = document(plan, "loki", "runtime.yaml")["overrides"].values()
    folder = written(plan, "loki", tmp_path)
    config = document(plan, "loki", "loki.yaml")
    config["limits_config"] |= limits
    (folder / "loki.yaml").write_text(write_yaml(config), encoding="utf-8")
    accepts(program("loki"), f"-config.file={folder}/loki.yaml", "-verify-config")


@pytest.mark.parametrize("part", ["write", "read", "backend"])
def test_lokis_parts_are_accepted(part: str, tmp_path: Path) -> None:
    """Loki takes the documents of each of its parts, and refuses a gossip that is misspelt."""
    plan = grown(tmp_path)
    folder = written(plan, f"loki-{part}", tmp_path)
    accepted, said = verdict(settings_of(plan, f"loki-{part}"), "loki", folder)
    assert accepted, said
    file = folder / "loki.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("join_members:", "join_member:"), encoding="utf-8")
    accepted, said = verdict(settings_of(plan, f"loki-{part}"), "loki", folder)
    assert not accepted and "join_member" in said


def test_a_bucket_of_one_process_is_accepted(tmp_path: Path) -> None:
    """Amazon's own servers, and any other."""
    own = {"endpoint": "minio.internal:9000", "caCertificate": "-----BEGIN CERTIFICATE-----\nMII"}
    for number, place in enumerate(({"region": "eu-central-1"}, own)):
        section = json.dumps({"storage": {"s3": {"bucket": "lines", **place}}})
        home = tmp_path / str(number)
        plan = plan_shop(home, settings={"loki": section})
        accepted, said = verdict(settings_of(plan, "loki"), "loki", written(plan, "loki", home))
        assert accepted, said


def test_the_demo_takes_every_kind_of_service(tmp_path: Path) -> None:
    """Services with metrics and without, of kind http and worker, are specs that the demo can play."""
    plan = plan_shop(tmp_path, settings={"demo": "true"})
    for name in ("api", "worker"):
        accepts(program("demo"), "-check", written(plan, name, tmp_path) / "spec.json")


@pytest.mark.parametrize("stack", STACKS)
def test_pint_finds_nothing(stack: str, tmp_path: Path) -> None:
    """The rules of each shipped stack are as people who run many rules would write them."""
    folder = written(plan_file(ROOT / f"Pulumi.{stack}.yaml", stack), "prometheus", tmp_path) / "rules"
    said = _pint(folder)
    assert said.returncode == 0, said.stderr[-3000:]
    assert "Problems" not in said.stderr, said.stderr[-3000:]


def test_pint_would_find_something(tmp_path: Path) -> None:
    """The same judgement complains of an alert on a series that its aggregation has removed."""
    rule = {"alert": "A", "expr": "sum(up) by (job) > 0", "annotations": {"summary": "{{ $labels.instance }}"}}
    (tmp_path / "a.yml").write_text(write_yaml({"groups": [{"name": "a", "rules": [rule]}]}))
    said = _pint(tmp_path)
    assert "instance" in said.stderr and said.returncode != 0


def _pint(folder: Path) -> subprocess.CompletedProcess[str]:
    """What pint says of the rules in a folder; problems of any severity fail."""
    command = [
        str(validators.ensure_validator(build_default_context(), "pint", pinned=True)),
        "--offline",
        "--no-color",
    ]
    config = ROOT / "tests" / "support" / "pint.hcl"
    return subprocess.run(
        [*command, "--config", str(config), "lint", "--fail-on", "info", "--min-severity", "info", "."],
        cwd=folder, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


# -- Kubernetes ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["1.34.0", "1.35.0", "1.36.0", "1.37.0"])
def schemas(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The strict schemas of a Kubernetes version, referring to each other as files."""
    packaged = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema" / f"v{request.param}-local-strict"
    folder = tmp_path_factory.mktemp("schemas")
    for path in [*packaged.glob("*-v1.json"), packaged / "_definitions.json"]:
        schema = json.loads(path.read_text().replace('"/api/_definitions.json#', '"_definitions.json#'))
        # both name places on the network
        plain = {key: value for key, value in schema.items() if key not in ("$id", "$schema")}
        (folder / path.name).write_text(json.dumps(plain))
    return folder


def conforms(schemas: Path, text: str) -> dict[str, Any]:
    """What kubeconform says of objects."""
    program = validators.ensure_validator(build_default_context(), "kubeconform", pinned=True)
    where = f"-schema-location={schemas}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"
    command = [str(program), "-strict", "-summary", "-output=json", where, "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("stack", ["prod", "agenttrace-kubernetes", "devops-mcp-kubernetes"])
def test_kubeconform_accepts_every_object(schemas: Path, stack: str) -> None:
    """Every object of a stack fits the strict schemas of four minor versions; a misspelt field does not."""
    plan = plan_file(ROOT / f"Pulumi.{stack}.yaml", stack)
    text = "\n---\n".join({**render_objects(plan), **render_config_maps(plan)}.values())
    found = conforms(schemas, text)
    assert found["summary"]["invalid"] == found["summary"]["errors"] == found["summary"]["skipped"] == 0, found
    assert found["summary"]["valid"] > 70
    assert conforms(schemas, text.replace("clusterIP:", "clusterIPP:"))["summary"]["invalid"] > 0


def test_kubeconform_accepts_what_is_shared(schemas: Path, tmp_path: Path) -> None:
    """Parts of Loki, several Grafanas and an ingress fit the same schemas."""
    plan = grown(tmp_path)
    text = "\n---\n".join({**render_objects(plan), **render_config_maps(plan)}.values())
    found = conforms(schemas, text)
    assert found["summary"]["invalid"] == found["summary"]["errors"] == found["summary"]["skipped"] == 0, found
    assert conforms(schemas, text.replace("pathType:", "pathTyp:"))["summary"]["invalid"] == 1
