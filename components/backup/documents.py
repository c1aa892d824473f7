"""The document of an agent, one for each volume; its format is that of images/backup/backup_agent/document.py."""

from __future__ import annotations

import json
from typing import Any

from components.backup.settings import (
    ACCESS_KEY,
    DATA_DIR,
    DESTINATION_DIR,
    PASSPHRASE,
    PRIVATE_KEY,
    SCRATCH_DIR,
    SECRET_KEY,
    Destination,
    S3Destination,
    Settings,
    SftpDestination,
)
from model.backups import BackupSource
from model.cron import render_schedule
from model.workload import SECRETS_DIR

FORMAT = 1
NO_DATA = (".observability", "lost+found")
"""What is in every volume: the mark of a delivery (targets/deliver.sh), and what file systems make themselves."""


def render_document(own: Settings, stack: str, source: BackupSource) -> str:
    """The document as JSON, one line for each value."""
    return json.dumps(build_document(own, stack, source), indent=1, ensure_ascii=False) + "\n"


def build_document(own: Settings, stack: str, source: BackupSource) -> dict[str, Any]:
    """What is copied, when, and where to; no value is a secret."""
    return {
        "format": FORMAT,
        "stack": stack,
        "workload": source.workload,
        "volume": source.volume.name,
        "data": DATA_DIR,
        "scratch": SCRATCH_DIR,
        "order": list(source.order),
        "exclude": [*NO_DATA, *source.exclude],
        "sqlite": list(source.sqlite),
        "schedule": render_schedule(own.schedule),
        "verify": render_schedule(own.verify),
        "keep": own.keep.model_dump(),
        "destination": build_destination(own.destination),
        "secrets": {key: f"{SECRETS_DIR}/{name}" for key, name in list_secret_names(own.destination).items()},
    }


def build_destination(destination: Destination | None) -> dict[str, Any]:
    """Where backups go, without a secret; empty where nothing is said."""
    if destination is None:
        return {}
    if destination.s3:
        return _build_s3(destination.s3)
    if destination.sftp:
        return _build_sftp(destination.sftp)
    return {"type": "directory", "path": DESTINATION_DIR, "prefix": ""}


def _build_s3(s3: S3Destination) -> dict[str, Any]:
    return {
        "type": "s3",
        "endpoint": s3.endpoint,
        "region": s3.region or "us-east-1",
        "bucket": s3.bucket,
        "prefix": s3.prefix,
        "provider": s3.provider,
        **({"caCertificate": s3.ca_certificate} if s3.ca_certificate else {}),
    }


def _build_sftp(sftp: SftpDestination) -> dict[str, Any]:
    return {
        "type": "sftp",
        "host": sftp.host,
        "port": sftp.port,
        "user": sftp.user,
        "path": sftp.path,
        "hostKey": sftp.host_key,
    }


def list_secret_names(destination: Destination | None) -> dict[str, str]:
    """Names of the secrets that an agent reads, by what the document calls them."""
    names = {"passphrase": PASSPHRASE}
    if destination and destination.s3:
        names |= {"accessKeyId": ACCESS_KEY, "secretAccessKey": SECRET_KEY}
    if destination and destination.sftp:
        names["privateKey"] = PRIVATE_KEY
    return names
