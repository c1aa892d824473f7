"""Programs outside of the stack, with credentials of their own: one pushes log lines, another one reads metrics."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from urllib.parse import quote

import pytest

from cli.render import plan_file
from tests.support.running import RunningStack
from tests.support.waiting import eventually


def call(stack: RunningStack, path: str, machine: str, body: object = None) -> str:
    """What the entry point answers to a machine; by POST where there is a body.

    Raises:
        RuntimeError: it refuses; the message has the status.
    """
    host = plan_file(stack.stack_file, stack.name).settings.host
    login = b64encode(f"{machine}:{stack.password(f'access-{machine}-password')}".encode()).decode()
    heads = [f"--header='Host: {host}'", f"--header='Authorization: Basic {login}'"]
    if body is not None:
        text = json.dumps(body).replace("'", "'\\''")
        heads += ["--header='Content-Type: application/json'", f"--post-data='{text}'"]
    return stack.sh("traefik", f"/tools/busybox wget -q -O - {' '.join(heads)} 'http://127.0.0.1:8080{path}' 2>&1")


def test_a_machine_pushes_lines(stack: RunningStack) -> None:
    """What it pushes is found in Loki under its labels; it may do nothing else."""
    stamp = time.time_ns()
    lines = {"streams": [{"stream": {"service": "outside"}, "values": [[str(stamp), f"from outside {stamp}"]]}]}
    call(stack, "/loki/api/v1/push", "shipper", lines)
    eventually(lambda: stack.loki(f'{{service="outside"}} |= "{stamp}"'), timeout=30, what="the line")
    with pytest.raises(RuntimeError, match="401"):
        call(stack, "/loki/api/v1/push", "reader", lines)
    with pytest.raises(RuntimeError, match="401"):
        call(stack, "/loki/api/v1/labels", "shipper")


def test_a_machine_federates(stack: RunningStack) -> None:
    """Another Prometheus reads series by federation, with their labels; nobody else does, and it reads nothing else."""
    path = "/prometheus/federate?match[]=" + quote('up{service="prometheus"}')
    text = call(stack, path, "reader")
    assert "up{" in text and 'service="prometheus"' in text and 'environment="' in text, text
    with pytest.raises(RuntimeError, match="401"):
        call(stack, path, "shipper")
    with pytest.raises(RuntimeError, match="401"):
        call(stack, "/prometheus/api/v1/query?query=up", "reader")
