"""Serving until the end: backups and verifications by their schedules, health and metrics over HTTP."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from apscheduler.schedulers.background import BackgroundScheduler
from prometheus_client import CollectorRegistry, ProcessCollector, make_wsgi_app

from backup_agent.document import DocumentFile
from backup_agent.metrics import AgentMetrics
from backup_agent.refresh import refresh_state
from backup_agent.schedule import measure_interval, parse_crontab
from backup_agent.state import read_state

WATCH_SECONDS, REFRESH_SECONDS, SETTLE_SECONDS = 5, 3600, 600
"""How often the document and the destination are looked at, and when a backup that is due is made after a start."""
_WAIT_SECONDS = 6 * 3600
"""How long a scheduled backup waits for one that somebody has begun."""
LOG = logging.getLogger("backup_agent")
App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Agent:
    """Runs what is due, each in a process of its own, whose end gives its memory back."""

    def __init__(self, file: DocumentFile) -> None:
        self._file = file
        self._scheduler = BackgroundScheduler(timezone=UTC, job_defaults={"coalesce": True, "misfire_grace_time": None})
        self._scheduled: tuple[str, str] = ("", "")
        self._works: set[subprocess.Popen[bytes]] = set()
        self._ending = threading.Event()

    @property
    def is_running(self) -> bool:
        """Whether the scheduler runs."""
        return bool(self._scheduler.running) and not self._ending.is_set()

    def start(self) -> None:
        """Begin with the schedules of the document, and look at the destination."""
        now = datetime.now(UTC)
        self.watch()
        self._scheduler.add_job(self.watch, "interval", seconds=WATCH_SECONDS)
        self._scheduler.add_job(self.refresh, "interval", seconds=REFRESH_SECONDS, next_run_time=now)
        self._scheduler.add_job(self.catch_up, "date", run_date=now + timedelta(seconds=SETTLE_SECONDS))
        self._scheduler.start()

    def stop(self) -> None:
        """End what runs: a backup that is ended is none, and a later one goes on from what is uploaded."""
        self._ending.set()
        self._scheduler.shutdown(wait=False)
        for work in list(self._works):
            work.terminate()
        for work in list(self._works):
            work.wait()

    def watch(self) -> None:
        """Take the schedules of the document as it is now."""
        document = self._file.get()
        wanted = (document.schedule, document.verify)
        if wanted == self._scheduled:
            return
        for name, schedule in zip(("run", "verify"), wanted, strict=True):
            trigger = parse_crontab(schedule)
            self._scheduler.add_job(self.work, trigger, args=(name,), id=name, replace_existing=True)
        self._scheduled = wanted
        LOG.info("backups at %s, verifications at %s (UTC)", *wanted)

    def refresh(self) -> None:
        """Look at the destination."""
        if problem := refresh_state(self._file.get()):
            LOG.error("%s", problem)

    def catch_up(self) -> None:
        """Make the backup that was due while the agent did not run, or the first one."""
        document = self._file.get()
        now = datetime.now(UTC)
        age = now.timestamp() - read_state(document.scratch).success_at
        if age > measure_interval(parse_crontab(document.schedule), now).total_seconds():
            self.work("run")

    def work(self, name: str) -> None:
        """Run a command of this program to its end."""
        if self._ending.is_set():
            return
        command = [sys.executable, "-m", "backup_agent", name, "--document", str(self._file.path)]
        work = subprocess.Popen([*command, "--wait", str(_WAIT_SECONDS)])
        self._works.add(work)
        code = work.wait()
        self._works.discard(work)
        LOG.log(logging.ERROR if code else logging.INFO, "%s ended with exit code %d", name, code)


def build_app(agent: Agent, file: DocumentFile) -> App:
    """Health and metrics: https://prometheus.io/docs/instrumenting/exposition_formats/."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(AgentMetrics(file))
    ProcessCollector(
        registry=registry
    )  # since when it runs: the alert about a part that never had a backup counts on it
    metrics = make_wsgi_app(registry)

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/metrics":
            return metrics(environ, start)  # type: ignore[no-any-return]
        healthy = environ["PATH_INFO"] == "/healthz"
        status = "404 Not Found" if not healthy else "200 OK" if agent.is_running else "503 Service Unavailable"
        start(status, [("Content-Type", "text/plain; charset=utf-8")])
        return [f"{status[4:]}\n".encode()]

    return answer


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    timeout = 10  # who sends nothing leaves

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing of requests."""


def serve(file: DocumentFile, host: str, port: int) -> None:
    """Serve until the process is to end."""
    agent = Agent(file)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with make_server(host, port, build_app(agent, file), _Server, _Handler) as server:
        agent.start()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        LOG.info("health and metrics at port %d", server.server_port)
        ended.wait()
        agent.stop()
        server.shutdown()
