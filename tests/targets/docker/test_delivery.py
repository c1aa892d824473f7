"""One-shot containers as plain data: documents in full, secrets by name alone."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from model.settings import DockerSettings
from model.workload import DataVolume, SecretFile
from targets.docker import delivery
from targets.docker.shared import Late, Scope
from tests.support.workloads import IMAGES, PLAIN, SERVER

SCOPE = Scope(stack="dev", settings=DockerSettings(), images=IMAGES)


def test_secrets_are_named_and_never_there() -> None:
    """An upload of a secret is its name, with the text around it."""
    secret = SecretFile(path="/run/secrets/users", secret="password", template="admin:{}")
    (upload,) = delivery.build_secrets(SCOPE, replace(PLAIN, secrets=(secret,)))["uploads"]
    assert upload["content"] == Late("secret", "password", "admin:{}") and upload["permissions"] == "0400"


def test_documents_come_with_the_script_that_takes_them() -> None:
    """All documents lie in one file beside the script, outside of the volume that the process reads."""
    assert SERVER.config is not None
    files = {item["file"]: item["content"] for item in delivery.build_configure(SCOPE, SERVER)["uploads"]}
    assert files == {
        "/deliver.sh": delivery.SCRIPT.read_text(encoding="utf-8"),
        "/documents": delivery.pack_documents(SERVER.config.files),
    }


def test_no_documents_are_no_file() -> None:
    """A workload with data directories alone has the script and nothing else: the provider takes no empty file."""
    workload = replace(PLAIN, volumes=(DataVolume(name="d", path="/d"),))
    assert [item["file"] for item in delivery.build_configure(SCOPE, workload)["uploads"]] == ["/deliver.sh"]


def test_packed_documents_are_readable_lines() -> None:
    """Each document stands there as it is, below a line with its digest, its lines, how it ends, and its path."""
    packed = delivery.pack_documents({"b/two words.yml": "a: 1\nb: 2", "a.yml": "", "c.yml": "x\n"})
    digests = [hashlib.sha256(text).hexdigest() for text in (b"", b"a: 1\nb: 2", b"x\n")]
    assert packed == (
        f"{digests[0]} 0 + a.yml\n{digests[1]} 2 - b/two words.yml\na: 1\nb: 2\n{digests[2]} 1 + c.yml\nx\n"
    )


def test_the_environment_is_sorted_and_changes_with_secrets_that_are_read_again() -> None:
    """A mark of these secrets is in it, and none where nothing is read again."""
    reread = replace(SERVER, secrets=tuple(replace(secret, reread=True) for secret in SERVER.secrets))
    again, once = (delivery.build_configure(SCOPE, item)["envs"] for item in (reread, SERVER))
    assert Late("mark", "reread", "SECRETS={}") in again
    assert [str(item) for item in once] == sorted(str(item) for item in once)
    assert not [item for item in once if str(item).startswith("SECRETS=")]


def test_directories_alone_are_reason_enough() -> None:
    """A data volume must belong to its user before the process starts; a plain workload needs nothing."""
    assert delivery.needs_delivery(replace(PLAIN, volumes=(DataVolume(name="d", path="/d"),)))
    assert not delivery.needs_delivery(PLAIN)
