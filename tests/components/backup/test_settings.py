"""Settings of backups."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from model.errors import ConfigError
from tests.support.keys import CERTIFICATE
from tests.support.systems import plan_shop

S3 = {"endpoint": "https://s3.example.com", "bucket": "backups"}
SFTP = {"host": "backup.example.com", "user": "monitoring", "path": "/srv", "hostKey": "ssh-ed25519 AAAA"}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "backup.destination: is required: name exactly one of s3, directory and sftp"),
        ({"destination": {}}, "backup.destination: is none; name exactly one"),
        ({"destination": {"s3": S3, "sftp": SFTP}}, "backup.destination: s3 and sftp are two; name exactly one"),
        ({"destination": {"s3": S3}, "schedule": "15 25 * * *"}, "backup.schedule: .*hour: '25' must lie between"),
        ({"destination": {"s3": S3}, "verify": "weekly"}, "backup.verify: .*five fields"),
        ({"destination": {"s3": S3}, "keep": {"daily": 0}}, "backup.keep.daily"),
        ({"destination": {"s3": {**S3, "endpoint": "s3.example.com"}}}, "backup.destination.s3.endpoint"),
        ({"destination": {"s3": {**S3, "prefix": "/a/"}}}, "backup.destination.s3.prefix.*without a slash"),
        (
            {"destination": {"s3": {**S3, "endpoint": "http://s3:9000", "caCertificate": CERTIFICATE}}},
            "backup.destination.s3.caCertificate: cannot be compared, .*write https://",
        ),
        ({"destination": {"s3": {**S3, "caCertificate": "/etc/ca.pem"}}}, "backup.destination.s3.caCertificate"),
        ({"destination": {"sftp": {**SFTP, "hostKey": "SHA256:x"}}}, "backup.destination.sftp.hostKey.*ssh-keyscan"),
        ({"destination": {"directory": {"path": "backups"}}}, "backup.destination.directory.path.*absolute path"),
    ],
)
def test_wrong_settings_are_refused(tmp_path: Path, settings: dict[str, Any], said: str) -> None:
    """No destination, two of them, a schedule that is none, a machine without its key: each with its place."""
    with pytest.raises(ConfigError, match=said):
        plan_shop(tmp_path, settings={"backup": json.dumps({"enabled": True, **settings})})
