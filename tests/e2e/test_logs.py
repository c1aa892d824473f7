"""From a container's output to a query's answer."""

from __future__ import annotations

import time
import uuid

from tests.support.running import RunningStack
from tests.support.waiting import eventually


def test_line_is_found_within_ten_seconds(stack: RunningStack) -> None:
    """A line that the demo writes is in Loki as {job="containerlogs"} within 10 seconds."""
    marker = uuid.uuid4().hex
    began = time.monotonic()
    stack.http("api", 4000, "POST", "/demo/logs", {"msg": f"marker {marker}", "level": "info"})
    eventually(lambda: stack.loki(f'{{job="containerlogs"}} |= "{marker}"'), timeout=10, what="the marker in Loki")
    print(f"log line to query: {time.monotonic() - began:.1f} s (limit 10 s)")


def test_errors_are_found_by_text(stack: RunningStack) -> None:
    """`|= "error"` finds an error line."""
    marker = uuid.uuid4().hex
    stack.http("api", 4000, "POST", "/demo/logs", {"msg": f"error {marker}", "level": "error"})
    query = f'{{job="containerlogs"}} |= "error" |= "{marker}"'
    eventually(lambda: stack.loki(query), timeout=10, what="the error line")


def test_level_is_a_label_and_request_id_is_not(stack: RunningStack) -> None:
    """Index labels have few values: level is one, request_id and trace_id are not."""
    names = stack.get("loki", "http://127.0.0.1:3100/loki/api/v1/labels")["data"]
    assert "level" in names and "container" in names
    assert not {"request_id", "trace_id", "user_id"} & set(names)


def test_every_container_of_the_stack_is_collected(stack: RunningStack) -> None:
    """Lines of services that write some for sure are in Loki under their containers' names."""
    wanted = {stack.container_name(name) for name in ("api", "web", "postgres")}

    def collected() -> bool:
        names = stack.get("loki", "http://127.0.0.1:3100/loki/api/v1/label/container/values")["data"]
        assert wanted <= set(names), wanted - set(names)
        return True

    eventually(collected, timeout=60, what="lines of each")
