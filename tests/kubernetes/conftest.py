"""A real cluster, left running for the next test run, and a namespace of its own for each test."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.systems import ROOT
from toolchain import validators
from toolchain.context import build_default_context

WAIT_SECONDS = 60


@dataclass(frozen=True)
class Kubectl:
    """kubectl with the cluster's kubeconfig, in one namespace."""

    program: Path
    kubeconfig: Path
    namespace: str = "default"

    def __call__(self, *words: str, document: object = None) -> str:
        """What kubectl prints; a failure fails the test with kubectl's own words."""
        done = self.attempt(*words, document=document)
        assert done.returncode == 0, f"kubectl {' '.join(words)}: {done.stderr}"
        return done.stdout

    def attempt(self, *words: str, document: object = None) -> subprocess.CompletedProcess[str]:
        """The same, for what may fail; `document` goes to standard input."""
        command = [str(self.program), f"--kubeconfig={self.kubeconfig}", f"--namespace={self.namespace}", *words]
        text = None if document is None else json.dumps(document)
        return subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=120)

    def get(self, *words: str) -> dict[str, Any]:
        """An object or a list of them."""
        found = json.loads(self("get", *words, "--output=json"))
        assert isinstance(found, dict)
        return found

    def apply(self, document: object) -> None:
        """Apply an object."""
        self("apply", "--filename=-", document=document)


@pytest.fixture(scope="session")
def kubeconfig() -> Path:
    """The cluster's kubeconfig; the cluster is started, and its images are brought up to date."""
    command = [sys.executable, "-m", "toolchain", "cluster"]
    return Path(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.strip())


@pytest.fixture
def kubectl(kubeconfig: Path) -> Iterator[Kubectl]:
    """kubectl in a fresh namespace that enforces the strictest Pod Security level."""
    program = validators.ensure_validator(build_default_context(), "kubectl", pinned=True)
    name = f"test-{uuid.uuid4().hex[:8]}"
    everywhere = Kubectl(program, kubeconfig)
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    everywhere.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    yield Kubectl(program, kubeconfig, name)
    everywhere("delete", "namespace", name, "--wait=false")
