"""The real Traefik with the product's arguments and documents, on loopback, in front of services that a test plays."""

from __future__ import annotations

import http.client
import json
import re
import shlex
import socket
import ssl
import subprocess
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from components.entry.authority import issue_certificate
from components.entry.derived import hash_password
from components.traefik.settings import INTERNAL_PORT, PORT, SECURE_PORT
from model.plan import Plan
from model.secret import Htpasswd, Issued
from model.workload import ConfigDir, Reload
from stack.assemble import ConfigValue
from tests.support.alerting import Quiet, free_port, served
from tests.support.delivering import Volume
from tests.support.planned import workload
from tests.support.systems import plan_shop
from tests.support.waiting import eventually
from toolchain import validators
from toolchain.context import build_default_context

SEED = "0123456789abcdef" * 4
YEAR = 2026


@dataclass(frozen=True)
class Answer:
    """Status, headers by lower-case name, and body of an answer."""

    status: int
    headers: Mapping[str, str]
    body: str


class Entry:
    """A Traefik that runs what is planned with these settings. Passwords are the names of their secrets.

    Every service behind it, but for `others` with ports of their own, answers 200 with the path and the headers that
    reach it, as JSON.
    """

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, Any],
        *,
        services: int,
        others: Mapping[str, int] | None = None,
        system: Mapping[str, Any] | None = None,
    ) -> None:
        self.folder, self._services, self._others, self._system = folder, services, others or {}, system
        self.volume = Volume(folder / "traefik", name="traefik")
        (folder / "secrets").mkdir()
        (folder / "acme").mkdir()
        self.program = str(validators.ensure_validator(build_default_context(), "traefik", pinned=True))
        self.web, self.secure, self.internal = free_port(), free_port(), free_port()
        self.passwords: dict[str, str] = {}
        self.process: subprocess.Popen[bytes] | None = None
        self.plan = self.planned(settings)

    def planned(self, settings: Mapping[str, Any]) -> Plan:
        """A plan with these settings, for `deliver`."""
        plain = (str, ConfigValue)
        texts = {key: value if isinstance(value, plain) else json.dumps(value) for key, value in settings.items()}
        return plan_shop(self.folder / "project", self._system, settings=texts, address=self._address)

    def _address(self, name: str, _: int) -> str:
        return f"127.0.0.1:{self._others.get(name, self._services)}"

    def deliver(self, plan: Plan | None = None) -> None:
        """Secrets and documents arrive, and the running process takes them."""
        self.plan = plan or self.plan
        planned = workload(self.plan, "traefik")
        config, reload = planned.config or _none(), (planned.config or _none()).reload
        for file in planned.secrets:
            (self.folder / "secrets" / Path(file.path).name).write_text(self._secret(file.secret))
        files = {name: self._here(text) for name, text in config.files.items()}
        here = replace(reload or Reload(port=0), port=self.internal, timeout=10)
        words = [_elsewhere(self._here(word)) for word in config.validate]
        revision = config.compute_revision()
        words = [word.replace("{dir}", f"{self.volume.config}/.rev-{revision}") for word in words]
        judge = {
            "VALIDATE": shlex.join([self.program, *words[1:]]),
            "VALIDATE_SECONDS": str(config.validate_seconds),
            "VALIDATE_MARKER": config.validate_marker,
            "VALIDATE_IGNORE": config.validate_ignore or "",
        }
        done = self.volume.deliver(revision, files, here, **judge)
        assert done.returncode == 0, done.stdout

    def start(self) -> None:
        """The process, once its documents are there."""
        planned = workload(self.plan, "traefik")
        env = {key: self._here(value) for key, value in planned.env.items()}
        arguments = [self._here(argument) for argument in planned.args]
        with (self.folder / "log").open("a") as log:
            self.process = subprocess.Popen([self.program, *arguments], stdout=log, stderr=log, env=env)
        eventually(lambda: self.ask("/revision", port=self.internal).status == 200, timeout=30, what="its routes")

    def stop(self) -> None:
        """Ends the process."""
        if self.process:
            self.process.terminate()
            self.process.wait()

    def log(self) -> str:
        """What Traefik has said so far."""
        return (self.folder / "log").read_text()

    def _secret(self, name: str) -> str:
        """The value of a secret as a deployment makes it."""
        made = self.plan.secrets[name].made
        if isinstance(made, Htpasswd):
            salt = bytes(range(16))
            users = made.users.items()
            return "".join(f"{user}:{hash_password(self.passwords.get(of, of), salt)}\n" for user, of in users)
        if isinstance(made, Issued):
            return issue_certificate(SEED, made.host, YEAR)[made.part]
        return self.passwords.get(name, name)

    def _here(self, text: str) -> str:
        """A text with this machine's ports and folders in the place of the container's."""
        moved = {
            f"=:{PORT}": f"=127.0.0.1:{self.web}",
            f"=:{SECURE_PORT}": f"=127.0.0.1:{self.secure}",
            f"=:{INTERNAL_PORT}": f"=127.0.0.1:{self.internal}",
        }
        for before, after in moved.items():
            if text.endswith(before):
                return text.removesuffix(before) + after
        config = (workload(self.plan, "traefik").config or _none()).path
        text = text.replace(config, str(self.volume.config)).replace("/run/secrets", f"{self.folder}/secrets")
        return text.replace("=/acme/", f"={self.folder}/acme/")

    def ask(
        self,
        path: str,
        *,
        port: int | None = None,
        host: str = "127.0.0.1",
        method: str = "GET",
        user: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
        trusted: str | None = None,
    ) -> Answer:
        """The answer to one request; `trusted` is the PEM text of an authority, for TLS with that name in it."""
        given = {"Host": host, **(headers or {})}
        if user:
            given["Authorization"] = "Basic " + b64encode(":".join(user).encode()).decode()
        connection: http.client.HTTPConnection = http.client.HTTPConnection("127.0.0.1", port or self.web, timeout=20)
        if trusted is not None:
            connection = _Named(
                "127.0.0.1", port or self.secure, timeout=20, context=ssl.create_default_context(cadata=trusted)
            )
            connection.name = host
        try:
            connection.request(method, path, body=body, headers=given)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
            return Answer(answer.status, {key.lower(): value for key, value in answer.getheaders()}, text)
        finally:
            connection.close()

    def certificate(self, host: str) -> bytes:
        """The certificate that is served for a name, as DER."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        plain = socket.create_connection(("127.0.0.1", self.secure), timeout=10)
        with plain, context.wrap_socket(plain, server_hostname=host) as secure:
            return secure.getpeercert(binary_form=True) or b""


class _Named(http.client.HTTPSConnection):
    """A connection to an address, for the name that the certificate must have."""

    name = ""

    def connect(self) -> None:
        """As the base does it, with the name in the place of the address."""
        http.client.HTTPConnection.connect(self)
        self.sock = self._context.wrap_socket(self.sock, server_hostname=self.name)  # type: ignore[attr-defined]


def _elsewhere(argument: str) -> str:
    """An argument of the validator, whose fixed ports may be taken outside of a container."""
    return re.sub(r"(?<==127\.0\.0\.1:)[0-9]+$", lambda _: str(free_port()), argument)


def named_connection(name: str, port: int, context: ssl.SSLContext) -> http.client.HTTPSConnection:
    """A connection to a port of loopback by TLS, whose certificate must be one for `name`."""
    connection = _Named("127.0.0.1", port, timeout=20, context=context)
    connection.name = name
    return connection


def _none() -> ConfigDir:
    raise AssertionError("Traefik has documents")


class _Echo(Quiet):
    """Answers with what it was asked."""

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        said = {"method": self.command, "path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}}
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = _answer


def services(port: int = 0) -> AbstractContextManager[int]:
    """The port at which every service of the stack answers."""
    return served(_Echo, port)


@contextmanager
def running(made: Entry) -> Iterator[None]:
    """Its process runs what is planned."""
    made.deliver()
    made.start()
    try:
        yield
    finally:
        made.stop()


@contextmanager
def entry(
    folder: Path, settings: Mapping[str, Any], *, system: Mapping[str, Any] | None = None, **others: int
) -> Iterator[Entry]:
    """A running Traefik with these settings; `others` are ports of workloads that really run, `system` changes it."""
    with services() as port:
        made = Entry(folder, settings, services=port, others=others, system=system)
        with running(made):
            yield made
