"""Loki in parts that share a bucket, on a cluster: written, read back, flushed, and nothing lost with an instance."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator

import pytest

from tests.e2e.test_no_change import unchanged
from tests.support.buckets import BucketServer
from tests.support.clusters import ClusterStack, start_cluster
from tests.support.waiting import eventually

KEY_ID, SECRET_KEY = "observability", "canary/5f1e+b2"
PARTS = {"loki-write": 3, "loki-read": 2, "loki-backend": 2}
API = "http://127.0.0.1:3100"
TRAEFIK = "http://127.0.0.1:8080/loki/api/v1"
STREAMS = 20
"""So many that without copies some would surely be on the one of three writers that is lost."""


@pytest.fixture(scope="module")
def bucket() -> Iterator[BucketServer]:
    """A bucket that the cluster's pods reach."""
    server = BucketServer("lines", KEY_ID, SECRET_KEY, start_cluster())
    yield server
    server.close()


@pytest.fixture(scope="module")
def stack(bucket: BucketServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterStack]:
    """A stack whose Loki runs in parts, and whose Grafana keeps its data elsewhere."""
    own = ClusterStack(tmp_path_factory.mktemp("scaled"), "e2e-scaled", start_cluster(), ports=28300)
    own.logs_reader = "loki-read"
    s3 = {"bucket": "lines", "endpoint": bucket.endpoint, "accessKeyId": KEY_ID, "insecure": True}
    own.edit_settings(
        lambda config: config.update(
            loki={"mode": "simpleScalable", "storage": {"s3": s3}},
            grafana={"replicas": 2, "database": {"type": "postgres", "host": "database.example.com:5432"}},
            prometheus={"evaluationInterval": "5s"},
            alertmanager={},
            access={"machines": [{"name": "shipper", "may": ["push"]}]},
        )
    )
    own.secret("loki-s3-secret-key", SECRET_KEY)
    own.secret("grafana-database-password", "unused")
    try:
        own.first_up = own.up()
        yield own
    finally:
        own.run("down", "--purge")


def written(stack: ClusterStack, marker: str, *numbers: int) -> None:
    """Has a service of the demo write a line for each number."""
    for number in numbers:
        stack.http("api", 4000, "POST", "/demo/logs", {"msg": f"{marker} {number}.", "level": "info"})


def found(stack: ClusterStack, marker: str) -> list[int]:
    """The numbers of the lines that a query finds, sorted."""
    lines = stack.loki(f'{{job="containerlogs", app="api"}} |= "{marker}"')
    return sorted(int(line.split(f"{marker} ")[1].split(".")[0]) for line in lines)


def pushed(stack: ClusterStack, marker: str, streams: int) -> None:
    """Pushes a line to each of many streams, by way of Traefik."""
    line = [str(time.time_ns()), marker]
    body = {"streams": [{"stream": {"job": "by-hand", "n": str(n)}, "values": [line]} for n in range(streams)]}
    header = "--header 'Content-Type: application/json'"
    where = TRAEFIK.replace("//", f"//shipper:{stack.password('access-shipper-password')}@")
    stack.sh("traefik", f"/tools/busybox wget -q -O - {header} --post-data '{json.dumps(body)}' {where}/push")


def runs(stack: ClusterStack, name: str) -> bool:
    """Whether the main container of a pod has begun."""
    try:
        states = stack.pod_named(name).status.container_statuses or []
    except LookupError:
        return False
    return any(state.state.running for state in states)


def test_every_part_is_ready_and_scraped(stack: ClusterStack) -> None:
    """As many instances as are wanted, each a target that is up; what keeps nothing has no volume."""
    assert {name: len(stack.ready(name)) for name in PARTS} == PARTS

    def up() -> dict[str, int]:
        series = stack.prom('sum by (service) (up{service=~"loki-.+"})')
        return {item["metric"]["service"]: int(item["value"][1]) for item in series}

    eventually(lambda: up() == PARTS, timeout=60, what="every instance is up")
    claims = stack.api.list_namespaced_persistent_volume_claim(stack.namespace).items
    assert sorted(claim.metadata.name for claim in claims if "loki" in claim.metadata.name) == [
        "loki-backend-data-loki-backend-0",
        "loki-backend-data-loki-backend-1",
        *(f"loki-write-data-loki-write-{number}" for number in range(3)),
    ]
    assert len(stack.ready("grafana")) == 2
    assert not [claim.metadata.name for claim in claims if "grafana" in claim.metadata.name]


def test_parts_know_each_other(stack: ClusterStack) -> None:
    """Whoever is asked counts three active writers; one of the rest alone compacts."""
    for part in PARTS:
        series = stack.prom(f'loki_ring_members{{service="{part}", name="ingester", state="ACTIVE"}}')
        assert {item["value"][1] for item in series} <= {"3"}
    assert stack.prom('loki_ring_members{service="loki-write", name="ingester", state="ACTIVE"}')
    running = eventually(lambda: stack.prom("sum(loki_boltdb_shipper_compactor_running)"), timeout=60, what="compactor")
    assert running[0]["value"][1] == "1"


def test_a_line_is_read_back(stack: ClusterStack) -> None:
    """Promtail sends it to what writes, and what reads finds it, once."""
    marker, began = uuid.uuid4().hex, time.monotonic()
    written(stack, marker, 1)
    eventually(lambda: found(stack, marker) == [1], timeout=20, what="the line")
    print(f"log line to query: {time.monotonic() - began:.1f} s")


def test_chunks_are_in_the_bucket(stack: ClusterStack, bucket: BucketServer) -> None:
    """Once flushed; every request was signed with the key of the file."""
    before = bucket.keys()
    marker = uuid.uuid4().hex
    written(stack, marker, 1)
    eventually(lambda: found(stack, marker) == [1], timeout=20, what="the line")
    for pod in stack.ready("loki-write"):
        stack.sh_in(pod, f"/tools/busybox wget -q -O - --post-data '' {API}/flush")
    new = eventually(lambda: set(bucket.keys()) - set(before), timeout=60, what="objects in the bucket")
    assert [key for key in new if key.startswith("fake/")]
    assert not bucket.refused
    assert found(stack, marker) == [1], "also when it is read from the bucket"


def test_the_secret_key_is_in_no_other_object(stack: ClusterStack) -> None:
    """Neither documents nor pods hold it; the file in a pod does."""
    kinds = "configmaps,pods,statefulsets,deployments"
    text = stack.kubectl("get", kinds, f"--namespace={stack.namespace}", "--output=json").stdout
    assert SECRET_KEY not in text and "AWS_SHARED_CREDENTIALS_FILE" in text
    pod = json.loads(stack.kubectl("get", "pod", f"--namespace={stack.namespace}", "loki-write-0", "-ojson").stdout)
    assert f"= {SECRET_KEY}\n" in stack.sh("loki-write", "/tools/busybox cat /run/secrets/loki-s3-credentials")
    assert pod["spec"]["containers"][0]["args"][-1] == "-target=write"


def test_the_way_through_traefik(stack: ClusterStack) -> None:
    """Pushes, queries and rules each reach the part that knows them, by one address."""
    marker = uuid.uuid4().hex
    pushed(stack, marker, 1)
    eventually(lambda: stack.loki(f'{{job="by-hand"}} |= "{marker}"') == [marker], timeout=20, what="the line")
    where = TRAEFIK.replace("//", f"//admin:{stack.password('access-admin-password')}@")
    assert "by-hand" in stack.get("traefik", f"{where}/label/job/values")["data"]
    with pytest.raises(RuntimeError, match="404"):  # the answer of a ruler that has no rules
        stack.sh("traefik", f"/tools/busybox wget -O - {where}/rules")


def test_limits_change_in_place(stack: ClusterStack) -> None:
    """All parts take a changed limit, and no pod is replaced."""
    before = stack.identities()
    stack.edit_settings(lambda config: config["loki"].update(maxEntriesLimitPerQuery=4999))
    stack.up()
    after = stack.identities()
    assert {name: after[name] for name in before if name.startswith("loki-")} == {
        name: item for name, item in before.items() if name.startswith("loki-")
    }
    for part in PARTS:
        for pod in stack.ready(part):
            assert "4999" in stack.sh_in(pod, "/tools/busybox cat /etc/loki/runtime.yaml")


def test_second_up_changes_nothing(stack: ClusterStack) -> None:
    """Nor does a preview or a refresh show anything."""
    run = stack.up()
    print(f"second make up: {run.seconds:.1f} s")
    assert unchanged(run.text), run.text[-3000:]
    for command in ("preview", "refresh"):
        run = stack.run(command)
        assert run.code == 0 and unchanged(run.text), run.text[-3000:]


def lose(stack: ClusterStack, parts: dict[str, int]) -> None:
    """Kills one instance of each part without a goodbye while lines come in; in the end each line is there."""
    marker = uuid.uuid4().hex
    written(stack, marker, *range(10))
    eventually(lambda: found(stack, marker) == list(range(10)), timeout=20, what="the lines of before")
    pushed(stack, marker, STREAMS)
    held = f'{{job="by-hand"}} |= "{marker}"'
    eventually(lambda: len(stack.loki(held)) == STREAMS, timeout=20, what="all streams")
    gone = {name: stack.ready(name)[0] for name in parts}
    for name, pod in gone.items():
        stack.kill(pod, name)
        stack.api.delete_namespaced_pod(pod.metadata.name, stack.namespace, grace_period_seconds=0)
    began = time.monotonic()
    eventually(lambda: len(stack.loki(held)) == STREAMS, timeout=30, what="queries while they are away")
    print(f"queries after {time.monotonic() - began:.1f} s")
    (writer, *_) = gone.values()
    assert not runs(stack, writer.metadata.name), "what was asked for is on the other writers too"
    written(stack, marker, *range(10, 20))
    for name, pod in gone.items():

        def again(name: str = name, uid: str = pod.metadata.uid) -> bool:
            there = stack.ready(name)
            return len(there) == parts[name] and uid not in {item.metadata.uid for item in there}

        eventually(again, timeout=180, what=f"{name} again")
    eventually(lambda: found(stack, marker) == list(range(20)), timeout=60, what="every line, once")
    assert len(stack.loki(held)) == STREAMS


def test_a_lost_writer_and_a_lost_reader_lose_nothing(stack: ClusterStack) -> None:
    """Queries go on while they are away."""
    lose(stack, {name: PARTS[name] for name in ("loki-write", "loki-read")})


def test_they_become_alike_and_keep_their_lines(stack: ClusterStack) -> None:
    """The way to what Loki 4 has: parts go, instances come and find all in the bucket; nothing is left to change."""
    marker = uuid.uuid4().hex
    written(stack, marker, 1, 2)
    eventually(lambda: found(stack, marker) == [1, 2], timeout=20, what="the lines of before")
    stack.edit_settings(lambda config: config["loki"].update(mode="replicated"))
    stack.up()
    stack.logs_reader = "loki"
    written(stack, marker, 3)
    eventually(lambda: found(stack, marker) == [1, 2, 3], timeout=300, what="the lines of before and after, once")
    assert len(stack.ready("loki")) == 3 and not any(stack.ready(name) for name in PARTS)
    members = 'loki_ring_members{service="loki", name="ingester", state="ACTIVE"}'
    eventually(lambda: {item["value"][1] for item in stack.prom(members)} == {"3"}, timeout=90, what="all know all")
    one = 'sum(loki_boltdb_shipper_compactor_running{service="loki"}) == 1'
    eventually(lambda: stack.prom(one), timeout=180, what="one of them compacts")  # until all know all, each does
    again = stack.up()
    assert unchanged(again.text), again.text[-3000:]


def test_one_of_those_that_are_alike_may_be_lost(stack: ClusterStack) -> None:
    """It was a writer and a reader."""
    lose(stack, {"loki": 3})
