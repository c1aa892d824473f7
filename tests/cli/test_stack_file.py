"""Every command reads a stack's file through one reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cli.stack_file import build_location, check_document, parse_config, read_location, read_settings
from model.base import Strict
from model.errors import ConfigError
from model.operator import Operator
from model.settings import DockerSettings, KubernetesSettings
from stack.assemble import ConfigValue
from tests.support.stack_files import DOCKER, KUBERNETES, stack_file
from tests.support.yaml_files import write_yaml


def written(folder: Path, document: Any) -> Path:
    """A folder with the file of the stack x."""
    text = document if isinstance(document, str) else write_yaml(document)
    (folder / "Pulumi.x.yaml").write_text(text, encoding="utf-8")
    return folder


def test_configuration_is_what_pulumi_hands_out() -> None:
    """Text stays text, structures become JSON, secrets have no value, other namespaces are left out."""
    document = {
        "config": {
            "observability:system": "plue",
            "observability:demo": True,
            "observability:docker": {"host": "tcp://a:1"},
            "observability:token": {"secure": "v1:x"},
            "aws:region": "eu-west-1",
        }
    }
    assert parse_config(document) == {
        "system": ConfigValue("plue"),
        "demo": ConfigValue("true"),
        "docker": ConfigValue('{"host": "tcp://a:1"}'),
        "token": ConfigValue("", secret=True),
    }
    assert parse_config({}) == {}


def test_a_key_without_a_namespace_is_the_projects() -> None:
    """Pulumi hands such a key to the program, so what is rendered is what is deployed."""
    assert parse_config({"config": {"loki": {"memory": "720MiB"}}}) == {"loki": ConfigValue('{"memory": "720MiB"}')}


def test_keys_that_nobody_would_read_are_refused() -> None:
    """A misspelt key of Pulumi's own, and a misspelt name of the project; a provider's namespace is its own affair."""
    document = {
        "cofnig": {},
        "encryptionsalt": "v1:x",
        "config": {"observabilty:loki": {"memory": "1GiB"}, "observability:system": "plue", "aws:region": "eu-west-1"},
    }
    assert [str(problem) for problem in check_document(document, "Pulumi.x.yaml")] == [
        "Pulumi.x.yaml: cofnig: is no key of such a file; did you mean 'config'?",
        "Pulumi.x.yaml: observabilty:loki: belongs to a program called 'observabilty';"
        " did you mean 'observability:loki'?",
    ]


@pytest.mark.parametrize(("model", "given"), [(DockerSettings, DOCKER), (KubernetesSettings, KUBERNETES)])
def test_no_key_is_missing_in_the_examples(model: type[Strict], given: dict[str, Any]) -> None:
    """The sections below use every key there is, so that a new one is tried by each command as well.

    Certificates are for an engine that is reached by tcp, and this one is reached by ssh.
    """
    assert {field.alias or name for name, field in model.model_fields.items()} - given.keys() <= {"certPath"}


def test_every_key_of_a_cluster_is_read(tmp_path: Path) -> None:
    """Lists and nested sections are too, by those who need all settings and by those who need the place alone."""
    folder = written(tmp_path, stack_file("kubernetes"))
    result = read_settings(folder, "x")
    assert result.kubernetes.image_pull_secrets == ("registry-login",)
    assert result.kubernetes.tolerations[0].value == "monitoring"
    assert read_location(folder, "x") == build_location(result)
    assert build_location(result).kubernetes == result.kubernetes and build_location(result).target == "kubernetes"


def test_every_key_of_an_engine_is_read(tmp_path: Path) -> None:
    """Arguments of ssh and logins are lists."""
    folder = written(tmp_path, stack_file("docker"))
    result = read_settings(folder, "x")
    assert result.docker.ssh_options == ("-i", "key") and result.docker.registry_logins[0].username == "u"
    assert read_location(folder, "x") == build_location(result)


@pytest.mark.parametrize(
    ("prometheus", "operator"),
    [
        ("operator", Operator()),
        ({"mode": "operator", "operator": {"namespace": "watch"}}, Operator(namespace="watch")),
        ({"retention": "1d"}, None),
    ],
)
def test_an_operator_is_part_of_the_place(tmp_path: Path, prometheus: Any, operator: Operator | None) -> None:
    """As a word and as a section; a Prometheus of our own is none."""
    folder = written(tmp_path, stack_file("kubernetes", prometheus=prometheus))
    assert build_location(read_settings(folder, "x")).operator == operator


def test_the_place_is_known_although_the_rest_is_wrong(tmp_path: Path) -> None:
    """A stack can be removed while its other settings are broken and its system has no file."""
    wrong = stack_file("kubernetes", system="Nowhere", scrapeInterval="often", prometheus={"retentoin": 1}, typo=1)
    folder = written(tmp_path, wrong)
    assert read_location(folder, "x").kubernetes.namespace == "watch"
    with pytest.raises(ConfigError, match=r"3 problems[\s\S]*scrapeInterval"):
        read_settings(folder, "x")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("config: [", "Pulumi.x.yaml: line 1"),
        ("- a", "Pulumi.x.yaml: must be a mapping"),
        ("config: [a]", "Pulumi.x.yaml: must be a mapping"),
        ("config: {'observability:target': dockr}", "Pulumi.x.yaml: target: .dockr. is not known; did you mean 'dock"),
        (
            "config: {'observability:kubernetes': {contxt: a}}",
            "kubernetes.contxt: unknown key .*did you mean 'context'",
        ),
        ("config: {'observability:kubernetes': {tolerations: 1}}", "kubernetes.tolerations: 1: must be a list"),
    ],
)
def test_a_file_that_says_no_place_is_refused(tmp_path: Path, text: str, says: str) -> None:
    """In words, with the place: never by a stack trace."""
    with pytest.raises(ConfigError, match=says):
        read_location(written(tmp_path, text), "x")


@pytest.mark.parametrize("text", ["", "config:\n", "encryptionsalt: v1:x\n"])
def test_an_empty_file_is_a_stack_on_this_machine(tmp_path: Path, text: str) -> None:
    """Its place is the local engine."""
    assert read_location(written(tmp_path, text), "x").target == "docker"
