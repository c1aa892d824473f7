"""A bucket as the destination, on a server that demands signatures, and a server of SFTP."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from backup_agent.errors import Failed
from backup_agent.rclone import find_rclone
from backup_agent.refresh import list_backups
from tests.images.backup_agent.test_rclone import use
from tests.support.backups import Stand, read_tree
from tests.support.buckets import BucketServer
from tests.support.waiting import eventually


@pytest.fixture
def bucket() -> Iterator[BucketServer]:
    """A bucket with another object in it."""
    server = BucketServer("acme", "the-id", "the-secret")
    yield server
    server.close()


@pytest.fixture
def stand(stand: Stand, bucket: BucketServer) -> Stand:
    """The same data with the bucket as its destination."""
    use_bucket(stand, bucket)
    return stand


def use_bucket(stand: Stand, bucket: BucketServer, name: str = "acme", **secrets: str) -> None:
    """Give a stand the bucket as its destination."""
    at = {"type": "s3", "endpoint": bucket.url, "region": "us-east-1", "bucket": name, "prefix": "p"}
    use(stand, at, **{"accessKeyId": "the-id", "secretAccessKey": "the-secret", **secrets})


def test_a_bucket_has_the_backups(stand: Stand, bucket: BucketServer) -> None:
    """The whole life of one: everything lies below the prefix, every request is signed, all comes back."""
    stand.write("large", b"l" * 12_000_000)
    assert stand.run().uploaded_bytes == 12_055_000
    keys = bucket.keys()
    assert len(keys) == 5 and all(key.startswith("p/") for key in keys)
    stand.write("more", "x")
    report = stand.run()
    assert report.uploaded_bytes == 1 and len(bucket.keys()) == 7 and not bucket.refused
    listed = [each.id for each in list_backups(stand.document)[0]]
    assert stand.verify().id == report.id == listed[0] and len(listed) == 2
    restored, folder = stand.restore()
    before = dict(read_tree(stand.data))
    del before["lock"]
    assert restored.files == 5 and read_tree(folder) == before


@pytest.mark.exhaustive  # rclone starts several times
def test_a_wrong_key_and_a_bucket_that_is_not_there_are_said(stand: Stand, bucket: BucketServer) -> None:
    """Neither looks like a destination without backups, and no bucket is made."""
    use_bucket(stand, bucket, secretAccessKey="another")
    with pytest.raises(Failed, match=r"the bucket acme/p at http://127.0.0.1:\d+: rclone lsf: .*403"):
        stand.run()
    use_bucket(stand, bucket, name="none")
    with pytest.raises(Failed, match=r"the bucket none/p at .*: "):
        stand.run()


@pytest.mark.exhaustive  # rclone starts several times
def test_a_server_is_trusted_by_the_authority_that_is_named(stand: Stand) -> None:
    """A certificate that nobody known has signed is taken with its authority alone, and else refused in words."""
    server = BucketServer("private", "the-id", "the-secret", tls=True)
    try:
        use_bucket(stand, server, name="private")
        with pytest.raises(Failed, match="certificate signed by unknown authority"):
            stand.run()
        stand.values["destination"]["caCertificate"] = server.authority
        assert stand.run().uploaded_bytes == 55_000 and server.keys()
    finally:
        server.close()


def find_port() -> int:
    """A free port of loopback."""
    with socket.create_server(("127.0.0.1", 0)) as opened:
        return int(opened.getsockname()[1])


def write_key(path: Path) -> str:
    """Write a private key; gives the public half as OpenSSH has it."""
    key = Ed25519PrivateKey.generate()
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption())
    path.write_bytes(key.private_bytes(*form))
    path.chmod(0o600)
    return key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()


@pytest.mark.exhaustive  # rclone starts several times
def test_a_server_of_sftp_has_the_backups(stand: Stand) -> None:
    """By a private key; a server with another key than the document's is not spoken to."""
    port, folder = find_port(), stand.folder
    host_key, user_key = write_key(folder / "host_key"), write_key(folder / "user_key")
    (folder / "authorized_keys").write_text(f"{user_key}\n")
    command = [find_rclone(), "serve", "sftp", str(stand.destination), "--addr", f"127.0.0.1:{port}"]
    options = ["--key", str(folder / "host_key"), "--authorized-keys", str(folder / "authorized_keys")]
    with subprocess.Popen([*command, *options], stderr=subprocess.PIPE) as server:
        try:
            eventually(lambda: socket.create_connection(("127.0.0.1", port)), timeout=20, what="it listens").close()
            at = {"type": "sftp", "host": "127.0.0.1", "port": port, "user": "u", "path": "backups", "prefix": "p"}
            stand.values["destination"] = {**at, "hostKey": host_key}
            stand.values["secrets"]["privateKey"] = str(folder / "user_key")
            assert stand.run().uploaded_bytes == 55_000 and stand.run().uploaded_bytes == 0
            assert stand.restore()[0].files == 3 and len(stand.list_stored("backups/p")) == 3 + 2
            stand.values["destination"]["hostKey"] = write_key(folder / "other")
            with pytest.raises(Failed, match="key mismatch"):
                stand.run()
        finally:
            server.kill()
            server.communicate()
