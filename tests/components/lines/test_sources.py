"""Whose a line is, whatever the platform calls what wrote it."""

from __future__ import annotations

from typing import Any

import pytest

from components.lines.sources import (
    COMPOSE,
    POD,
    build_container_rules,
    build_key_rules,
    build_pod_rules,
)
from model.load import parse_model
from model.service import Service
from tests.support.relabelling import relabel

NAMESPACE = "__meta_kubernetes_namespace"


def services(**given: dict[str, Any]) -> dict[str, Service]:
    """Services by key, with what a test says of them."""
    return {key: parse_model(Service, {"port": 80, **said}, key) for key, said in given.items()}


def whose(rules: list[dict[str, Any]], **labels: str) -> str:
    """The label `service` that a target with these labels has after the rules."""
    made = relabel(rules, labels)
    assert made is not None
    return made["service"]


def called(made: dict[str, Service], name: str) -> str:
    """Whose the lines of a container are that is called so."""
    return whose(build_container_rules(made), service=name, container=name)


@pytest.mark.parametrize(
    ("said", "container", "service"),
    [
        ({}, "user_service", "user_service"),
        ({}, "user-service", "user_service"),
        ({}, "User_Service", "user_service"),
        ({}, "user-service-2", "user-service-2"),
        ({"address": "shop_users:80"}, "shop_users", "user_service"),
        ({"address": "10.0.0.5:80"}, "10.0.0.5", "10.0.0.5"),
        ({"address": "users.example.com:80"}, "users", "users"),
        ({"logs": {"container": "legacy.users"}}, "legacy.users", "user_service"),
        ({"logs": {"container": "legacy.users"}}, "user-service", "user-service"),
    ],
)
def test_a_container_is_its_service(said: dict[str, Any], container: str, service: str) -> None:
    """Lines and metrics have one label, whatever compose or docker call the container."""
    assert called(services(user_service=said), container) == service


def test_a_shared_host_is_nobodys_name() -> None:
    """Two services of one address, or an address that is another service's name, say nothing of a container."""
    made = services(
        a={"address": "node:1"}, b={"address": "node:2"}, c={"address": "a:3"}, d={"addresses": ["d1:1", "d2:1"]}
    )
    assert [called(made, name) for name in ("node", "a", "d1", "d2")] == ["node", "a", "d", "d"]


def test_names_may_be_exchanged() -> None:
    """A container that is called like another service is whose it is said to be, in whatever order services stand."""
    one, two = {"logs": {"container": "jobs"}}, {"logs": {"container": "worker"}}
    for made in (services(worker=one, api=two), services(api=two, worker=one)):
        assert (called(made, "worker"), called(made, "jobs")) == ("api", "worker")


@pytest.mark.parametrize(
    ("source", "project", "compose", "service"),
    [
        ("backend", "shop", "backend", "api"),
        ("backend", "any", "backend", "api"),
        ("shop/backend", "shop", "backend", "api"),
        ("shop/backend", "depot", "backend", "backend"),
        ("backend", "shop", "Backend", "Backend"),
        ("back.end", "shop", "backxend", "backxend"),
    ],
)
def test_a_compose_service_is_a_service(source: str, project: str, compose: str, service: str) -> None:
    """By the name that compose has, of any project or of one, however its containers are called."""
    made = services(api={"logs": {"compose": source}})
    labels = {"service": compose, "container": f"{project}-x-1", f"{COMPOSE}project": project}
    assert whose(build_container_rules(made), **labels, **{f"{COMPOSE}service": compose}) == service


def test_the_service_of_one_project_comes_before_that_of_any() -> None:
    """The narrower name holds, and a service that says nothing has none of its lines."""
    made = services(one={"logs": {"compose": "shop/web"}}, other={"logs": {"compose": "web"}})
    for project, service in (("shop", "one"), ("depot", "other")):
        labels = {"service": "web", f"{COMPOSE}project": project, f"{COMPOSE}service": "web"}
        assert whose(build_container_rules(made), **labels) == service


def test_a_pod_is_its_service() -> None:
    """Lines of the pods that are scraped have the service's own name, and pods of other namespaces have not."""
    rules = build_pod_rules(
        services(api={"kubernetes": {"namespace": "shop", "selector": {"app.x/name": "shop-api", "1x": "y"}}})
    )
    labels = {"service": "main", f"{POD}label_app_x_name": "shop-api", f"{POD}label_1x": "y"}
    assert whose(rules, **labels, **{NAMESPACE: "shop"}) == "api"
    assert whose(rules, **labels, **{NAMESPACE: "other"}) == "main"


def test_lines_may_come_from_other_pods() -> None:
    """Those that the service says, and no more those that it is scraped from."""
    scraped = {"namespace": "shop", "selector": {"app": "exporter"}}
    made = services(api={"kubernetes": scraped, "logs": {"selector": {"namespace": "jobs", "labels": {"app": "api"}}}})
    rules = build_pod_rules(made)
    assert whose(rules, service="main", **{NAMESPACE: "jobs", f"{POD}label_app": "api"}) == "api"
    assert whose(rules, service="main", **{NAMESPACE: "shop", f"{POD}label_app": "exporter"}) == "main"


def test_a_key_of_underscores_is_known_by_dashes() -> None:
    """As a cluster has no object of the key's own name; other keys need no rule."""
    assert whose(build_key_rules(services(user_service={}, api={})), service="user-service") == "user_service"
    assert build_key_rules(services(api={})) == []
