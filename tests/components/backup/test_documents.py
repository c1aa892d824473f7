"""The document of an agent: what it copies, when, and where to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.backup.documents import build_document, list_secret_names, render_document
from components.backup.settings import Settings
from model.backups import BackupSource
from model.load import parse_model
from model.workload import DataVolume
from tests.support.keys import CERTIFICATE

SOURCE = BackupSource(
    workload="server",
    volume=DataVolume(name="server-data", path="/var/lib/server"),
    order=("wal", "head"),
    exclude=("lock",),
    sqlite=("server.db",),
)
DESTINATIONS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, str]]] = {
    "s3": (
        {"endpoint": "https://s3.example.com", "bucket": "backups", "prefix": "a/b", "provider": "Minio"},
        {
            "type": "s3", "endpoint": "https://s3.example.com", "region": "us-east-1", "bucket": "backups",
            "prefix": "a/b", "provider": "Minio",
        },
        {"accessKeyId": "backup-access-key-id", "secretAccessKey": "backup-secret-access-key"},
    ),
    "directory": ({"path": "/srv/backups"}, {"type": "directory", "path": "/destination", "prefix": ""}, {}),
    "sftp": (
        {"host": "b.example.com", "user": "me", "path": "/srv", "hostKey": "ssh-ed25519 AAAA"},
        {
            "type": "sftp", "host": "b.example.com", "port": 22, "user": "me", "path": "/srv",
            "hostKey": "ssh-ed25519 AAAA",
        },
        {"privateKey": "backup-private-key"},
    ),
}  # fmt: skip
"""Settings, what stands in the document, and the secrets beside the passphrase, by kind."""


def settings(kind: str, **more: Any) -> Settings:
    """Settings with that destination."""
    return parse_model(Settings, {"enabled": True, "destination": {kind: DESTINATIONS[kind][0]}, **more}, "x")


@pytest.mark.parametrize("kind", DESTINATIONS)
def test_each_destination_is_written(kind: str) -> None:
    """With the paths of its secret files, and no secret."""
    own, (_, written, secrets) = settings(kind), DESTINATIONS[kind]
    document = build_document(own, "dev", SOURCE)
    names = {"passphrase": "backup-passphrase", **secrets}
    assert document["destination"] == written
    assert document["secrets"] == {key: f"/run/secrets/{name}" for key, name in names.items()}
    assert list_secret_names(own.destination) == names


def test_the_authority_of_a_bucket_is_written() -> None:
    """As the text that it is, and only where one is named: an older agent refuses a key that it does not know."""
    own = Settings.model_validate(
        {"enabled": True, "destination": {"s3": {**DESTINATIONS["s3"][0], "caCertificate": CERTIFICATE}}}
    )
    assert build_document(own, "dev", SOURCE)["destination"]["caCertificate"] == CERTIFICATE


def test_the_source_is_written() -> None:
    """What is copied first, what is no data, and databases; what is in every volume is never data."""
    document = json.loads(render_document(settings("s3"), "dev", SOURCE))
    assert (document["format"], document["stack"], document["workload"], document["volume"]) == (
        1, "dev", "server", "server-data",
    )  # fmt: skip
    assert document["order"] == ["wal", "head"] and document["sqlite"] == ["server.db"]
    assert document["exclude"] == [".observability", "lost+found", "lock"]
    assert (document["data"], document["scratch"]) == ("/data", "/scratch")


def test_times_are_written() -> None:
    """Schedules with names of weekdays, as programs do not agree on their numbers; and how many backups stay."""
    own = settings("s3", schedule="0 5 * * 1-5", verify="0 6 * * 0", keep={"daily": 3, "weekly": 2, "monthly": 1})
    document = build_document(own, "dev", SOURCE)
    assert (document["schedule"], document["verify"]) == ("0 5 * * mon,tue,wed,thu,fri", "0 6 * * sun")
    assert document["keep"] == {"daily": 3, "weekly": 2, "monthly": 1}
