"""The commands of a stack's life."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cli import __main__ as program
from cli import engine, forward, last_run, locks, recover, render, secrets, table, verify
from cli import lifecycle as commands
from cli.hosts import DockerHost
from cli.workspace import Description
from model.deviation import Drift
from model.secret import Secret
from stack import registry
from tests.support import fakes
from tests.support.calling import call, fails
from tests.support.fakes import FakeItem

ROOT = Path(__file__).resolve().parents[2]


def test_phases_are_timed() -> None:
    """The closing line names each phase with its seconds, and their sum."""
    phases = commands.Phases()
    assert phases.run("first", lambda: 7) == 7
    phases.run("second", lambda: None)
    assert re.fullmatch(r"first \d+\.\d s · second \d+\.\d s · total \d+\.\d s", phases.format_total())


@pytest.mark.parametrize(
    ("found", "overlay"),
    [
        ("{}", {}),
        ('{"registryMirror": null, "digests": {}}', {}),
        (
            '{"registryMirror": "127.0.0.1:5000", "digests": {"grafana": "sha256:1"}}',
            {"docker": {"registryMirror": "127.0.0.1:5000"}},
        ),
        (
            '{"registryMirror": "127.0.0.1:5000", "digests": {"loki": "sha256:1"}}',
            {"docker": {"registryMirror": "127.0.0.1:5000"}, "grafana": {"image": "dashboard-viewer"}},
        ),
    ],
)
def test_machine_adds_what_the_toolchain_found(
    monkeypatch: pytest.MonkeyPatch, found: str, overlay: dict[str, Any]
) -> None:
    """A mirror and the dashboard viewer are used only where the toolchain says that this machine needs them."""

    def toolchain(command: list[Any], **options: Any) -> None:
        assert "--only=busybox,loki" in command
        Path(command[-1]).write_text(found)

    monkeypatch.setattr(subprocess, "run", toolchain)
    assert commands.get_prerequisites(["busybox", "loki"]) == overlay


def test_mistakes_are_told_before_anything_is_fetched(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a wrong file, `up` ends before the toolchain is asked for anything."""
    monkeypatch.setattr(commands, "get_prerequisites", fails(AssertionError("asked")))
    monkeypatch.setattr("sys.argv", ["observability", "up", "--stack", "nowhere"])
    assert program.main() == 2
    assert "Pulumi.nowhere.yaml" in capsys.readouterr().out


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stack whose Pulumi is a fake that logs to the returned folder, and whose engine holds one kept volume."""
    answers = {"stack export": "{}", "stack output": '{"grafana-admin-password": "s3cret", "baseUrl": "http://x"}'}
    space = fakes.workspace(tmp_path, answers)
    monkeypatch.setenv("OBSERVABILITY_STATE", str(tmp_path / "memory"))
    docker = fakes.engine_with(volumes=[FakeItem("dev-prometheus-data")])
    monkeypatch.setattr(commands, "open_host", lambda name, location: DockerHost(name, docker))
    monkeypatch.setattr(DockerHost, "describe", lambda self, settings: Description())
    monkeypatch.setattr(DockerHost, "restore", lambda self, plan: [])
    monkeypatch.setattr(DockerHost, "compare", lambda self, plan: Drift())
    monkeypatch.setattr(DockerHost, "compare_documents", lambda self, plan: {})
    monkeypatch.setattr(commands, "open_workspace", lambda *args: space)
    plan = SimpleNamespace(
        workloads={},
        stack="dev",
        system=SimpleNamespace(services={}),
        telemetry=SimpleNamespace(routes=()),
        list_workloads=lambda: [],
        warnings=("nobody is called",),
        sections={},
        settings=registry.build_settings_model()(system="plue"),
    )
    monkeypatch.setattr(render, "plan_workspace", lambda space: plan)
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {'observability:system': plue}\n")
    monkeypatch.setattr(engine, "build_tool_env", lambda: {})
    monkeypatch.setattr(forward, "list_pages", lambda plan: [])  # whatever answers here is no part of a test
    monkeypatch.setattr(commands, "forget_stack", lambda space: None)
    return tmp_path


def test_preview_changes_nothing(
    stack: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`make preview` shows changes alone and what the plan warns of; --json gives Pulumi's own to programs."""
    read = "    ~ docker:index/network:Network: (refresh)\n        [id=1]\n"
    fakes.fake_pulumi(stack, {"preview --diff": f"Previewing update (dev):\n{read}Resources:\n"})
    monkeypatch.setattr(DockerHost, "check_preflight", lambda self, plan: [])
    monkeypatch.setattr(DockerHost, "compute_digest", lambda self, plan: "")
    monkeypatch.setattr(DockerHost, "find_urns_to_replace", lambda self, *args: {})
    assert call(monkeypatch, "preview") == 0
    assert capsys.readouterr().out == "Previewing update (dev):\nResources:\nwarning nobody is called\n"
    assert call(monkeypatch, "preview", "--json") == 0
    assert "warning" not in capsys.readouterr().out
    assert fakes.calls(stack) == ["preview --diff --stack dev", "preview --json --stack dev"]


@pytest.mark.parametrize("as_json", [False, True])
def test_preview_shows_what_is_made_again(
    stack: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    """As `up` would do it, and why; nothing is asked where all is as the last run left it. JSON stays JSON."""
    urn = "urn:pulumi:dev::observability::docker:index/container:Container::dev-loki"
    monkeypatch.setattr(DockerHost, "check_preflight", lambda self, plan: [])
    monkeypatch.setattr(DockerHost, "compute_digest", lambda self, plan: "")
    monkeypatch.setattr(DockerHost, "find_urns_to_replace", lambda self, *args: {urn: "is made again: why"})
    given, kind = (["--json"], "--json") if as_json else ([], "--diff")
    assert call(monkeypatch, "preview", *given) == 0
    assert ("dev-loki is made again: why" in capsys.readouterr().out) != as_json
    monkeypatch.setattr(last_run, "list_refresh_arguments", lambda *_: ("--refresh=false",))
    assert call(monkeypatch, "preview", *given) == 0
    assert fakes.calls(stack) == [
        f"preview {kind} --stack dev --replace {urn}", f"preview {kind} --stack dev --refresh=false",
    ]  # fmt: skip


def test_down_keeps_data(stack: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`make down` destroys the stack, keeps its data volumes and names them, and forgets what the engine had."""
    (stack / "memory/work/dev").mkdir(parents=True)
    (stack / "memory/work/dev" / last_run.FILE).write_text("{}")
    assert call(monkeypatch, "down") == 0
    assert not (stack / "memory/work/dev" / last_run.FILE).exists()
    assert "destroy --yes --skip-preview --stack dev" in fakes.calls(stack)
    said = capsys.readouterr().out
    assert "Kept data volumes: dev-prometheus-data\n" in said and "make down STACK=dev PURGE=1 removes data" in said


def test_purge_removes_data(stack: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`make down PURGE=1` removes the data volumes too, and names them."""
    volume = FakeItem("dev-prometheus-data")
    monkeypatch.setattr(recover, "list_volumes", lambda client, name: [volume])
    assert call(monkeypatch, "down", "--purge") == 0
    assert volume.done == ["remove"]
    said = capsys.readouterr().out
    assert "Kept" not in said and "Removed data volumes: dev-prometheus-data" in said


@pytest.mark.parametrize("command", ["down", "refresh"])
def test_a_run_that_came_first_is_said(
    stack: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """Where Pulumi fails because another run took the lock meanwhile, the message says whose it is."""
    fakes.fake_pulumi(stack, {"stack export": "{}"}, fails=("destroy", "refresh"))
    lock = locks.Lock(stack, 4711, "ann", "elsewhere")
    result = [[], [], [lock]] if command == "down" else [[lock]]
    monkeypatch.setattr(commands, "run_preflight", lambda host, plan: None)
    monkeypatch.setattr(locks, "list_locks", lambda backend, stack: result.pop(0))
    assert call(monkeypatch, command) == 1
    assert "stack dev is being changed by another run:\n  process 4711 of ann on elsewhere" in capsys.readouterr().out


def test_only_passwords_are_printed(
    stack: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`make password` prints generated passwords with their names and what they are for, and no other output."""
    assert call(monkeypatch, "password") == 0
    assert capsys.readouterr().out == (
        "grafana-admin-password: s3cret\n    user admin at:\n      grafana http://127.0.0.1:8080/\n"
    )


def test_a_stack_without_passwords_says_so(
    stack: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is deployed, so there is no password: a word and status 1, and not an empty answer."""
    fakes.fake_pulumi(stack, {"stack output": "{}"})
    assert call(monkeypatch, "password") == 1
    assert "the stack dev has no passwords: make up STACK=dev" in capsys.readouterr().out


def test_secret_travels_on_standard_input(stack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`make secret` hands the value on without it appearing in an argument."""
    monkeypatch.setattr("sys.stdin", open_text(stack, "hunter2\n"))
    assert call(monkeypatch, "secret", "--name", "grafana-admin-password") == 0
    assert fakes.calls(stack) == ["config set --secret grafana-admin-password --stack dev"]
    assert (stack / "stdin").read_text() == "hunter2"


def open_text(folder: Path, text: str) -> Any:
    """A readable file with that text."""
    path = folder / "typed"
    path.write_text(text)
    return path.open()


def test_a_host_that_refuses_is_heard_before_pulumi(
    stack: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What stands in the way is told before Pulumi looks at a single resource."""
    monkeypatch.setattr(DockerHost, "check_preflight", lambda self, plan: ["no cluster answers"])
    assert call(monkeypatch, "preview") == 2 and call(monkeypatch, "refresh") == 2
    assert "target docker: no cluster answers" in capsys.readouterr().out
    assert not (stack / "calls").exists()


def fake_reports(monkeypatch: pytest.MonkeyPatch, *verdicts: bool, unseen: tuple[str, ...] = ()) -> list[table.Report]:
    """Runs of which each ends well or not, by what its targets are. Returns what is printed of them."""
    states, printed = [*verdicts], list[table.Report]()
    monkeypatch.setattr(verify, "wait_healthy", lambda *args, **options: [verify.Health("api", "healthy", "", 0)])
    monkeypatch.setattr(
        verify, "wait_targets", lambda *args, **options: [{"health": "up" if states.pop(0) else "down"}]
    )
    monkeypatch.setattr(verify, "list_unseen", lambda *args, **options: list(unseen))
    monkeypatch.setattr(verify, "list_lacking", lambda plan, scraped: [])
    monkeypatch.setattr(table, "print_report", lambda report, console: printed.append(report))
    return printed


def test_up_repeats_unfinished(
    stack: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`make up` replaces one-shots that failed last time; its status is that of health and targets, or of Pulumi."""
    printed = fake_reports(monkeypatch, True, False)
    monkeypatch.setattr(commands, "get_prerequisites", lambda images: {})
    monkeypatch.setattr(recover, "list_unfinished", lambda state: ["urn:x", "urn:y"])
    monkeypatch.setattr(DockerHost, "check_preflight", lambda self, plan: [])
    monkeypatch.setattr(DockerHost, "compute_digest", lambda self, plan: "")
    assert call(monkeypatch, "up") == 0
    assert fakes.calls(stack)[-1].endswith("--stack dev --replace urn:x --replace urn:y")
    assert "make doctor" not in capsys.readouterr().out.replace("      make doctor", "")
    assert call(monkeypatch, "up") == 1
    assert [report.good for report in printed] == [True, False]
    assert "Next: make doctor STACK=dev" in capsys.readouterr().out
    fakes.fake_pulumi(stack, {"stack export": "{}"}, fails=("up",))
    assert call(monkeypatch, "up") == 1
    assert "Next: make doctor STACK=dev" in capsys.readouterr().out


def test_up_tells_what_nobody_watches(stack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is up and not seen is in the report, and the run has not ended well."""
    printed = fake_reports(monkeypatch, True, unseen=("no metrics",))
    monkeypatch.setattr(commands, "get_prerequisites", lambda images: {})
    monkeypatch.setattr(DockerHost, "check_preflight", lambda self, plan: [])
    monkeypatch.setattr(DockerHost, "compute_digest", lambda self, plan: "")
    assert call(monkeypatch, "up") == 1
    assert [[*report.unseen] for report in printed] == [["no metrics"]]


def test_only_what_may_have_changed_is_read_back(stack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a run that ended well nothing is, until the engine has something else or a run does not end well."""
    engines = ["one"]
    fake_reports(monkeypatch, True, True, False, True)
    monkeypatch.setattr(commands, "get_prerequisites", lambda images: {})
    monkeypatch.setattr(DockerHost, "check_preflight", lambda self, plan: [])
    monkeypatch.setattr(DockerHost, "compute_digest", lambda self, plan: engines[0])

    def is_read(command: str) -> bool:
        call(monkeypatch, command)
        (done,) = [line for line in fakes.calls(stack) if line.startswith(f"{command} ")][-1:]
        return "--refresh=false" not in done

    assert is_read("up") and not is_read("preview")
    assert not is_read("up") and not is_read("preview")
    assert not is_read("up"), "the third, which does not end well"
    assert is_read("preview") and is_read("up")
    engines[0] = "other"
    assert is_read("preview")


def test_the_engine_describes_itself_before_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the platform says of itself is added to the machine's settings, and what it cannot give is shown."""
    space = fakes.workspace(tmp_path)
    added: list[Any] = []
    host = DockerHost("dev", fakes.engine_with())
    result = Description(settings={"docker": {"swapLimit": False}}, remarks=["no swap limits [here]"])
    monkeypatch.setattr(commands, "open_workspace", lambda *args: space)
    monkeypatch.setattr(commands, "open_host", lambda *args: host)
    monkeypatch.setattr(DockerHost, "describe", lambda self, settings: result)
    monkeypatch.setattr(render, "plan_workspace", lambda space: f"planned after {added}")
    monkeypatch.setattr(commands, "describe_machine", lambda space, settings: added.append(settings))
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {'observability:system': plue}\n")
    connected = commands.connect_stack("dev")
    assert [*map(str, connected)] == [str(space), f"planned after {added}", str(host)]
    assert added == [{"docker": {"swapLimit": False}}]
    assert "no swap limits [here]" in capsys.readouterr().out


def test_rotate_deploys_another_value(
    stack: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`make rotate` prepares first, then is a `make up` that replaces what holds the value, and says what it mends."""
    secret = Secret(name="tls-authority", purpose="x", generate=True, after_rotation="Import it again.")
    urn = "urn:pulumi:dev::observability::random:index/randomPassword:RandomPassword::dev-tls-authority"
    answers = {"stack export": json.dumps({"deployment": {"resources": [{"urn": urn}]}}), "stack output": "{}"}
    fakes.fake_pulumi(stack, answers)
    monkeypatch.setattr(secrets, "prepare_rotation", lambda space, name, console: secrets.Rotation(secret=secret))
    monkeypatch.setattr(commands, "fetch_prerequisites", lambda plan: {})
    monkeypatch.setattr(render, "plan_file", lambda path, name: None)
    fake_reports(monkeypatch, True)
    for name in ("check_preflight", "recover", "restore", "read_last_log_lines"):
        monkeypatch.setattr(DockerHost, name, lambda self, *args: [])
    mended = "urn:pulumi:dev::observability::docker:index/container:Container::dev-loki"
    monkeypatch.setattr(DockerHost, "find_urns_to_replace", lambda self, *args: {mended: "is made again: why"})
    monkeypatch.setattr(DockerHost, "order_certificate", lambda self, plan: None)
    monkeypatch.setattr(DockerHost, "compute_digest", lambda self, plan: "")
    assert call(monkeypatch, "rotate", "--name", "tls-authority") == 0
    assert f"up --yes --skip-preview --stack dev --replace {urn} --replace {mended}" in fakes.calls(stack)
    shown = capsys.readouterr().out
    assert "tls-authority has another value. Import it again." in shown
    assert "dev-loki is made again: why" in " ".join(shown.split())


def test_secrets_are_listed(stack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`make secrets` shows the table and ends as it says."""
    monkeypatch.setattr(secrets, "show_secrets", lambda space, console, as_json: 1)
    assert call(monkeypatch, "secrets") == 1


def test_a_certificate_is_no_secret_to_keep(stack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`make down` keeps generated secrets alone: as a secret, the authority's certificate would be an unknown key."""
    outputs = {"caCertificate": "PEM", "grafana-admin-password": "s3cret", "baseUrl": "http://x"}
    fakes.fake_pulumi(stack, {"stack export": "{}", "stack output": json.dumps(outputs)})
    assert call(monkeypatch, "down") == 0
    stored = [line for line in fakes.calls(stack) if line.startswith("config set")]
    assert stored == ["config set --secret grafana-admin-password --stack dev"]


def test_an_image_that_cannot_be_had_ends_a_run_before_pulumi(
    stack: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a backend of one's own, in words; else the toolchain has said it already, and the engine is not asked."""
    fake_reports(monkeypatch, True)
    monkeypatch.setattr(commands, "get_prerequisites", lambda images: {})
    monkeypatch.setattr(DockerHost, "check_preflight", lambda self, plan: [])
    monkeypatch.setattr(DockerHost, "compute_digest", lambda self, plan: "")
    monkeypatch.setattr(DockerHost, "pull_images", lambda self, plan: {"grafana/loki:1": "no such host"})
    assert call(monkeypatch, "up") == 0
    (stack / "calls").unlink()
    own = replace(fakes.workspace(stack, {"stack export": "{}"}), local=False)
    monkeypatch.setattr(commands, "open_workspace", lambda *args: own)
    assert call(monkeypatch, "up") == 2
    assert "registry docker.io: grafana/loki:1 cannot be pulled (no such host)" in capsys.readouterr().out
    assert not [line for line in fakes.calls(stack) if line.startswith("up")]
