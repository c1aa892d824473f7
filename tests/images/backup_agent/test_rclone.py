"""Calls of rclone."""

from __future__ import annotations

import configparser
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from backup_agent.errors import Failed
from backup_agent.rclone import Rclone, build_env, configuring, obscure, read_secret, shorten_errors
from tests.support.backups import Stand

S3 = {"type": "s3", "endpoint": "http://127.0.0.1:1", "region": "eu-central-1", "bucket": "b", "prefix": "/p/"}
SFTP = {"type": "sftp", "host": "h", "port": 2022, "user": "u", "path": "/backups", "hostKey": "ssh-ed25519 AAAA"}


def use(stand: Stand, destination: dict[str, Any], **secrets: str) -> None:
    """Give a stand another destination, and files with its secrets."""
    stand.values["destination"] = destination
    for name, text in secrets.items():
        (stand.folder / name).write_text(f"{text}\n")
        stand.values["secrets"][name] = str(stand.folder / name)


@pytest.mark.exhaustive  # rclone starts several times
def test_secrets_are_in_a_private_file_alone(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its mode is 0600, its directory's 0700, and it goes with the work; no argument or variable has a secret."""
    use(stand, S3, accessKeyId="the-id", secretAccessKey="the-secret")
    seen: list[tuple[Any, ...]] = []
    real = subprocess.run

    def spy(command: list[str], **options: Any) -> Any:
        seen.append((command, options.get("env")))
        return real(command, **options)

    monkeypatch.setattr(subprocess, "run", spy)
    with configuring(stand.document) as rclone:
        path = Path(rclone._base[2])
        assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        parser = configparser.ConfigParser(interpolation=None)
        parser.read(path)
        assert parser["destination"]["secret_access_key"] == "the-secret"
        assert parser["backup"]["remote"] == "destination:b/p" == rclone.root
        with pytest.raises(Failed, match=r"the bucket b//p/ at http://127.0.0.1:1: rclone lsf: .*refused"):
            rclone.list_names(rclone.root)
    assert not path.parent.exists() and len(seen) == 2
    for secret in ("the-id", "the-secret", "correct horse"):
        assert secret not in repr(seen)


def test_settings_of_the_environment_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """rclone would take any of its options from there; a proxy is what the network needs."""
    monkeypatch.setenv("RCLONE_S3_ENDPOINT", "http://evil")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    assert "RCLONE_S3_ENDPOINT" not in build_env() and build_env()["HTTPS_PROXY"] == "http://proxy:3128"


def test_a_server_of_sftp_is_known_by_its_key(stand: Stand) -> None:
    """Its key is in a file, and no other one is accepted."""
    use(stand, SFTP, privateKey="key")
    with configuring(stand.document) as rclone:
        folder = Path(rclone._base[2]).parent
        assert "[h]:2022 ssh-ed25519 AAAA" in (folder / "known_hosts").read_text()
        assert str(folder / "known_hosts") in (folder / "rclone.conf").read_text()
        assert rclone.where == "u@h:/backups" and rclone.root == "destination:/backups"


def test_passwords_are_obscured() -> None:
    """As rclone reads them: its own reveal gives them back."""
    text = "a 'b' \"c\" \u00fc"
    done = Rclone(Path("none"), "", "").run("reveal", obscure(text))
    assert done.stdout.decode().strip() == text


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "No such file"), (b"", "one line"), (b" \n", "one line"), (b"a\nb\n", "one line"), (b"\xff", "no text")],
)
def test_a_secret_is_one_line(tmp_path: Path, content: bytes | None, words: str) -> None:
    """Nothing is encrypted by a passphrase that is not there."""
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Failed, match=f"the passphrase: .*{words}"):
        read_secret(str(path), "the passphrase")
    path.write_bytes(b" a \r\n")
    assert read_secret(str(path), "the passphrase") == " a "


@pytest.mark.exhaustive  # rclone starts several times
def test_who_does_not_answer_is_away(stand: Stand) -> None:
    """A command that takes too long is ended."""
    with (
        configuring(stand.document) as rclone,
        pytest.raises(Failed, match=r"does not answer: rclone rcd took over 1 s"),
    ):
        rclone.run("rcd", "--rc-addr", "127.0.0.1:0", seconds=1)


def test_errors_are_short() -> None:
    """The last two without their clock, none twice; of other lines the last two."""
    text = (
        "2026/11/30 19:40:43 ERROR : a: bad\n2026/11/30 19:40:43 INFO  : x\n2026/11/30 19:40:44 NOTICE: Failed: bad\n"
    )
    assert shorten_errors(text + text) == "a: bad; Failed: bad"
    assert shorten_errors("panic\nat\nline") == "at; line" and shorten_errors("") == "it ended without a word"
