"""Real troubles of a running stack's databases: what makes the alerts about PostgreSQL and Redis fire."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.running import RunningStack
from tests.support.troubles import Poke, nothing
from tests.support.waiting import eventually


@contextmanager
def busy_redis(stack: RunningStack) -> Iterator[Poke]:
    """Clients that wait for nothing, no room, hardly a connection left and now and then none, every command slow.

    It cannot save, as a folder has the name of its file, and follows a master that is not there.
    """
    cli = "redis-cli -h 127.0.0.1"
    waiting, some = 17, 20
    box, file = "/tools/busybox", "/data/dump.rdb"
    lost = "config set stop-writes-on-bgsave-error no; {0} config set replica-read-only no; {0} replicaof 127.0.0.1 1"
    stack.sh("redis", f"{box} rm -f {file}; {box} mkdir {file}; {cli} bgsave; {cli} {lost.format(cli)}")
    used = int(stack.sh("redis", f"{cli} info memory | /tools/busybox grep ^used_memory:").partition(":")[2])
    stack.sh("redis", f"{cli} config set slowlog-log-slower-than 0; {cli} config set maxmemory {used}")
    for _ in range(waiting):
        _detached(stack, "redis", f"{cli} blpop nothing 0")
    # one connection takes the last place, keeps it for a second while others try, and makes room again
    full = f"config set maxclients {waiting + 1}\\nblpop nothing 1\\nconfig set maxclients {some}\\n"
    refused = f"for n in 1 2 3 4 5; do {cli} ping; done"
    try:
        yield lambda: stack.sh(
            "redis", f"(/tools/busybox printf '{full}' | {cli}) & /tools/busybox usleep 300000; {refused}; wait"
        )
    finally:
        stack.sh("redis", f"{cli} config set maxclients 1000; {cli} replicaof no one; {box} rmdir {file}; {cli} bgsave")
        stack.sh("redis", f"{cli} config set slowlog-log-slower-than 10000; {cli} config set maxmemory 0")
        stack.sh("redis", f"{cli} client kill type normal skipme yes")


@contextmanager
def busy_postgres(stack: RunningStack, database: str) -> Iterator[Poke]:
    """Connections that hold long transactions, deadlocks, and a table that is read from its files all the time."""

    def psql(sql: str) -> str:
        login = "PGPASSWORD=$(/tools/busybox cat /run/secrets/postgres-password) PGAPPNAME=trouble"
        return f'{login} psql -q -h 127.0.0.1 -U postgres {database} -c "{sql}"'

    def locks(first: int, second: int) -> str:
        lock = "select pg_advisory_xact_lock"
        return psql(f"begin; {lock}({first}); select pg_sleep(1); {lock}({second}); commit")

    rows = "select n, repeat('x', 900) from generate_series(1, 220000) n"  # far more than the shared buffers hold
    stack.sh("postgres", psql(f"create unlogged table trouble as {rows}"))
    for _ in range(25):
        _detached(stack, "postgres", psql("begin; select pg_sleep(3600)"))
    read = psql("select count(*) from trouble")
    loop = f"while [ ! -e /tmp/mended ]; do {read}; /tools/busybox usleep 100000; done >/dev/null"
    _detached(stack, "postgres", loop)
    ended = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'trouble'"
    try:
        yield lambda: stack.sh("postgres", f"({locks(1, 2)}) & {locks(2, 1)}; wait; true")
    finally:
        stack.sh("postgres", "echo >/tmp/mended; " + psql(f"{ended} and pid <> pg_backend_pid()"))
        stack.sh("postgres", psql("drop table trouble"))


@contextmanager
def neglected_postgres(stack: RunningStack, database: str) -> Iterator[Poke]:
    """A slot that nobody reads from, a transaction that was forgotten, dead rows, and a view that is not found."""

    def psql(more: str = "") -> str:
        login = "PGPASSWORD=$(/tools/busybox cat /run/secrets/postgres-password) PGAPPNAME=neglect"
        return f"{login} {more} psql -q -h 127.0.0.1 -U postgres {database}"

    def rename(old: str, new: str) -> str:
        allowed = psql("PGOPTIONS='-c allow_system_table_mods=on'")
        return f"{allowed} -c 'alter view pg_catalog.{old} rename to {new}'"

    rows = "create table dead with (autovacuum_enabled=false) as select n from generate_series(1, 150000) n"
    gone = "delete from dead"
    stack.sh("postgres", f"{psql()} -c \"select pg_create_physical_replication_slot('neglect', true)\"")
    stack.sh("postgres", f"{psql()} -c '{rows}'")
    stack.sh("postgres", f"{psql()} -c '{gone}'")
    stack.sh("postgres", rename("pg_statio_user_tables", "neglected"))
    _detached(stack, "postgres", f"(echo 'begin; select 1;'; /tools/busybox sleep 3600) | {psql()}")
    ended = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'neglect'"
    try:
        yield nothing
    finally:
        stack.sh("postgres", rename("neglected", "pg_statio_user_tables"))
        stack.sh("postgres", f"{psql()} -c \"{ended} and pid <> pg_backend_pid()\"; {psql()} -c 'drop table dead'")
        stack.sh("postgres", f"{psql()} -c \"select pg_drop_replication_slot('neglect')\"")


@contextmanager
def crowded_postgres(stack: RunningStack, database: str) -> Iterator[Poke]:
    """Hardly a place that is not reserved for superusers, and connections that take these few."""
    reserved, taken = 80, 22
    login = (
        f"PGPASSWORD=$(/tools/busybox cat /run/secrets/postgres-password) psql -q -h 127.0.0.1 -U postgres {database}"
    )

    def again(setting: str) -> None:
        stack.sh("postgres", f"{login} -c 'alter system {setting}'")
        stack.container("postgres").restart(timeout=30)
        eventually(lambda: "1" in stack.sh("postgres", f"{login} -Atc 'select 1'"), timeout=60, what="PostgreSQL")

    again(f"set superuser_reserved_connections = {reserved}")
    for _ in range(taken):
        _detached(stack, "postgres", f"{login} -c 'select pg_sleep(3600)'")
    try:
        yield nothing
    finally:
        again("reset superuser_reserved_connections")


def _detached(stack: RunningStack, workload: str, script: str) -> None:
    stack.container(workload).exec_run(["/tools/busybox", "sh", "-c", script], detach=True)
