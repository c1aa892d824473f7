"""What others have in a namespace that is to go."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes.client.exceptions import ApiException  # type: ignore[import-untyped]  # it publishes no types

from targets.kubernetes.strangers import KINDS, list_strangers

OURS = {"labels": {"io.observability.stack": "dev"}}
HOME = {"/api/v1/namespaces/monitoring-dev": OURS}
PODS, SECRETS = "/api/v1/namespaces/monitoring-dev/pods", "/api/v1/namespaces/monitoring-dev/secrets"
MAPS = "/api/v1/namespaces/monitoring-dev/configmaps"


class Api:
    """A cluster with metadata by path: of one object, of a list of them, or a status where it gives none."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers, self.asked = answers, list[str]()

    def call_api(self, path: str, method: str, *, query_params: list[tuple[str, str]], **_: Any) -> Any:
        """A GET; a list comes in pages of one object."""
        assert method == "GET"
        self.asked.append(path)
        found = self.answers.get(path, [] if path.count("/") > 4 else 404)
        if isinstance(found, int):
            raise ApiException(status=found, reason="says the API")
        if isinstance(found, Mapping):
            return SimpleNamespace(data=json.dumps({"metadata": found}))
        page = int(dict(query_params).get("continue", "0"))
        rest = {"continue": str(page + 1)} if page + 1 < len(found) else {}
        items = [{"metadata": each} for each in found[page : page + 1]] or None  # as a real server says none
        return SimpleNamespace(data=json.dumps({"metadata": rest, "items": items}))


def find(answers: Mapping[str, Any]) -> list[str]:
    """What is said of the namespace of the stack dev."""
    return [str(item) for item in list_strangers(Api(answers), "dev", ["monitoring-dev"])]


@pytest.mark.parametrize(
    ("path", "meta", "strange"),
    [
        (PODS, {"name": "debug"}, True),
        (PODS, {"name": "loki-0", **OURS}, False),
        (PODS, {"name": "job-abc", "ownerReferences": [{"kind": "Job"}]}, False),
        (PODS, {"name": "other", "labels": {"io.observability.stack": "prod"}}, True),
        (MAPS, {"name": "notes"}, True),
        (MAPS, {"name": "kube-root-ca.crt"}, False),
        (SECRETS, {"name": "licence", "annotations": {"note": "x"}}, True),
        (SECRETS, {"name": "token", "annotations": {"kubernetes.io/service-account.name": "default"}}, False),
        (SECRETS, {"name": "tls", "annotations": {"cert-manager.io/certificate-name": "entry"}}, False),
    ],
)
def test_what_nobody_makes_again_is_found(path: str, meta: dict[str, Any], strange: bool) -> None:
    """Not what is the stack's, what a controller made for another object, and what each namespace has."""
    kind = {PODS: "Pod", MAPS: "ConfigMap", SECRETS: "Secret"}[path]
    assert find({**HOME, path: [meta]}) == ([f"{kind} {meta['name']} in namespace monitoring-dev"] if strange else [])


def test_all_pages_of_all_kinds_are_read() -> None:
    """Each kind is asked for, and a list to its end."""
    api = Api({**HOME, PODS: [{"name": "a", **OURS}, {"name": "b"}, {"name": "c"}]})
    assert [item.name for item in list_strangers(api, "dev", ["monitoring-dev"])] == ["b", "c"]
    assert len(set(api.asked)) == 1 + sum(map(len, KINDS.values()))


@pytest.mark.parametrize("home", [404, 403, {}, {"labels": {"io.observability.stack": "prod"}}])
def test_a_namespace_of_others_stays(home: Any) -> None:
    """It is not removed, so nothing in it is in danger; one that is not there has nothing."""
    assert find({"/api/v1/namespaces/monitoring-dev": home, PODS: [{"name": "debug"}]}) == []


def test_what_may_not_be_listed_is_left_out() -> None:
    """As the user who may not is still who removes the stack; an API server that fails is an error."""
    assert find({**HOME, SECRETS: 403, PODS: [{"name": "debug"}]}) == ["Pod debug in namespace monitoring-dev"]
    with pytest.raises(ApiException):
        find({**HOME, SECRETS: 500})
