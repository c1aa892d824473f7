"""Pulumi's program in this process, in place of another Python that Pulumi starts for it.

A command has read, checked and imported all that the program needs already, so that another start of Python and a list
of its packages, which Pulumi asks pip for, would be done for nothing: a second of each run. `pulumi up` by hand starts
the same file by itself.
Protocol: https://github.com/pulumi/pulumi/blob/master/proto/pulumi/language.proto, which Pulumi's Automation API
serves too, for programs that are functions.
"""

from __future__ import annotations

import os
import runpy
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

PARALLEL = 4
"""Calls that are served at once: Pulumi makes one after the other, and asks beside them how it goes."""
WANTED_LOGS = "OBSERVABILITY_PULUMI_LOGS"
"""Environment variable that asks for all that Pulumi can say of a run."""


@contextmanager
def serve_program(path: Path, env: Mapping[str, str], modules: Sequence[str] = ()) -> Iterator[tuple[str, ...]]:
    """Serves a program to Pulumi on loopback; gives the arguments by which `pulumi preview` and `pulumi up` ask for it.

    The SDK sends what it says for `pulumi --debug` line by line, several for each resource, and waits for each answer:
    a tenth of a second, so it says nothing unless OBSERVABILITY_PULUMI_LOGS is set.

    Args:
        path: the program's file, which is run as Pulumi's own language host does.
        env: of the run; the program finds its tools by the PATH in it.
        modules: what the program imports, to be imported while Pulumi starts.
    """
    import grpc  # type: ignore[import-untyped]  # noqa: PLC0415 - commands that deploy nothing are spared these
    from pulumi import log  # noqa: PLC0415
    from pulumi.automation._server import LanguageServer  # noqa: PLC0415 - its only way without the API's workspaces
    from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS  # noqa: PLC0415 - messages of over 4 MiB
    from pulumi.runtime.proto import language_pb2_grpc  # noqa: PLC0415

    server = grpc.server(ThreadPoolExecutor(PARALLEL), options=_GRPC_CHANNEL_OPTIONS)
    pool = ThreadPoolExecutor(PARALLEL)
    server = grpc.server(pool, options=_GRPC_CHANNEL_OPTIONS)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageServer(lambda: _run_program(path)), server)
    port = server.add_insecure_port("127.0.0.1:0")
    before, say = os.environ.get("PATH", ""), log.debug
    os.environ["PATH"] = env.get("PATH", before)
    if not os.environ.get(WANTED_LOGS):
        log.debug = _say_nothing
    server.start()
    for module in modules:
        pool.submit(import_module, module)
    try:
        yield (f"--client=127.0.0.1:{port}",)
    finally:
        server.stop(grace=None).wait()
        os.environ["PATH"], log.debug = before, say


def _run_program(path: Path) -> None:
    runpy.run_path(str(path), run_name="__main__")


def _say_nothing(*_: object, **__: object) -> None:
    """In place of a message that nobody reads."""
