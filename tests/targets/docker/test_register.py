"""The Docker target, by what it registers: hardening, delivery of documents and secrets, volumes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pulumi
import pytest

from model.naming import LABEL, derive_user_id
from model.settings import DockerSettings
from model.workload import HostMount, Port, SecretFile, Workload
from targets.docker.register import DeliveryError, DockerTarget
from targets.docker.shared import build_address as address_of
from targets.docker.shared import find_network_suffix
from tests.support.mocks import RecordedResource, by_name, run_program
from tests.support.workloads import AGENT, IMAGES, PLAIN, SERVER

CANARY = "canary-hunter2"
Resources = list[RecordedResource]


def deploy(
    *workloads: Workload,
    settings: DockerSettings | None = None,
    computed: Mapping[str, Mapping[str, Any]] | None = None,
) -> Resources:
    """Everything that is registered for the workloads, on an engine with the settings."""

    def program() -> pulumi.Output[Any]:
        secrets = {"password": pulumi.Output.secret(CANARY)}
        target = DockerTarget("dev", settings or DockerSettings(), IMAGES, secrets)
        parent = pulumi.ComponentResource("observability:components:Test", "test")
        return pulumi.Output.all(*(target.deploy(workload, parent=parent).ready for workload in workloads))

    return run_program(program, computed=computed)


@pytest.fixture(scope="module")
def everything() -> Resources:
    """A service that uses all there is, a plain one and a node agent."""
    return deploy(SERVER, PLAIN, AGENT)


def containers(resources: Resources) -> Resources:
    """All containers, one-shot ones included."""
    return [resource for resource in resources if resource.type.endswith(":Container")]


def inputs(resources: Resources, name: str) -> Mapping[str, Any]:
    """The inputs of a container by its name without the stack."""
    return by_name(resources, f"dev-{name}", ":Container").inputs


def labels(container: Mapping[str, Any]) -> dict[str, str]:
    """The labels of a container without our prefix."""
    return {entry["label"].removeprefix(f"{LABEL}."): entry["value"] for entry in container["labels"]}


def joined(*networks: str) -> DockerSettings:
    """Settings with networks of others."""
    return DockerSettings.model_validate({"externalNetworks": networks})


def networks(resources: Resources, name: str) -> dict[str, list[str]]:
    """The networks of a container, each with the aliases that it has there."""
    return {entry["name"]: entry.get("aliases", []) for entry in inputs(resources, name)["networksAdvanced"]}


# -- networks --------------------------------------------------------------------------------------------------------


def test_who_connects_to_others_joins_their_networks() -> None:
    """In a network of others a container has no alias, and in its own one none that theirs could have too."""
    made = deploy(replace(PLAIN, egress="anywhere"), SERVER, settings=joined("shop_default", "a_net"))
    assert networks(made, "plain") == {"dev-monitoring": ["plain.dev-monitoring"], "a_net": [], "shop_default": []}
    (own,) = networks(made, "server").values()
    (process,) = [name for name in own if "." not in name]  # unique, by a digest: whom a delivery asks
    assert {*own} == {process, *(f"{name}.dev-monitoring" for name in ("alias", "server", "zz"))}
    assert f"HOST={process}" in inputs(made, "server-configure")["envs"] and process != "server"
    assert inputs(made, "plain")["hostname"] == "dev-plain"


def test_without_networks_of_others_names_are_short() -> None:
    """A stack that is alone calls its containers by their workloads' names."""
    made = deploy(replace(PLAIN, egress="anywhere"))
    assert networks(made, "plain") == {"dev-monitoring": ["plain"]}
    assert inputs(made, "plain")["hostname"] == "plain"


def test_an_address_says_in_which_network() -> None:
    """What the stack's parts are told is the alias that they have, with and without networks of others."""
    shared = joined("shop_default")
    for settings, address in ((DockerSettings(), "plain:80"), (shared, "plain.dev-monitoring:80")):
        assert address_of("plain", 80, find_network_suffix("dev", settings)) == address
        (own, *_) = networks(deploy(PLAIN, settings=settings), "plain").values()
        assert own == [address.partition(":")[0]]


def test_a_long_name_is_no_hostname() -> None:
    """Linux refuses a name of more than 64 characters; the container still starts."""
    long = replace(PLAIN, name="postgres-exporter-" + "x" * 50)
    made = deploy(long, settings=joined("n"))
    assert len(inputs(made, long.name)["hostname"]) < 64


def test_groups_are_numbers_of_the_host() -> None:
    """A container is in the groups that its workload names, once each and sorted."""
    assert inputs(deploy(replace(PLAIN, groups=(33, 4, 4))), "plain")["groupAdds"] == ["4", "33"]
    assert "groupAdds" not in inputs(deploy(PLAIN), "plain")


# -- hardening -------------------------------------------------------------------------------------------------------


def test_every_container_is_confined(everything: Resources) -> None:
    """All capabilities dropped, no new privileges, memory without swap, bounded logs, our label: one-shots too."""
    for container in containers(everything):
        own = container.inputs
        assert own["capabilities"]["drops"] == ["ALL"], container.name
        assert own["securityOpts"] == ["no-new-privileges:true"], container.name
        assert own["memory"] == own["memorySwap"] > 0, container.name
        assert own["logDriver"] == "json-file", container.name
        assert own["logOpts"] == {"max-file": "3", "max-size": "10m"}, container.name
        assert labels(own)["stack"] == "dev", container.name
        assert not own.get("privileged"), container.name
        # aliases hold only in a network that is not the container's networkMode; the default one is left then
        joined = own.get("networksAdvanced")
        assert own.get("networkMode", "host") not in ("host", "bridge") or (joined and "networkMode" not in own), (
            container.name
        )


def test_root_gives_its_reason(everything: Resources) -> None:
    """A container that runs as root says why in its labels; all others run as a user of their own."""
    users = []
    for container in containers(everything):
        user = container.inputs.get("user", "0:0")  # the one that only carries files to a volume never runs
        if user.startswith("0:"):
            said = labels(container.inputs)
            assert "reason" in said or "exempt.root-user" in said, container.name
        else:
            users.append(user)
    assert set(users) == {
        f"{derive_user_id('dev', name)}:{derive_user_id('dev', name)}" for name in ("server", "plain")
    }


def test_services_are_read_only_with_limits(everything: Resources) -> None:
    """The root filesystem is read-only with a small /tmp, and processes, CPU and files are bounded."""
    server = inputs(everything, "server")
    assert server["readOnly"] is True
    assert server["tmpfs"]["/tmp"].split(",")[:4] == ["rw", "noexec", "nosuid", "nodev"]
    assert server["memory"] == 256
    assert server["cpus"] == "1.5"
    assert {"name": "nproc", "soft": 99, "hard": 99} in server["ulimits"]
    assert server["restart"] == "unless-stopped"


def test_exceptions_are_exactly_the_declared_ones(everything: Resources) -> None:
    """Root, a writable root, capabilities and the host's gateway come with a declaration, and its reason is a label."""
    agent, server = inputs(everything, "agent"), inputs(everything, "server")
    assert agent["user"] == "0:0"
    assert agent["readOnly"] is False
    assert agent["capabilities"]["adds"] == ["CAP_DAC_READ_SEARCH", "CAP_SYS_PTRACE"]
    assert agent["hosts"] == [{"host": "host.docker.internal", "ip": "host-gateway"}]
    assert labels(agent)["exempt.root-user"] == "reads files of root"
    assert labels(agent)["exempt.capability.sys_ptrace"] == "reads other processes"
    assert "adds" not in server["capabilities"]
    assert "hosts" not in server
    assert not [key for key in labels(server) if key.startswith("exempt")]


def test_the_first_of_several_published_ports_is_said() -> None:
    """A label names the port that people open, only where the engine's list leaves it unclear."""
    ports = (Port(number=16686, publish=1), Port(number=14268, name="more", publish=2))
    several, one = (replace(PLAIN, ports=each) for each in (ports, ports[:1]))
    assert labels(inputs(deploy(several), PLAIN.name))["port"] == "16686"
    assert "port" not in labels(inputs(deploy(one), PLAIN.name))


def test_only_published_ports_are_open(everything: Resources) -> None:
    """A port is open on the host only when it is published, on its own bind address."""
    assert inputs(everything, "server")["ports"] == [
        {"internal": 8080, "external": 18080, "ip": "127.0.0.1", "protocol": "tcp"}
    ]
    assert all("ports" not in c.inputs for c in containers(everything) if c.name != "dev-server")


def test_host_paths_are_read_only(everything: Resources) -> None:
    """Nothing of the host can be written to from a container."""
    assert not [v for c in containers(everything) for v in c.inputs.get("volumes", []) if "hostPath" in v]
    mounts = [mount for c in containers(everything) for mount in c.inputs.get("mounts", [])]
    assert {mount["source"] for mount in mounts} == {"/sys", "/var/run/docker.sock"}
    assert all(mount["readOnly"] and mount["type"] == "bind" for mount in mounts)


def test_only_paths_that_may_be_missing_are_made() -> None:
    """The engine makes a folder of a missing path for `volumes`, which is for declared paths, and refuses `mounts`."""
    made = HostMount(source="/var/log/shop", path="/host/var/log/shop", reason="reads logs", create=True)
    agent = inputs(deploy(replace(AGENT, host_mounts=(*AGENT.host_mounts, made))), "agent")
    assert [v["hostPath"] for v in agent["volumes"] if "hostPath" in v] == ["/var/log/shop"]
    assert [mount["source"] for mount in agent["mounts"]] == ["/sys"]


def test_an_engine_without_swap_limits_is_asked_for_what_it_answers() -> None:
    """Memory stays limited; swap is said as such an engine reports it, so that reading it shows no difference."""
    for container in containers(deploy(SERVER, settings=DockerSettings.model_validate({"swapLimit": False}))):
        assert container.inputs["memory"] > 0 and container.inputs["memorySwap"] == -1, container.name


def test_what_looks_at_the_host_has_its_numbers_of_users() -> None:
    """Where the engine maps users, the containers of an agent and of the tools are the host's own; no others are."""
    made = containers(deploy(AGENT, SERVER, settings=DockerSettings.model_validate({"userNamespaces": True})))
    host = {container.name for container in made if container.inputs.get("usernsMode") == "host"}
    assert host == {"dev-tools", "dev-agent", *(name for name in map(str, (c.name for c in made)) if "agent-" in name)}
    assert not any("usernsMode" in container.inputs for container in containers(deploy(AGENT)))


def test_what_looks_at_the_host_has_no_selinux_label() -> None:
    """Where the engine gives labels, an agent has none and nor has who brings its documents; all others keep theirs."""
    made = containers(deploy(AGENT, SERVER, settings=DockerSettings.model_validate({"selinux": True})))
    open_ = {container.name for container in made if "label=disable" in container.inputs["securityOpts"]}
    assert open_ == {"dev-tools", "dev-agent", *(name for name in map(str, (c.name for c in made)) if "agent-" in name)}
    assert all("no-new-privileges:true" in container.inputs["securityOpts"] for container in made)
    assert not any("label=disable" in container.inputs["securityOpts"] for container in containers(deploy(AGENT)))


def test_a_new_container_starts_its_readers_anew() -> None:
    """A workload that reads another one's answers at its start is replaced with it, and with nothing else."""
    resources = deploy(SERVER, replace(PLAIN, name="reader", restart_with=("server",)), PLAIN)
    assert labels(inputs(resources, "reader"))["started-with.server"] == "dev-server-id"
    assert not [key for key in labels(inputs(resources, "plain")) if key.startswith("started-with")]


def test_the_socket_is_seen_by_its_proxy_alone(everything: Resources) -> None:
    """No service has the engine's socket; the one-shot that reports its group has it without a network."""
    holders = [c for c in containers(everything) if "docker.sock" in str(c.inputs)]
    assert [c.name for c in holders] == ["dev-tools"]
    assert holders[0].inputs["networkMode"] == "none"


def test_health_is_probed_inside(everything: Resources) -> None:
    """An HTTP probe becomes a command of the container, with all of its times."""
    assert inputs(everything, "server")["healthcheck"] == {
        "tests": ["CMD", "/tools/busybox", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/healthy"],
        "interval": "7s",
        "timeout": "3s",
        "retries": 2,
        "startPeriod": "11s",
    }


# -- documents and secrets -------------------------------------------------------------------------------------------


def test_secrets_are_secret_in_every_input(everything: Resources) -> None:
    """The value of a secret stands in the inputs that must hold it alone, and there it is marked as secret."""
    holders = {resource.name: resource for resource in everything if CANARY in str(resource.inputs)}
    places = {"dev-server-secrets": "uploads", "dev-server-secrets-mark": "keepers"}
    assert holders.keys() == places.keys()
    for name, place in places.items():
        assert any(path.startswith(place) for path in holders[name].secrets)
        assert CANARY not in str({key: value for key, value in holders[name].inputs.items() if key != place})


def test_another_mount_replaces_the_container() -> None:
    """The provider calls other mounts and tmpfs an update and does nothing, but it replaces for another label."""
    name = AGENT.name
    moved = tuple(replace(mount, source=f"/moved{mount.source}") for mount in AGENT.host_mounts)
    assert moved
    before = labels(inputs(deploy(AGENT), name))["restart-digest"]
    for other in (replace(AGENT, host_mounts=moved), replace(AGENT, tmpfs=(*AGENT.tmpfs, "/scratch"))):
        assert labels(inputs(deploy(other), name))["restart-digest"] != before
    elsewhere = DockerSettings.model_validate({"socket": "/run/elsewhere.sock"})
    assert labels(inputs(deploy(PLAIN, settings=elsewhere), "tools")) != labels(inputs(deploy(PLAIN), "tools"))


def test_a_changed_secret_replaces_its_reader() -> None:
    """Its mark is made of all its secret files, and stands on its container; those who read none have no mark."""
    resources = deploy(SERVER, PLAIN)
    mark = by_name(resources, "dev-server-secrets-mark")
    assert mark.inputs["keepers"].keys() == {"/run/secrets/password"}
    assert labels(inputs(resources, "server"))["secrets"] == "hex-of-dev-server-secrets-mark"
    assert "secrets" not in labels(inputs(resources, "plain"))


def test_a_new_network_replaces_what_was_in_the_old_one(everything: Resources) -> None:
    """Every service says which network it was made in; one-shot containers need it only while they run."""
    network = by_name(everything, "dev-monitoring", ":Network")
    for name in ("server", "plain", "agent"):
        assert network.urn.rpartition("::")[2] in labels(inputs(everything, name))["network"]
    assert "network" not in labels(inputs(everything, "server-configure"))


def test_secret_files_belong_to_the_service_alone(everything: Resources) -> None:
    """A secret is a file that only the service's own user can read, on a volume that the service cannot write."""
    owner = str(derive_user_id("dev", "server"))
    assert inputs(everything, "server-secrets")["uploads"] == [
        {"file": "/run/secrets/password", "content": CANARY, "permissions": "0400", "owner": owner, "group": owner}
    ]
    mounts = {mount["containerPath"]: mount for mount in inputs(everything, "server")["volumes"]}
    assert mounts["/run/secrets"]["readOnly"] is True


def test_documents_are_mounted_as_a_directory(everything: Resources) -> None:
    """Documents come on a volume, never as a file of the deployer's disk, and the service cannot write them."""
    server = inputs(everything, "server")
    mounts = {mount["containerPath"]: mount for mount in server["volumes"]}
    assert mounts["/etc/server"] == {
        "volumeName": "dev-server-config",
        "containerPath": "/etc/server",
        "readOnly": True,
    }
    assert "uploads" not in server
    uploaded = {entry["file"]: entry["content"] for entry in inputs(everything, "server-configure")["uploads"]}
    assert " 1 + rules/b.yml\nb: 2\n" in uploaded["/documents"]


def test_a_refused_delivery_fails_with_the_process_words() -> None:
    """When the process does not take its configuration, the run ends with what it said."""
    said = {"dev-server-configure": {"exitCode": 1, "containerLogs": "server.yml: line 1: no"}}
    with pytest.raises(DeliveryError, match=r"server did not take .*(?s:.)*server.yml: line 1: no"):
        deploy(SERVER, computed=said)


def asked(resources: Resources) -> str:
    """The name of the process that the delivery to the server asks to reload."""
    envs = dict(str(entry).split("=", 1) for entry in inputs(resources, "server-configure")["envs"])
    return envs["HOST"]


def test_only_the_process_that_the_documents_are_for_is_asked(everything: Resources) -> None:
    """It has a name in the network that changes with what replaces its container, and nothing else has that name."""
    (network,) = inputs(everything, "server")["networksAdvanced"]
    assert asked(everything) in network["aliases"]
    assert asked(deploy(replace(SERVER, args=("--other",)))) not in network["aliases"]
    edited = replace(SERVER.config, files={"server.yml": "a: 2\n"})  # type: ignore[type-var]
    assert asked(deploy(replace(SERVER, config=edited))) in network["aliases"]
    (plain,) = inputs(everything, "plain")["networksAdvanced"]
    assert plain["aliases"] == ["plain"]


def test_a_process_with_other_secrets_is_not_asked() -> None:
    """It would refuse a login with the new ones; what is read again in place changes no process."""
    mark = "dev-server-secrets-mark"
    names = {asked(deploy(SERVER, computed={mark: {"hex": digits}})) for digits in ("aa", "bb")}
    assert len(names) == 2
    reread = tuple(replace(secret, reread=True) for secret in SERVER.secrets)
    made = deploy(replace(SERVER, secrets=reread))
    assert asked(made).count("-") == 1 and mark not in {resource.name for resource in made}


def test_a_secret_that_is_read_at_use_needs_no_delivery() -> None:
    """Without documents there is nothing to run: the file changes below the container, which stays."""
    made = deploy(replace(PLAIN, secrets=(SecretFile(path="/run/secrets/password", secret="password", reread=True),)))
    assert "secrets" not in labels(inputs(made, "plain"))
    names = {resource.name for resource in made}
    assert "dev-plain-secrets" in names and "dev-plain-configure" not in names
    assert not [name for name in names if name.endswith("-mark")]


# -- volumes, engine -------------------------------------------------------------------------------------------------


def test_retained_volumes_survive(everything: Resources) -> None:
    """A data volume outlives the stack unless it says otherwise; those for delivery never do."""
    kept = {r.name: r.retain_on_delete for r in everything if r.type.endswith(":Volume")}
    assert kept.pop("dev-server-data") is True
    assert not any(kept.values())


def test_everything_uses_the_configured_engine(everything: Resources) -> None:
    """No resource falls back to a default provider, which would be the local engine."""
    for resource in everything:
        if resource.type.startswith("docker:"):
            assert "dev-engine" in resource.provider, resource.name


def test_engine_and_registry_settings_reach_the_provider() -> None:
    """Address, certificates, ssh options and logins are the provider's; the login's password is secret."""
    settings = DockerSettings.model_validate_json(
        '{"host": "ssh://ops@10.0.0.5", "sshOptions": ["-i", "key"], "registryMirror": "m:5000",'
        ' "registryLogins": [{"address": "m:5000", "username": "u", "passwordSecret": "password"}]}'
    )
    resources = deploy(PLAIN, settings=settings)
    engine = by_name(resources, "dev-engine")
    assert engine.inputs["host"] == "ssh://ops@10.0.0.5"
    assert "registryAuth" in engine.secrets
    images = [r.inputs["name"] for r in resources if r.type.endswith(":RemoteImage")]
    assert images == ["m:5000/example/busybox:v1", "m:5000/example/server:v1"]


def test_the_container_waits_for_what_it_needs(everything: Resources) -> None:
    """A service starts after its documents and secrets are in place."""
    needs = {urn.rpartition("::")[2] for urn in by_name(everything, "dev-server", ":Container").dependencies}
    assert {"dev-server-configure", "dev-server-secrets", "dev-tools", "dev-server-data"} <= needs
