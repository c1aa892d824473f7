"""What a component wants to have running, said without a word of Docker or Kubernetes.

A target (see `targets.base`) turns each `Workload` into the resources of its platform or refuses it before anything
is registered. All sizes are bytes and all durations are seconds unless a name says otherwise.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal

MIB = 1024 * 1024
SECRETS_DIR = "/run/secrets"
"""The one directory of secret files in every container."""


@dataclass(frozen=True, kw_only=True)
class Port:
    """A TCP port the process listens on; `publish` opens it on the host, on `bind` only.

    With `udp` other workloads may send datagrams to it as well. `outside` is the port of the platform's own way in for
    people, where it is another one than `number`. What `yields` is published only where nobody else wants the port.
    Whoever runs on the same platform may connect to what is `inbound`, from outside of the stack too.
    """

    number: int
    name: str = "http"
    publish: int | None = None
    bind: str = "127.0.0.1"
    udp: bool = False
    outside: int | None = None
    yields: bool = False
    inbound: bool = False


@dataclass(frozen=True, kw_only=True)
class HttpProbe:
    """Healthy while a GET of `path` on `port` inside the workload answers 2xx."""

    path: str
    port: int
    interval: int = 10
    timeout: int = 5
    retries: int = 3
    start_period: int = 30


@dataclass(frozen=True, kw_only=True)
class ExecProbe:
    """Healthy while `command` exits 0 inside the workload."""

    command: tuple[str, ...]
    interval: int = 10
    timeout: int = 5
    retries: int = 3
    start_period: int = 30


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Upper bounds: memory in bytes (no swap beside it), CPU in cores, processes and threads as a count."""

    memory: int
    cpus: float = 1.0
    pids: int = 256


@dataclass(frozen=True, kw_only=True)
class Reload:
    """How a running process takes a new configuration, and how it proves that it runs it.

    `path` is POSTed to `port`, and a 2xx answer, given once the process has loaded what lies there, is proof. None
    means that the process watches its directory by itself and proves it in another way: `digest_metric` of its
    metrics at `metrics_path` has the SHA-256 of `digest_file` as a label, or the answer to a GET of `report_path`,
    head included, has the content of `report_file` in it; both files are documents of the workload. Its header
    `report_time`, where there is one, must then be the time of this delivery or later. Where there is a
    `success_metric`, it must be 1. `timeout` is how many seconds all this may take.
    """

    port: int
    path: str | None = "/-/reload"
    metrics_path: str = "/metrics"
    success_metric: str | None = None
    digest_metric: str | None = None
    digest_file: str | None = None
    report_path: str | None = None
    report_file: str | None = None
    report_time: str | None = None
    basic_auth: tuple[str, str] | None = None
    timeout: int = 30


@dataclass(frozen=True, kw_only=True)
class ConfigDir:
    """Documents that land together, atomically, as the read-only directory `path`.

    `validate` is a command of the workload's own image that must accept the new directory before anything is
    switched; `{dir}` in it stands for that directory. Where the process has no validator, the process itself may be
    the command: it is stopped after `validate_seconds`, and output that matches `validate_marker` (an extended
    regular expression) means refusal, but for lines that match `validate_ignore`. Files named in `restart_on` are
    read only at start: a change of one of them replaces the workload, a change of any other file is reloaded in
    place. No document may hold a secret.
    """

    path: str
    files: Mapping[str, str]
    validate: tuple[str, ...] = ()
    validate_seconds: int | None = None
    validate_marker: str = "level=error"
    validate_ignore: str | None = None
    reload: Reload | None = None
    restart_on: frozenset[str] = frozenset()

    def compute_revision(self) -> str:
        """Digest of all documents: 12 hexadecimal digits, the same for the same content."""
        return compute_digest({"files": dict(sorted(self.files.items()))})

    def compute_restart_digest(self) -> str:
        """Digest of the documents that are only read at start."""
        return compute_digest({name: text for name, text in sorted(self.files.items()) if name in self.restart_on})


@dataclass(frozen=True, kw_only=True)
class SecretFile:
    """A file that holds one secret and nothing else, readable by the workload's user alone (mode 0400).

    `secret` is the name of a secret of the plan, never its value; `template` may put text around it (`{}` is the
    value) for formats such as `user:hash`. What the process reads again at a delivery of its documents, or by itself,
    needs no new process when it changes: `reread`.
    """

    path: str
    secret: str
    template: str = "{}"
    reread: bool = False

    def fill(self, value: str) -> str:
        """What is in the file when the secret has this value."""
        return self.template.replace("{}", value)


@dataclass(frozen=True, kw_only=True)
class DataVolume:
    """A directory that outlives the container; `retain` keeps it even when the stack is destroyed."""

    name: str
    path: str
    retain: bool = True
    size: int = 10 * 1024 * MIB


@dataclass(frozen=True, kw_only=True)
class SharedVolume:
    """A read-only view of another workload's data volume, by that volume's name; of one on each node, by agents."""

    name: str
    path: str


@dataclass(frozen=True, kw_only=True)
class HostMount:
    """A view of a path of the host, with the reason why the workload cannot do without it; read-only, or `writable`.

    `create` makes an empty directory of a path that is not there, where the platform would refuse to start otherwise.
    """

    source: str
    path: str
    reason: str
    create: bool = False
    writable: bool = False


@dataclass(frozen=True, kw_only=True)
class Exemption:
    """A declared exception from the hardened defaults, with its reason."""

    rule: Literal["root-user", "writable-root", "capability", "host-mount", "docker-socket", "host-gateway"]
    reason: str
    value: str = ""


@dataclass(frozen=True, kw_only=True)
class Access:
    """What a workload may ask the platform's API for: rules of a role, in `namespaces` or, when empty, cluster-wide.

    Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#role-and-clusterrole
    """

    resources: tuple[str, ...]
    groups: tuple[str, ...] = ("",)
    verbs: tuple[str, ...] = ("get", "list", "watch")
    namespaces: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Workload:
    """One process to run: everything a target must know, and nothing of how it does it.

    `image` is a name in configs/images.yaml. `args` replace the image's command and `entrypoint`, where given, its
    entry point. `env` never holds a secret. `after` names workloads that must have been started before this one;
    `restart_with` are those whose answers it reads at its start alone, so a new container of theirs starts it anew.
    `placement` is "service" for `replicas` instances anywhere and "node-agent" for one on every node. `access` is what
    it may ask the platform's API for. `field_refs` names environment variables that hold what only the platform knows.
    `egress` is where it connects to: the stack alone, or anywhere, so that it also joins the networks of others that
    the settings name. The `exposed` is what people outside of the platform connect to, by the name `host` where the
    platform has to know it. `labels` are those by which others find it. `groups` are those of the node, by number,
    whose files it may read. What stands `beside` another workload runs as that one's user, on its node, and may see its
    data volumes as `shared_volumes`; `accompanied` is the other one, whose new instances go to that node again. What
    only one platform has is refused by the other where it would be missed; `exposed`, `host`, `labels` and the limit of
    processes are for the platform that has them.
    """

    name: str
    image: str
    limits: Limits
    args: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    config: ConfigDir | None = None
    secrets: tuple[SecretFile, ...] = ()
    ports: tuple[Port, ...] = ()
    volumes: tuple[DataVolume, ...] = ()
    shared_volumes: tuple[SharedVolume, ...] = ()
    host_mounts: tuple[HostMount, ...] = ()
    tmpfs: tuple[str, ...] = ("/tmp",)  # noqa: S108 - a mount point inside the container
    probe: HttpProbe | ExecProbe | None = None
    exemptions: tuple[Exemption, ...] = ()
    placement: Literal["service", "node-agent"] = "service"
    aliases: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    restart_with: tuple[str, ...] = ()
    stop_seconds: int = 30
    replicas: int = 1
    access: tuple[Access, ...] = ()
    field_refs: Mapping[str, Literal["node-name", "instance-name"]] = field(default_factory=dict)
    egress: Literal["stack", "anywhere"] = "stack"
    exposed: bool = False
    host: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    groups: tuple[int, ...] = ()
    beside: str = ""
    accompanied: bool = False

    @property
    def user_of(self) -> str:
        """The workload whose numeric user it runs as: its own, or that of the one that it stands beside."""
        return self.beside or self.name

    @property
    def sees_host(self) -> bool:
        """Whether it looks at files of the host that it runs on."""
        return bool(self.host_mounts)

    def is_exempt(self, rule: str) -> bool:
        """Whether an exemption from `rule` is declared."""
        return any(exemption.rule == rule for exemption in self.exemptions)

    def list_secrets_read(self, *, again: bool) -> tuple[SecretFile, ...]:
        """The secret files that the process reads again when they change, or those that only a new process takes."""
        return tuple(secret for secret in self.secrets if secret.reread == again)

    def list_capabilities(self) -> tuple[str, ...]:
        """The capabilities declared as exceptions, sorted; all others are dropped."""
        return tuple(sorted(e.value for e in self.exemptions if e.rule == "capability"))


def compute_digest(value: object) -> str:
    """A short stable digest (12 hexadecimal digits) of any JSON-like value or dataclass."""
    text = json.dumps(value, sort_keys=True, default=_convert_plain)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _convert_plain(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    return asdict(value)  # type: ignore[call-overload]
