"""The cluster's storage class: a directory for each claim, made, grown and removed as a provisioner does."""

from __future__ import annotations

import re
import shutil
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal

from toolchain.cluster.api import Api, Document
from toolchain.cluster.layout import PROVISIONER, STORAGE_CLASS

POLL_SECONDS = 0.5
"""A claim is bound within a second; two small lists each time cost the API server nothing."""
_ANY_NODE = {"key": "kubernetes.io/hostname", "operator": "Exists"}
_VOLUMES = "/api/v1/persistentvolumes"
_SUFFIXES = {"k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


@dataclass(frozen=True)
class Step:
    """One thing to do for a claim or a volume."""

    what: Literal["provision", "grow", "remove"]
    subject: Document


def parse_quantity(quantity: str) -> Decimal:
    """A quantity such as 10Gi in bytes (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/)."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([A-Za-z]{0,2})", quantity)
    if match is None or (match[2] and match[2] not in _SUFFIXES):
        raise ValueError(f"{quantity!r} is no size")
    return Decimal(match[1]) * _SUFFIXES.get(match[2], 1)


def name_volume(claim: Document) -> str:
    """The volume's name, as provisioners give it: one for each claim that ever was."""
    return f"pvc-{claim['metadata']['uid']}"


def plan_steps(claims: Iterable[Document], volumes: Iterable[Document]) -> list[Step]:
    """What is to be done so that every claim of the class has its volume, of its size, and no volume is left over."""
    ours = {v["metadata"]["name"]: v for v in volumes if v["spec"].get("storageClassName") == STORAGE_CLASS}
    todo = []
    for claim in claims:
        if claim["spec"].get("storageClassName") != STORAGE_CLASS or "deletionTimestamp" in claim["metadata"]:
            continue
        if name_volume(claim) not in ours and not claim["spec"].get("volumeName"):
            todo.append(Step("provision", claim))
        elif _has_grown(claim):
            todo.append(Step("grow", claim))
    return todo + [Step("remove", v) for v in ours.values() if v.get("status", {}).get("phase") == "Released"]


def _has_grown(claim: Document) -> bool:
    capacity = claim.get("status", {}).get("capacity", {}).get("storage")
    return capacity is not None and parse_quantity(read_requested_size(claim)) > parse_quantity(capacity)


def read_requested_size(claim: Document) -> str:
    """The size that the claim asks for."""
    return str(claim["spec"]["resources"]["requests"]["storage"])


def build_volume(claim: Document, directory: Path) -> Document:
    """The volume for a claim, bound to it alone: a directory that every node finds, as it would find a network's.

    Of the kind `local`, as the kubelet measures those, and no hostPath:
    https://kubernetes.io/docs/concepts/storage/volumes/#local.
    """
    meta = claim["metadata"]
    name = name_volume(claim)
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": {"pv.kubernetes.io/provisioned-by": PROVISIONER}},
        "spec": {
            "capacity": {"storage": read_requested_size(claim)},
            "accessModes": claim["spec"]["accessModes"],
            "storageClassName": STORAGE_CLASS,
            "persistentVolumeReclaimPolicy": "Delete",
            "local": {"path": str(directory / name)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [_ANY_NODE]}]}},
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                **{key: meta[key] for key in ("name", "namespace", "uid")},
            },
        },
    }


@dataclass(frozen=True)
class Provisioner:
    """Does the steps: in the API, and in `directory`."""

    api: Api
    directory: Path

    def run_once(self) -> None:
        """Do all that is to be done now. Raises OSError."""
        claims = self.api.list_items("/api/v1/persistentvolumeclaims")
        for step in plan_steps(claims, self.api.list_items(_VOLUMES)):
            {"provision": self._provision, "grow": self._grow, "remove": self._remove}[step.what](step.subject)

    def run_forever(self) -> None:
        """Do it again and again; a failure is told in the log and tried again."""
        while True:
            try:
                self.run_once()
            except (OSError, ValueError) as error:
                print(f"storage: {error}", file=sys.stderr, flush=True)
            time.sleep(POLL_SECONDS)

    def _provision(self, claim: Document) -> None:
        directory = self.directory / name_volume(claim)
        directory.mkdir(parents=True, exist_ok=True)
        # A pod without a group of its own (fsGroup) is not given the volume, so any user has to be able to write.
        directory.chmod(0o777)
        self.api.create(_VOLUMES, build_volume(claim, self.directory))

    def _grow(self, claim: Document) -> None:
        capacity = {"capacity": {"storage": read_requested_size(claim)}}
        meta = claim["metadata"]
        self.api.patch(f"{_VOLUMES}/{claim['spec']['volumeName']}", {"spec": capacity})
        path = f"/api/v1/namespaces/{meta['namespace']}/persistentvolumeclaims/{meta['name']}/status"
        self.api.patch(path, {"status": capacity})

    def _remove(self, volume: Document) -> None:
        name = volume["metadata"]["name"]
        shutil.rmtree(self.directory / name, ignore_errors=True)
        self.api.delete(f"{_VOLUMES}/{name}")
