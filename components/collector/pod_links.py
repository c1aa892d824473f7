"""Keeps a folder with a link for each container of the pods of a node.

A program of its own, delivered as a document. A link is called NAMESPACE_POD_UID/SERVICE,APP,CONTAINER,ID, as a kubelet
calls the folder that it leads to and as the rules of relabelling in the document beside it say.
API: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import queue
import ssl
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from components.collector.link_folder import Link, Links, join_name, read_document, relabel, run, sanitize_labels

POD = "__meta_kubernetes_pod_"
CONFIG_HASH = "kubernetes.io/config.hash"
"""A kubelet names the folder of a pod of its own by this annotation, as the API has another uid for the pod."""
ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
WATCH_SECONDS = 55
"""After which the server ends a watch that is then begun anew: so it is known that nothing has changed."""
Pod = Mapping[str, Any]


class TooOldError(ValueError):
    """What has changed since a version is not known any more: all has to be listed again."""


class Api:
    """The API server, as a service account asks it; without the account it is asked in plain HTTP."""

    def __init__(self, address: str, account: Path | None = None) -> None:
        """`address` is host:port, and `account` the folder with the token and the authority's certificate."""
        self.address, self.account = address, account

    @contextmanager
    def get(self, path: str) -> Iterator[http.client.HTTPResponse]:
        """What the server answers.

        Raises:
            OSError: it does not answer.
            ValueError: it refuses.
        """
        headers = {"Accept": "application/json"}
        connection = http.client.HTTPConnection(self.address, timeout=WATCH_SECONDS + 30)
        if self.account:
            trusted = ssl.create_default_context(cafile=str(self.account / "ca.crt"))
            connection = http.client.HTTPSConnection(self.address, timeout=WATCH_SECONDS + 30, context=trusted)
            # it is replaced before it expires, so it is read each time
            headers["Authorization"] = f"Bearer {(self.account / 'token').read_text(encoding='utf-8').strip()}"
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            if answer.status == http.HTTPStatus.GONE:
                raise TooOldError(path)
            if answer.status != http.HTTPStatus.OK:
                raise ValueError(f"{path}: the API server answers {answer.status}")
            yield answer
        finally:
            connection.close()


def trim_pod(pod: Pod) -> Pod:
    """What is asked of a pod later: all of it is ten times as much, and a node has hundreds."""
    meta, spec, status = pod["metadata"], pod["spec"], pod.get("status", {})
    chosen = ("namespace", "name", "uid", "labels", "annotations")
    return {
        "metadata": {key: meta[key] for key in chosen if key in meta},
        "spec": {
            kind: [{"name": each["name"]} for each in spec.get(kind, ())] for kind in ("containers", "initContainers")
        },
        "status": {
            kind: [{"name": each["name"], "state": each.get("state", {})} for each in status.get(kind, ())]
            for kind in ("containerStatuses", "initContainerStatuses")
        },
    }


def list_containers(pod: Pod) -> Iterator[dict[str, str]]:
    """The containers of a pod as service discovery has them, but for what no rule asks for.

    Source: https://prometheus.io/docs/prometheus/latest/configuration/configuration/#pod
    """
    meta, spec = pod["metadata"], pod["spec"]
    own = {"__meta_kubernetes_namespace": meta["namespace"], f"{POD}name": meta["name"], f"{POD}uid": meta["uid"]}
    own |= sanitize_labels(POD, meta.get("labels"))
    for container in (*spec["containers"], *spec.get("initContainers", ())):
        yield {**own, f"{POD}container_name": container["name"]}


def name_folder(pod: Pod) -> str:
    """The folder of a pod's files: `NAMESPACE_POD_UID`."""
    meta = pod["metadata"]
    return f"{meta['namespace']}_{meta['name']}_{(meta.get('annotations') or {}).get(CONFIG_HASH) or meta['uid']}"


def list_running(pod: Pod) -> set[str]:
    """The names of the containers that run."""
    status = pod.get("status", {})
    every = (*status.get("containerStatuses", ()), *status.get("initContainerStatuses", ()))
    return {each["name"] for each in every if "running" in each.get("state", {})}


def can_read(folder: Path) -> bool:
    """Whether there is a file of a container that can be read."""
    return any(os.access(path, os.R_OK) for path in folder.glob("*.log"))


class PodLinks(Links):
    """Links to the containers of a node's pods."""

    depth = 2

    def __init__(self, folder: Path, document: Mapping[str, Any], api: Api, node: str) -> None:
        """`document` has the folder of all pods, and `node` is the name of the node that they are on."""
        super().__init__(folder, document)
        self.api, self.node = api, node
        self._pods: dict[str, Pod] | None = None
        self._version = ""
        self._answered = 0.0
        self._lock = threading.Lock()

    def _build_path(self, **more: str) -> str:
        return f"/api/v1/pods?{urlencode({'fieldSelector': f'spec.nodeName={self.node}', **more})}"

    def list_pods(self) -> None:
        """Learns which pods there are, from what the server has in memory."""
        with self.api.get(self._build_path(resourceVersion="0")) as answer:
            listed = json.loads(answer.read())
        with self._lock:
            self._pods = {pod["metadata"]["uid"]: trim_pod(pod) for pod in listed["items"]}
            self._version, self._answered = listed["metadata"]["resourceVersion"], time.time()

    def list_links(self) -> Mapping[str, Link]:
        """A link for each container, also of pods that have ended and are not deleted."""
        if self._pods is None:
            self.list_pods()
        with self._lock:
            pods = [*(self._pods or {}).values()]
        wanted, missing = dict[str, Link](), dict[str, str]()
        for pod in pods:
            folder, running = name_folder(pod), list_running(pod)
            for container in list_containers(pod):
                name = container[f"{POD}container_name"]
                target = Path(self.document["pods"]) / folder / name
                identity = hashlib.sha256(f"{folder}/{name}".encode()).hexdigest()[:12]
                labels = relabel(self.document["rules"], container)
                parts = [labels.get(key, "") for key in ("service", "app", "container")]
                wanted[identity] = Link(f"{folder}/{join_name(parts, identity)}", target)
                if name in running and not can_read(target):
                    missing["/".join((pod["metadata"]["namespace"], pod["metadata"]["name"], name))] = str(target)
        self.missing = missing
        return wanted

    def find_listed(self, now: float) -> float:
        """When the server has answered last: it says by itself what changes."""
        return self._answered

    def follow(self, woken: queue.SimpleQueue[None]) -> None:
        """Lists all pods, then takes each change, for as long as the server knows what has changed."""
        self.list_pods()
        woken.put(None)
        try:
            while True:
                self.watch(woken)
        except TooOldError:
            return

    def watch(self, woken: queue.SimpleQueue[None]) -> None:
        """Takes changes until the server ends it.

        Raises:
            TooOldError: all has to be listed again.
        """
        more = {"watch": "1", "allowWatchBookmarks": "true", "timeoutSeconds": str(WATCH_SECONDS)}
        with self.api.get(self._build_path(resourceVersion=self._version, **more)) as answer:
            while line := answer.readline():
                if self._take(json.loads(line)):
                    woken.put(None)
        self._answered = time.time()

    def _take(self, event: Mapping[str, Any]) -> bool:
        """Whether an event changes a pod."""
        kind, about = str(event["type"]), event["object"]
        if kind == "ERROR":
            if about.get("code") == http.HTTPStatus.GONE:
                raise TooOldError(about.get("message", ""))
            raise ValueError(f"the API server says {about.get('message')}")
        with self._lock:
            self._version, self._answered = about["metadata"]["resourceVersion"], time.time()
            pods = self._pods if self._pods is not None else {}
            if kind == "DELETED":
                pods.pop(about["metadata"]["uid"], None)
            elif kind != "BOOKMARK":
                pods[about["metadata"]["uid"]] = trim_pod(about)
            self._pods = pods
        return kind != "BOOKMARK"


def main(arguments: list[str]) -> int:
    """`check DOCUMENT`, or `run DOCUMENT FOLDER PORT`; the platform says where its API and this node are."""
    document = read_document(arguments[1])
    if arguments[0] == "check":
        return 0
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    api = Api(f"[{host}]:{port}" if ":" in host else f"{host}:{port}", ACCOUNT)
    return run(PodLinks(Path(arguments[2]), document, api, os.environ["NODE_NAME"]), arguments[3])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
