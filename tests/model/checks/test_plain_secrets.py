"""Secrets in clear: every form is refused wherever it stands, its value is never repeated, and lookalikes pass."""

from __future__ import annotations

from typing import Any

import pytest

from cli.render import render_documents
from model.checks.plain_secrets import HIDDEN, hide_secrets, remove_followers
from model.errors import Problem
from tests.support.golden import STACKS, plan_as
from tests.support.refusals.plain_secrets import CANARY, DSN, LOOKALIKES, PAGERDUTY, PLAIN, TOKEN
from tests.support.systems import ROOT
from tests.support.yaml_files import read_yaml_documents

PLACES: dict[str, Any] = {
    "a.b": lambda text: {"a": {"b": text}},
    "a[1].b": lambda text: {"a": ["x", {"b": text}]},
    "a[0][0]": lambda text: {"a": [[text]]},
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", PLAIN)
def test_a_secret_is_refused_wherever_it_stands(name: str, place: str) -> None:
    """One problem with place, kind and remedy, and neither it nor the document has the value any more."""
    text, title = PLAIN[name]
    document = PLACES[place](text)
    clean, (problem,) = hide_secrets(document, "file.yaml")
    assert problem.where == f"file.yaml: {place}"
    assert title in problem.message and "make secret NAME=" in problem.message
    assert CANARY[:12] not in f"{clean}{problem}" and "12345678@" not in str(clean)
    assert text in str(document) or "\n" in text, "what is given is not changed"


@pytest.mark.parametrize("text", LOOKALIKES)
def test_a_lookalike_is_accepted(text: str) -> None:
    """Text without a secret comes back as it is, without a problem."""
    for document in ({"a": text}, [text], {text: 1}):
        assert hide_secrets(document, "file.yaml") == (document, [])


def test_the_form_of_the_text_stays() -> None:
    """Only the secret part is replaced, so that a check of the rest says nothing besides."""
    assert hide_secrets({"a": DSN}, "x")[0] == {"a": "postgres://shop:hidden@db.internal:5432/shop"}


def test_some_values_are_secrets_by_their_key() -> None:
    """32 digits of a PagerDuty key and an AWS key are refused below keys that name them, and elsewhere they are not."""
    aws = (CANARY + "a/+Z")[:40]
    for name, value in {"routingKeySecret": PAGERDUTY, "integration_key": PAGERDUTY, "secretAccessKey": aws}.items():
        (problem,) = hide_secrets({"receivers": [{name: value}]}, "x")[1]
        assert problem.where == f"x: receivers[0].{name}" and value not in str(problem)
        assert not hide_secrets({"revision": value}, "x")[1]


def test_an_aws_key_beside_its_id_is_a_secret() -> None:
    """The id alone is none, nor is a digest beside it."""
    identity, aws = "AKIA" + "IOSFODNN7EXAMPLE", (CANARY + "a/+Z")[:40]
    (problem,) = hide_secrets({"s3": {"accessKeyId": identity, "x": aws}}, "f")[1]
    assert problem.where == "f: s3.x"
    assert not hide_secrets({"s3": {"accessKeyId": identity, "x": "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3"}}, "f")[1]


def test_values_that_are_no_text_stay() -> None:
    """Numbers, nothing and an alias to what contains it come back as they are."""
    loop: list[Any] = [1]
    loop.append(loop)
    assert hide_secrets({"a": 1, 2: None, "c": True}, "x") == ({"a": 1, 2: None, "c": True}, [])
    assert hide_secrets(loop, "x")[1] == []


def test_what_follows_from_a_secret_is_left_out() -> None:
    """The place of a secret has one problem; all others keep theirs."""
    plain, same, other = Problem("f: a", "secret"), Problem("f: a", "wrong type"), Problem("f: b", "wrong")
    assert remove_followers([same, other], [plain]) == [plain, other]


@pytest.mark.parametrize(
    "pattern",
    ["Pulumi*.yaml", "configs/**/*.yaml", "configs/**/*.json", "examples/**/*.yaml"],
)
def test_nothing_that_is_shipped_is_refused(pattern: str) -> None:
    """Stacks, systems, images and schemas have no secret and no lookalike of one."""
    files = list(ROOT.glob(pattern))
    secrets = [
        hide_secrets(item, str(path))[1] for path in files for item in read_yaml_documents(path.read_text("utf-8"))
    ]
    assert files and not any(secrets)


@pytest.mark.parametrize("stack", STACKS)
def test_no_rendered_document_is_refused(stack: str) -> None:
    """What is rendered of a shipped stack has no secret and no lookalike of one."""
    files = {name: text for name, text in render_documents(plan_as(stack, stack)).items() if name.endswith(".yaml")}
    problems = [hide_secrets(item, name)[1] for name, text in files.items() for item in read_yaml_documents(text)]
    assert files and not any(problems)


def test_a_token_in_a_key_is_hidden() -> None:
    """Keys are looked at like values."""
    clean, (problem,) = hide_secrets({"labels": {TOKEN: "x"}}, "f")
    assert clean == {"labels": {"hidden": "x"}} and "a key with a Slack token" in problem.message


@pytest.mark.parametrize(("key", "text"), [("token", "xoxb-" + "a" * 10), ("routingKey", "1" * 32)])
def test_the_shortest_is_found(key: str, text: str) -> None:
    """What is taken for harmless by its length alone is shorter than every credential."""
    clean, problems = hide_secrets({key: text}, "file")
    assert len(problems) == 1 and clean == {key: HIDDEN}
