"""Proof that running pods took their documents, against an API that tells what a test wants it to tell."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes.client.exceptions import ApiException  # type: ignore[import-untyped]

from model.settings import KubernetesSettings
from model.workload import ConfigDir
from targets.kubernetes import delivery
from targets.kubernetes.delivery import Cluster, DeliveryError, parse_delivery_log

CONFIG = ConfigDir(path="/etc/x", files={"x.yml": "1"})
REVISION = CONFIG.compute_revision()


class Api:
    """A core API with pods, whose logs come one after the other."""

    def __init__(self, *logs: str, phase: str = "Running", annotations: dict[str, str] | None = None) -> None:
        self.logs, self.patched = list(logs), 0
        meta = SimpleNamespace(name="p-0", namespace="n", annotations=annotations, deletion_timestamp=None)
        self.pods = [SimpleNamespace(metadata=meta, status=SimpleNamespace(phase=phase))]

    def list_namespaced_pod(self, namespace: str, label_selector: str) -> Any:
        """The pods."""
        assert label_selector == "io.observability.stack=dev,io.observability.workload=x"
        return SimpleNamespace(items=self.pods)

    def patch_namespaced_pod(self, name: str, namespace: str, change: Any) -> None:
        """Counts."""
        self.patched += 1

    def read_namespaced_pod_log(self, name: str, namespace: str, container: str, **options: Any) -> Any:
        """The next log; the last one again and again."""
        text = self.logs.pop(0) if len(self.logs) > 1 else self.logs[0]
        if text == "gone":
            raise ApiException(status=404)
        return SimpleNamespace(data=text.encode())


def prove(api: Api) -> None:
    """Asks the cluster."""
    cluster = Cluster(KubernetesSettings())
    cluster._api = api
    asyncio.run(cluster.wait_until_applied("dev", "n", "x", CONFIG))


def test_it_waits_until_the_pod_says_so() -> None:
    """The pod is told to look, and its word on an older revision is not taken."""
    api = Api("@ older 0", f"@ older 0\nx: live\n@ {REVISION} 0")
    prove(api)
    assert api.patched == 1


def test_it_waits_for_the_secrets_too() -> None:
    """Documents with other secrets are another delivery; its mark is in the pod's word."""
    cluster, api = Cluster(KubernetesSettings()), Api(f"@ {REVISION} 0", f"@ {REVISION}-a 0", f"@ {REVISION}-b 0")
    cluster._api = api
    asyncio.run(cluster.wait_until_applied("dev", "n", "x", CONFIG, "b"))
    assert len(api.logs) == 1


def test_a_pod_that_was_told_is_not_told_again() -> None:
    """A second run changes nothing."""
    api = Api(f"@ {REVISION} 0", annotations={"io.observability/revision": REVISION})
    prove(api)
    assert api.patched == 0


def test_a_refusal_ends_the_run_with_the_process_words() -> None:
    """The message has what the process said, and not what it said before."""
    with pytest.raises(DeliveryError, match="no such field") as error:
        prove(Api(f"x: fine\n@ older 0\nx: REFUSED\n    no such field\n@ {REVISION} 1"))
    assert "fine" not in str(error.value)


@pytest.mark.parametrize("api", [Api("gone"), Api("", phase="Pending")], ids=["gone", "pending"])
def test_pods_that_do_not_run_are_not_waited_for(api: Api) -> None:
    """They read the new documents at their start."""
    prove(api)


def test_silence_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pod that never says anything is named."""
    monkeypatch.setattr(delivery, "_SYNC_SECONDS", 0)
    with pytest.raises(DeliveryError, match="p-0 did not take revision"):
        prove(Api("@ older 0"))


def test_an_unfinished_delivery_has_no_outcome() -> None:
    """Only the closing line of a delivery counts."""
    assert parse_delivery_log("x: starting", REVISION) == (None, "")
    assert parse_delivery_log("x: starting\n@ other 1", REVISION) == (None, "")
    assert parse_delivery_log(f"a\n@ {REVISION} 0", REVISION) == (True, "a")
