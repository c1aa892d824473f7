"""The settings of one environment, as they stand in Pulumi.<stack>.yaml under the project's namespace.

Each component adds a section of its own (see `stack.registry`), so this file knows only what all of them share.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from model.access import AccessSettings
from model.addresses import Engine, IpAddress, LinkBase, PossiblePort, Registry
from model.base import DnsLabel, DnsName, Duration, HostPath, Memory, Name, PortNumber, Strict, is_dns_name
from model.errors import Inconsistent, Problem
from model.images import Tag
from model.operator import Operator
from model.scope import OnlyOn, Target
from model.tls import TlsSettings

DEFAULT_SOCKET = "/var/run/docker.sock"
DATA_ROOT = "/var/lib/docker"
"""The data directory of an engine that was told of no other."""


class ComponentSettings(Strict):
    """What can be said of every component."""

    SHORT: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Words that may stand for a whole section, and the sections that they mean."""

    enabled: bool = True
    """Whether the component is deployed."""
    memory: Memory | None = None
    """Memory limit; the component's own default when absent."""
    cpus: Annotated[float, Field(ge=0.01, le=64)] | None = None
    """CPU limit in cores, a hundredth at least as engines count; the component's own default when absent."""
    port: Annotated[PortNumber | None, OnlyOn("docker")] = None
    """Host port to publish on, for the target docker; the system's or the component's own default when absent."""

    @property
    def instances(self) -> int:
        """How many instances of the component there are."""
        return 1

    @property
    def existing(self) -> Operator | None:
        """The operator that runs Prometheus and Alertmanager, where this section names one."""
        return None

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The schema of the section, and its short forms beside it."""
        made = super().__get_pydantic_json_schema__(core, handler)
        return {"anyOf": [{"enum": sorted(cls.SHORT)}, made]} if cls.SHORT else made


class RegistryLogin(Strict):
    """Credentials of a private image registry; the password is a secret of the stack's configuration."""

    address: Registry
    """Registry host and port, such as registry.example.com:5000."""
    username: str
    """User to log in as."""
    password_secret: Name
    """Configuration key of the secret that holds the password."""


class DockerSettings(Strict):
    """Where and how the Docker target deploys."""

    host: Engine | None = None
    """Engine address (unix://, tcp:// or ssh://); the environment's DOCKER_HOST or the local socket when absent."""
    cert_path: str | None = None
    """Directory of ca.pem, cert.pem and key.pem for a tcp:// engine with TLS."""
    ssh_options: tuple[str, ...] = ()
    """Extra arguments for ssh, such as -i and a key file."""
    registry_mirror: Registry | None = None
    """Registry (host:port) that serves all images under their upstream names."""
    registry_logins: tuple[RegistryLogin, ...] = ()
    """Logins for private registries."""
    bind_address: IpAddress = "127.0.0.1"
    """Host address that published ports bind to; loopback unless they are to be reached from elsewhere."""
    external_networks: tuple[str, ...] = ()
    """Existing networks, such as a compose project's, that all join who connect to what you name: to scrape it, to ask
    its health, to route to it, to notify it. The stack's own parts then call each other by NAME.STACK-monitoring."""
    socket: HostPath | None = None
    """Path of the engine's socket on its host, which only the read-only socket proxy sees; that of `host` where it is
    a unix:// one, else /var/run/docker.sock, when absent. `make up` finds it where the engine is on this machine."""
    data_root: HostPath = DATA_ROOT
    """The engine's data directory on its host (Docker Root Dir of `docker info`). `make up` finds it."""
    image_store: Literal["classic", "containerd"] = "classic"
    """Where the engine keeps images: containerd where `docker info` names the driver type
    io.containerd.snapshotter.v1, as new installations of Docker 29 do. `make up` finds it."""
    swap_limit: bool = True
    """Whether the engine can limit swap (`docker info` warns where it cannot); containers get no swap where it can.
    `make up` finds it."""
    user_namespaces: bool = False
    """Whether the engine gives the users of containers other numbers on its host (`userns-remap`; `docker info` names
    it among its security options); what looks at the host then runs with the host's numbers. `make up` finds it."""
    selinux: bool = False
    """Whether the engine confines containers by SELinux labels (`selinux-enabled`, as Fedora and RHEL have it;
    `docker info` names it among its security options): what looks at the host, or asks the engine's socket, then runs
    without a label, which would forbid it. `make up` finds it."""
    log_max_size: Annotated[str, Field(pattern=r"^[1-9][0-9]*[kmg]$")] = "10m"
    """Size at which a container's log file is rotated (Docker's notation)."""
    log_max_files: Annotated[int, Field(ge=1, le=100)] = 3
    """Rotated log files kept for each container."""

    @model_validator(mode="after")
    def _check_engine(self) -> DockerSettings:
        """Without `host`, DOCKER_HOST says how the engine is reached, so either may have its effect."""
        ways = {"certPath": ("tcp", self.cert_path), "sshOptions": ("ssh", self.ssh_options)}
        scheme = self.host.partition("://")[0] if self.host else None
        problems = [
            Problem(key, f"has an effect for a host of {way}:// only, and docker.host is {self.host}; leave it out")
            for key, (way, is_set) in ways.items()
            if is_set and scheme not in (way, None)
        ]
        if problems:
            raise Inconsistent(problems)
        return self

    @property
    def engine_socket(self) -> str:
        """Path of the engine's socket on its host, whether it is said or not."""
        scheme, _, path = (self.host or "").partition("://")
        return self.socket or (path if scheme == "unix" else DEFAULT_SOCKET)


class Toleration(Strict):
    """A node taint that pods of the stack put up with."""

    key: str | None = None
    """Taint key; any when absent."""
    operator: Literal["Exists", "Equal"] = "Exists"
    """How `value` is compared."""
    value: str | None = None
    """Taint value, for Equal."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """Taint effect; any when absent."""

    @model_validator(mode="after")
    def _check_operator(self) -> Toleration:
        problems = []
        if self.value is not None and self.operator == "Exists":
            problems.append(Problem("value", f"{self.value!r} is compared with operator Equal only; add that"))
        if self.key is None and self.operator == "Equal":
            problems.append(Problem("key", "is required with operator Equal"))
        if problems:
            raise Inconsistent(problems)
        return self


class KubernetesSettings(Strict):
    """Where and how the Kubernetes target deploys."""

    kubeconfig: str | None = None
    """Path of the kubeconfig; KUBECONFIG or ~/.kube/config when absent."""
    context: str | None = None
    """Context in the kubeconfig; its current one when absent."""
    namespace: Annotated[DnsLabel, Field(max_length=63 - len("-agents"))] | None = None
    """Namespace to make and own; monitoring-<stack> when absent. Node-level agents get <namespace>-agents."""
    storage_class: str | None = None
    """Storage class of the data volumes; the cluster's default when absent."""
    registry_mirror: Registry | None = None
    """Registry (host:port) that serves all images under their upstream names."""
    image_pull_secrets: tuple[DnsName, ...] = ()
    """Existing Secrets of both namespaces with the logins of private registries."""
    service_type: Literal["ClusterIP", "NodePort", "LoadBalancer"] = "ClusterIP"
    """Type of the Service in front of Traefik, the only one that is meant for people."""
    ingress_class: DnsName | None = None
    """Existing IngressClass whose controller leads people from the host of baseUrl to Traefik."""
    ingress_annotations: Mapping[str, str] = Field(default_factory=dict)
    """Annotations of the Ingress, for its controller and for what makes certificates."""
    ingress_namespace: DnsLabel | None = None
    """Namespace of the ingress controller, the only one from which Traefik may be reached; any when absent."""
    tls_secret: DnsName | None = None
    """Secret of the stack's namespace that holds the certificate for the host, or that will."""
    node_selector: Mapping[str, str] = Field(default_factory=dict)
    """Labels of the nodes that may run the stack; node-level agents run on every node that is tolerated."""
    tolerations: tuple[Toleration, ...] = ()
    """Taints that the stack's pods put up with, those of agents included."""
    expected_nodes: Annotated[int, Field(ge=1)] = 3
    """Nodes of the cluster, for the capacity plan; each is scraped."""
    expected_pods: Annotated[int, Field(ge=1)] = 100
    """Pods of the whole cluster, for the capacity plan; the state of each is scraped, and what its containers use."""
    priority_class: str | None = None
    """Existing PriorityClass of all pods."""
    labels: Mapping[str, str] = Field(default_factory=dict)
    """Extra labels of every object."""
    annotations: Mapping[str, str] = Field(default_factory=dict)
    """Extra annotations of every object."""

    @model_validator(mode="after")
    def _check_entry(self) -> KubernetesSettings:
        problems = []
        if self.ingress_class and self.service_type != "ClusterIP":
            message = f"{self.service_type!r} is a second way in beside the ingress; leave it out, or ingressClass"
            problems.append(Problem("serviceType", message))
        if not self.ingress_class:
            values = {"ingressAnnotations": self.ingress_annotations, "tlsSecret": self.tls_secret}
            values |= {"ingressNamespace": self.ingress_namespace}
            problems += [
                Problem(key, "is about an ingress: name its ingressClass") for key, value in values.items() if value
            ]
        if problems:
            raise Inconsistent(problems)
        return self


class LogSettings(Strict):
    """Log lines, whoever reads them."""

    agent: Literal["promtail", "collector"] = "promtail"
    """Who reads them: Promtail, or an OpenTelemetry Collector."""


AGENTS: tuple[str, ...] = get_args(LogSettings.model_fields["agent"].annotation)
"""Components that read lines, of which a stack has one."""


class Settings(Strict):
    """Everything an environment decides. Sections of the components are added by the registry."""

    system: Name
    """The system to watch: a file configs/systems/<system>.yaml."""
    environment: Name = "dev"
    """Name of the environment; a label of every series and log line."""
    target: Target = "docker"
    """Platform to deploy to."""
    demo: bool = False
    """Deploy stand-ins for the system's services, with believable traffic and faults to switch on."""
    retain_data: bool = True
    """Keep data volumes when the stack is destroyed."""
    base_url: Annotated[
        str,
        Field(
            pattern=r"^https?://[^/\s?#`]+(/[A-Za-z0-9._~-]+)*$",
            examples=["https://monitoring.example.com", "https://tools.example.com/monitoring"],
        ),
        PossiblePort,
    ] = "http://127.0.0.1:8080"
    """Where people reach the stack, through Traefik: scheme, host, port, and a path without a slash at its end where
    it has one."""
    tls: TlsSettings = Field(default_factory=TlsSettings)
    """TLS of the stack's one entry point, Traefik."""
    access: AccessSettings = Field(default_factory=AccessSettings)
    """Who may come in through Traefik, and what for."""
    runbooks: LinkBase = ""
    """The address where people find docs/runbooks, in your forge or wiki; without it alerts have no `runbook_url`."""
    longest_for: Duration = "1y"
    """No alert waits longer than this before it fires; for demonstrations and tests, where nobody wants to wait."""
    scrape_interval: Duration = "15s"
    """How often targets are scraped unless they say otherwise."""
    logs: LogSettings = Field(default_factory=LogSettings)
    """Log lines, whoever reads them."""
    versions: Mapping[Name, Tag] = Field(default_factory=dict)
    """Tags of images by their names in configs/images.yaml, in place of the tags there: what stays on a version for
    now. `make upgrade` writes it while it works."""
    docker: Annotated[DockerSettings, OnlyOn("docker")] = Field(default_factory=DockerSettings)
    """The Docker target."""
    kubernetes: Annotated[KubernetesSettings, OnlyOn("kubernetes")] = Field(default_factory=KubernetesSettings)
    """The Kubernetes target."""

    @property
    def host(self) -> str:
        """The host in `base_url`, without its port."""
        return re.sub(r":[0-9]+$", "", self.authority)

    @property
    def port(self) -> int:
        """The port of `base_url`, said or not."""
        match = re.search(r":([0-9]+)$", self.authority)
        return int(match[1]) if match else 443 if self.base_url.startswith("https:") else 80

    @property
    def base_path(self) -> str:
        """The path of `base_url`, which begins with a slash and does not end with one; empty where it has none."""
        _, slash, path = self.base_url.partition("://")[2].partition("/")
        return slash + path

    @property
    def authority(self) -> str:
        """The host in `base_url`, with its port where it is said."""
        return self.base_url.partition("://")[2].partition("/")[0]

    @model_validator(mode="after")
    def _check_ingress_host(self) -> Settings:
        if self.target != "kubernetes" or not self.kubernetes.ingress_class:
            return self
        problems = []
        if not is_dns_name(self.host):
            message = (
                f"{self.base_url!r}: an ingress needs the name of a host, for example https://monitoring.example.com"
            )
            problems.append(Problem("baseUrl", message))
        if self.kubernetes.tls_secret and not self.base_url.startswith("https:"):
            problems.append(Problem("baseUrl", f"{self.base_url!r}: must begin with https:// where tlsSecret is named"))
        if problems:
            raise Inconsistent(problems)
        return self
