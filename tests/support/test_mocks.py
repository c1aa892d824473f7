"""The strict mocks refuse what a real provider would refuse."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_docker as docker
import pytest

from tests.support.mocks import InvalidInputsError, by_name, check_inputs, run_program

CONTAINER = "docker:index/container:Container"


def register(token: str, **inputs: Any) -> None:
    """Registers a resource with any inputs, past the SDK's constructor."""
    pulumi.CustomResource(token, "x", inputs)


def test_a_valid_resource_is_recorded() -> None:
    """Inputs arrive in camelCase with nested arguments, options and parent."""

    def program() -> None:
        parent = pulumi.ComponentResource("observability:components:X", "parent")
        docker.Container(
            "web",
            image="busybox",
            memory=64,
            log_opts={"max-size": "10m"},
            uploads=[docker.ContainerUploadArgs(file="/a", content="b")],
            opts=pulumi.ResourceOptions(parent=parent, delete_before_replace=True),
        )

    resources = run_program(program)
    web = by_name(resources, "web")
    assert [resource.name for resource in resources] == ["parent", "web"]
    assert web.inputs["uploads"] == [{"file": "/a", "content": "b"}]
    assert web.inputs["memory"] == 64
    assert web.delete_before_replace
    assert web.parent.endswith("::parent")


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        ({"image": "a", "imagee": "b"}, "imagee: ContainerArgs has no such property; did you mean 'image'?"),
        ({}, "image: is required by ContainerArgs"),
        ({"image": 1}, "image: 1 is not of type str"),
        ({"image": "a", "memory": "three"}, "memory: 'three' is not of type int"),
        ({"image": "a", "memory": 1.5}, "memory: 1.5 is not of type int"),
        ({"image": "a", "memory": True}, "memory: True is not of type int"),
        ({"image": "a", "readOnly": "yes"}, "readOnly: 'yes' is not of type bool"),
        ({"image": "a", "envs": "A=b"}, "envs: 'A=b' is not a list"),
        ({"image": "a", "envs": [1]}, "envs[0]: 1 is not of type str"),
        ({"image": "a", "logOpts": {"max-file": 3}}, "logOpts.max-file: 3 is not of type str"),
        ({"image": "a", "logOpts": []}, "logOpts: [] is not a mapping"),
        ({"image": "a", "uploads": [{"path": "/a"}]}, "uploads[0].path: ContainerUploadArgs has no such property"),
        ({"image": "a", "uploads": [{}]}, "uploads[0].file: is required by ContainerUploadArgs"),
        ({"image": "a", "uploads": ["/a"]}, "uploads[0]: '/a' is not a mapping (ContainerUploadArgs)"),
        ({"image": "a", "capabilities": {"drop": ["ALL"]}}, "capabilities.drop: ContainerCapabilitiesArgs has no such"),
    ],
)
def test_wrong_inputs_are_refused(inputs: dict[str, Any], says: str) -> None:
    """A property that does not exist, is missing or has another type is named with its path."""
    with pytest.raises(InvalidInputsError) as caught:
        run_program(lambda: register(CONTAINER, **inputs))
    assert says in str(caught.value)


def test_misspelt_selector_is_refused() -> None:
    """The classic of plain mocks, a misspelt key, does not pass in a network's inputs either."""
    wrong = check_inputs("docker:index/network:Network", {"driverr": "bridge"})
    assert wrong == ["driverr: NetworkArgs has no such property; did you mean 'driver'?"]


def test_all_problems_at_once() -> None:
    """Every wrong property of every resource is reported in one run."""

    def program() -> None:
        register(CONTAINER, image=1, memory="x")
        register("docker:index/volume:Volume", labels={})

    with pytest.raises(InvalidInputsError) as caught:
        run_program(program)
    assert len(str(caught.value).splitlines()) == 3


def test_provider_arguments_are_checked() -> None:
    """A provider's structured arguments, which travel as JSON, are checked like any other."""
    good = check_inputs("pulumi:providers:docker", {"registryAuth": '[{"address": "r:5000"}]'})
    assert good == []
    bad = check_inputs("pulumi:providers:docker", {"registryAuth": '[{"adress": "r:5000"}]'})
    assert any("registryAuth[0].adress" in text for text in bad)


def test_secrets_are_unwrapped_and_remembered() -> None:
    """A secret input has its plain value in the record, and its path is known to be secret."""

    def program() -> None:
        upload = docker.ContainerUploadArgs(file="/s", content=pulumi.Output.secret("hush"))
        docker.Container("web", image="a", uploads=[upload])

    web = by_name(run_program(program), "web")
    assert web.inputs["uploads"][0]["content"] == "hush"
    assert any(path.startswith("uploads") for path in web.secrets)


def test_an_error_in_an_output_ends_the_program() -> None:
    """What an apply function raises reaches the caller."""

    def program() -> pulumi.Output[Any]:
        def fail(_: Any) -> None:
            raise pulumi.RunError("refused by the process")

        return docker.Container("web", image="a").exit_code.apply(fail)

    with pytest.raises(pulumi.RunError, match="refused by the process"):
        run_program(program)


def test_computed_properties_can_be_set() -> None:
    """A test decides what a provider would have computed."""
    seen: list[Any] = []

    def program() -> pulumi.Output[Any]:
        return docker.Container("web", image="a").exit_code.apply(seen.append)

    run_program(program, computed={"web": {"exitCode": 3}})
    assert seen == [3]


def test_one_program_leaves_nothing_behind() -> None:
    """Programs run one after the other do not see each other's resources or failures."""
    with pytest.raises(InvalidInputsError):
        run_program(lambda: register(CONTAINER))
    assert run_program(lambda: None) == []


def test_lookup_names_the_nearest() -> None:
    """A resource that is asked for and not there is an error that helps."""
    with pytest.raises(LookupError, match="did you mean 'web'"):
        by_name(run_program(lambda: docker.Container("web", image="a")), "wep")
