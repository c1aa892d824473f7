"""Where a stack runs, as the commands see it: a Docker engine or a cluster, looked at and tidied up in one way."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Protocol

import docker
from docker.errors import DockerException
from docker.models.containers import Container

from cli import alertmanagers, certificate, delivered, engine, last_run, pulled, recover, render, used, verify
from cli.alertmanagers import InContainer, Instance
from cli.stack_file import Location
from cli.tasks import Say, Tasks
from cli.tasks_engine import EngineTasks
from cli.tunnel import ExecTunnel, Tunnel
from cli.verify import Health
from cli.workspace import Description, Workspace
from components.traefik.settings import INTERNAL_PORT
from model.checks.entry import TRAEFIK
from model.deviation import Drift
from model.plan import Plan
from model.settings import Settings
from targets.docker import engine as docker_engine
from targets.docker import host_ports
from targets.docker.drift import compare_stack, declare_stack, list_moved_images, list_unseen
from targets.docker.reading import read_engine, read_image_settings
from targets.docker.shared import Scope


class Host(Protocol):
    """A place where a stack runs.

    Attributes:
        at_once: how many tunnels may be open at the same time.
    """

    at_once: int

    def recover(self, space: Workspace) -> list[str]:
        """Makes a run possible after one that was killed. Returns what was done, as sentences."""

    def restore(self, plan: Plan) -> list[str]:
        """Puts right, before a run, what Pulumi takes as it is. Returns what was done, as sentences."""

    def compare(self, plan: Plan) -> Drift:
        """What the platform has of the stack, compared with what is declared.

        Raises:
            RuntimeError: it does not answer; where it is an engine, docker.errors.DockerException.
        """

    def compare_documents(self, plan: Plan) -> dict[str, Drift]:
        """The documents that processes see, compared with those declared; see `cli.delivered.compare_documents`."""

    def check_preflight(self, plan: Plan) -> list[str]:
        """What stands in the way of a run, asked before Pulumi asks for each resource, as sentences."""

    def pull_images(self, plan: Plan) -> dict[str, str]:
        """Has the platform get images that it lacks; the registry's answer for each that cannot be pulled."""

    def describe(self, settings: Settings) -> Description:
        """What the platform says of itself that a stack's settings must agree with."""

    def list_unseen(self, plan: Plan, timeout: float) -> list[str]:
        """What runs and is watched by nobody although all is up, after at most `timeout` seconds, as sentences."""

    def order_certificate(self, plan: Plan) -> None:
        """Has the entry point order a certificate that it lacks."""

    def compute_digest(self, plan: Plan) -> str:
        """Digest of all that is there of the stack, as `cli.last_run` compares it; empty where that is not known."""

    def find_urns_to_replace(self, space: Workspace, plan: Plan) -> dict[str, str]:
        """URNs of what must be made again although Pulumi may see no difference, each with what people read of it."""

    def wait_healthy(self, timeout: float) -> list[Health]:
        """Waits until every workload is well, at most `timeout` seconds; returns how they are then."""

    def wait_targets(self, timeout: float) -> list[dict[str, Any]]:
        """Waits until every target is up or refused for good, at most `timeout` seconds.

        Returns them as Prometheus' API describes them.
        """

    def ask_prometheus(self, path: str) -> Any:
        """The data that Prometheus' API answers to a path below /api/v1/, with its query.

        Raises:
            RuntimeError: it does not answer.
        """

    def open_tunnel(self, workload: str, port: int) -> Tunnel:
        """A connection to a port of a workload.

        Raises:
            RuntimeError: it does not run.
        """

    def ask_loki(self, path: str) -> Any:
        """The data that Loki's API answers to a path below /loki/api/v1/, with its query; None where it has nothing.

        Raises:
            RuntimeError: it does not answer.
        """

    def explain_absences(self, names: Collection[str]) -> list[str]:
        """Why names may lead nowhere in the networks of the stack, as sentences; none where nothing is known."""

    def read_last_log_lines(self) -> list[tuple[str, str]]:
        """Name and last lines of everything that is not well."""

    def list_alertmanagers(self) -> Sequence[Instance]:
        """The running Alertmanagers."""

    def run_program(self, workload: str, command: Sequence[str], say: Say) -> int:
        """Runs a program in a workload's container, hands on each line that it prints, and returns its exit status.

        Raises:
            RuntimeError: the workload does not run.
        """

    def open_tasks(self, plan: Plan) -> Tasks:
        """What runs programs for a stack that does not run itself."""

    def list_volumes(self) -> list[str]:
        """Names of the data volumes that are there."""

    def list_uses(self, *, data: bool) -> list[str]:
        """What others use of the stack, so that it cannot go, as sentences; with `data` of its data volumes as well."""

    def explain_stuck(self) -> list[str]:
        """Why something of the stack may still be there after a run that was to remove it, as sentences."""

    def purge_volumes(self) -> None:
        """Removes the data volumes."""


def open_host(stack: str, location: Location) -> Host:
    """The engine or the cluster where a stack runs.

    Raises:
        ConfigError: the kubeconfig leads to no cluster.
        SystemExit: no engine answers.
    """
    if location.target == "kubernetes":
        from cli.cluster_host import ClusterHost  # noqa: PLC0415 - its client takes a quarter of a second to import

        return ClusterHost(stack, location.kubernetes, location.operator)
    return DockerHost(stack, engine.connect_engine(location.docker))


class DockerHost:
    """A Docker engine."""

    at_once = 8

    def __init__(self, stack: str, client: docker.DockerClient) -> None:
        self._stack, self._client = stack, client

    def recover(self, space: Workspace) -> list[str]:
        """See `Host`."""
        return recover.recover_stack(space, self._client)

    def restore(self, plan: Plan) -> list[str]:
        """See `Host`: containers that are paused, and names that mean another image than containers were made of."""
        reading = read_engine(self._client, self._stack)
        declared = declare_stack(_build_scope(plan), plan.list_workloads(), reading)
        return recover.restore_engine(self._client, reading, list_moved_images(declared, reading))

    def compare(self, plan: Plan) -> Drift:
        """See `Host` and `targets.docker.drift`."""
        reading = read_engine(self._client, self._stack)
        settings = read_image_settings(self._client, [str(item["Image"]) for item in reading.containers.values()])
        return compare_stack(declare_stack(_build_scope(plan), plan.list_workloads(), reading), reading, settings)

    def compare_documents(self, plan: Plan) -> dict[str, Drift]:
        """See `Host`."""
        return delivered.compare_documents(plan, self._run, self.at_once)

    def _run(self, workload: str, command: Sequence[str]) -> list[tuple[str, str]]:
        """What a command prints in the container of a workload, by the container's name.

        Raises:
            RuntimeError: it failed, or the container does not run.
        """
        try:
            container = verify.get_running(self._client, self._stack, workload)
            code, text = engine.execute_command(container, command)
        except DockerException as error:
            raise RuntimeError(str(error)) from None
        if code:
            raise RuntimeError(f"{container.name}: exit status {code}: {text.strip()[-300:]}")
        return [(str(container.name), text)]

    def check_preflight(self, plan: Plan) -> list[str]:
        """See `Host`, `targets.docker.engine.check_engine` and `targets.docker.host_ports.check_host_ports`."""
        settings = plan.settings.docker
        facts = docker_engine.read_facts(self._client, engine.find_address(settings))
        ports = host_ports.check_host_ports(plan, self._client.api.containers(), local=facts.local)
        return [*docker_engine.check_engine(settings, facts), *ports]

    def pull_images(self, plan: Plan) -> dict[str, str]:
        """See `Host`: but those of registries with a login, whose password Pulumi alone has."""
        scope, logins = _build_scope(plan), {login.address for login in plan.settings.docker.registry_logins}
        references = sorted(map(scope.build_reference, plan.list_images()))
        return pulled.pull_images(self._client, [r for r in references if pulled.find_registry(r) not in logins])

    def describe(self, settings: Settings) -> Description:
        """See `Host`."""
        facts = docker_engine.read_facts(self._client, engine.find_address(settings.docker))
        return Description(settings={"docker": facts.list_settings()}, remarks=facts.list_remarks())

    def list_unseen(self, plan: Plan, timeout: float) -> list[str]:
        """See `Host`: containers without metrics, a stack without lines, an entry point without its certificate."""
        sentences = verify.list_unseen(self._client, plan, timeout)
        return sentences + certificate.wait_certificate(
            plan.settings,
            self._fetch_metrics,
            lambda: verify.read_last_log_lines(self._get_entry_container(), certificate.LINES),
            timeout,
        )

    def order_certificate(self, plan: Plan) -> None:
        """See `Host`."""
        certificate.order_certificate(
            plan.settings, self._fetch_metrics, lambda: self._get_entry_container().kill(signal="SIGHUP")
        )

    def _get_entry_container(self) -> Container:
        return verify.get_running(self._client, self._stack, TRAEFIK)

    def _fetch_metrics(self) -> str:
        url = f"http://127.0.0.1:{INTERNAL_PORT}/metrics"
        return verify.fetch_url(self._client, self._stack, TRAEFIK, url)

    def compute_digest(self, plan: Plan) -> str:
        """See `Host` and `cli.last_run.compute_digest`."""
        mirror = plan.settings.docker.registry_mirror
        names = {plan.images[name].reference(mirror) for name in render.list_images(plan)}
        return last_run.compute_digest(read_engine(self._client, self._stack), names)

    def find_urns_to_replace(self, space: Workspace, plan: Plan) -> dict[str, str]:
        """See `Host`: what was left unfinished, who sees no container, and whose change the provider does not see.

        Deliveries are repeated where documents on their volume are others than the plan has.
        """
        state = space.export_state()
        blind = [f"{self._stack}-cadvisor"] if verify.is_blind(self._client, self._stack) else []
        reasons = {name: "is made again: it sees no container of the engine" for name in blind}
        reasons |= {name: "is made again: its networks are not as declared" for name in list_unseen(self.compare(plan))}
        for name in delivered.list_spoilt(self.compare_documents(plan)):
            delivery = f"{self._stack}-{name}-configure"
            reasons[delivery] = delivered.describe_delivery(plan, name, recover.find_revision(state, delivery))
        return {
            **dict.fromkeys(recover.list_unfinished(state), "is made again: it did not start, or did not end well"),
            **{urn: why for name, why in reasons.items() for urn in recover.list_container_urns(state, [name])},
        }

    def wait_healthy(self, timeout: float) -> list[Health]:
        """See `Host`."""
        return verify.wait_healthy(self._client, self._stack, timeout=timeout)

    def wait_targets(self, timeout: float) -> list[dict[str, Any]]:
        """See `Host`."""
        return verify.wait_targets(self._client, self._stack, timeout=timeout)

    def ask_prometheus(self, path: str) -> Any:
        """See `Host`."""
        return verify.ask_prometheus(self._client, self._stack, path)

    def open_tunnel(self, workload: str, port: int) -> Tunnel:
        """See `Host`."""
        return ExecTunnel(self._client, verify.get_running(self._client, self._stack, workload), port)

    def ask_loki(self, path: str) -> Any:
        """See `Host`."""
        return verify.ask_loki(self._client, self._stack, path)

    def explain_absences(self, names: Collection[str]) -> list[str]:
        """See `Host`: containers that are called so and do not run."""
        containers = self._client.containers.list(all=True) if names else []
        return [said for name in sorted(names) if (said := verify.explain_absence(containers, name))]

    def read_last_log_lines(self) -> list[tuple[str, str]]:
        """See `Host`."""
        services = verify.list_services(self._client, self._stack)
        return [(str(c.name), verify.read_last_log_lines(c)) for c in services if not verify.read_health(c).good]

    def list_alertmanagers(self) -> Sequence[Instance]:
        """See `Host`."""
        names = {verify.read_health(c).workload for c in verify.list_services(self._client, self._stack)}
        return [InContainer(self._client, self._stack)] if alertmanagers.NAME in names else []

    def run_program(self, workload: str, command: Sequence[str], say: Say) -> int:
        """See `Host`."""
        try:
            return engine.stream_command(verify.get_running(self._client, self._stack, workload), command, say)
        except DockerException as error:
            raise RuntimeError(str(error)) from None

    def open_tasks(self, plan: Plan) -> Tasks:
        """See `Host`."""
        return EngineTasks(self._client, plan)

    def list_volumes(self) -> list[str]:
        """See `Host`."""
        return [str(volume.name) for volume in recover.list_volumes(self._client, self._stack)]

    def list_uses(self, *, data: bool) -> list[str]:
        """See `Host`."""
        return used.list_uses(self._client, self._stack, data=data)

    def explain_stuck(self) -> list[str]:
        """See `Host`."""
        return used.explain_stuck(self._client, self._stack)

    def purge_volumes(self) -> None:
        """See `Host`."""
        for volume in recover.list_volumes(self._client, self._stack):
            volume.remove()


def _build_scope(plan: Plan) -> Scope:
    return Scope(stack=plan.stack, settings=plan.settings.docker, images=plan.images)
