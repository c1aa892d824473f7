"""Settings of backups: when, where to, and how many stay there."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from model.addresses import HttpUrl
from model.base import Bucket, HostPath, Name, Pem, PortNumber, Strict
from model.cron import CronTime
from model.errors import Inconsistent, Problem
from model.settings import ComponentSettings

NAME = "backup"
METRICS_PORT = 9877
CONFIG_DIR, DOCUMENT = "/etc/backup", "backup.json"
DATA_DIR, SCRATCH_DIR, DESTINATION_DIR = "/data", "/scratch", "/destination"
PROGRAM = ("/usr/bin/python3", "-m", "backup_agent")
PASSPHRASE = "backup-passphrase"  # noqa: S105 - its name
ACCESS_KEY = "backup-access-key-id"
SECRET_KEY = "backup-secret-access-key"  # noqa: S105 - its name
PRIVATE_KEY = "backup-private-key"
_PREFIX = r"^([A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*)?$"
_HOST = r"^([A-Za-z0-9._-]+|[0-9a-fA-F:]+)$"
_HOST_KEY = r"^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+=*$"

Prefix = Annotated[str, Field(pattern=_PREFIX, examples=["monitoring"])]


class S3Destination(Strict):
    """A bucket of Amazon's S3, or of any server that speaks its protocol."""

    endpoint: Annotated[HttpUrl, Field(examples=["https://s3.eu-central-1.amazonaws.com"])]
    """Address of the server."""
    bucket: Bucket
    """The bucket; it exists already."""
    region: Name | None = None
    """Region of the bucket; servers other than Amazon's mostly take any."""
    prefix: Prefix = ""
    """Folder of the bucket; the whole bucket when empty."""
    provider: Literal[
        "AWS", "Ceph", "Cloudflare", "DigitalOcean", "GCS", "IBMCOS", "Minio", "Scaleway", "Wasabi", "Other"
    ] = "Other"
    """Whose server it is, for what that one does in its own way: https://rclone.org/s3/."""
    ca_certificate: Pem | None = None
    """PEM text of who signed the server's certificate; those that are known to everyone when absent."""

    @model_validator(mode="after")
    def _check_certificate(self) -> S3Destination:
        if self.ca_certificate and not self.endpoint.startswith("https://"):
            message = f"cannot be compared, as {self.endpoint!r} is asked without TLS; write https:// in endpoint"
            raise Inconsistent([Problem("caCertificate", message)])
        return self


class DirectoryDestination(Strict):
    """A directory of the Docker host, such as one that is mounted from elsewhere; every user there may write to it."""

    path: HostPath
    """The directory; it exists already."""


class SftpDestination(Strict):
    """A directory of a machine that is reached over SSH."""

    host: Annotated[str, Field(pattern=_HOST, examples=["backup.example.com"])]
    """The machine."""
    port: PortNumber = 22
    """Its port."""
    user: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_-]*$", examples=["monitoring"])]
    """User to log in as, with the secret backup-private-key."""
    path: HostPath
    """The directory there; it exists already."""
    host_key: Annotated[str, Field(pattern=_HOST_KEY, examples=["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI"])]
    """The machine's own public key, as `ssh-keyscan` prints it behind the name; any other machine is refused."""


class Destination(Strict):
    """Where backups go: one of these. Names and contents are encrypted before they leave."""

    s3: S3Destination | None = None
    """A bucket."""
    directory: DirectoryDestination | None = None
    """A directory of the Docker host."""
    sftp: SftpDestination | None = None
    """A directory of another machine, over SSH."""

    @model_validator(mode="after")
    def _check_one(self) -> Destination:
        said = [name for name, value in self if value is not None]
        if len(said) == 1:
            return self
        message = f"{' and '.join(said)} are two" if said else "is none"
        raise Inconsistent([Problem("", f"{message}; name exactly one of s3, directory and sftp")])


class Keep(Strict):
    """Backups that stay at the destination: all of the last 24 hours, and the newest of each day, week and month."""

    daily: Annotated[int, Field(ge=1, le=366)] = 7
    """Days."""
    weekly: Annotated[int, Field(ge=0, le=520)] = 4
    """Weeks."""
    monthly: Annotated[int, Field(ge=0, le=120)] = 6
    """Months."""


class Settings(ComponentSettings):
    """Encrypted backups of the data of the stack itself: samples, lines, silences, users and certificates."""

    enabled: bool = False
    """Whether the component is deployed."""
    schedule: CronTime = "15 3 * * *"
    """When each part is backed up, as crontab has it, in UTC."""
    verify: CronTime = "45 4 * * sun"
    """When the newest backup is fetched and each of its files compared, as crontab has it, in UTC."""
    keep: Keep = Field(default_factory=Keep)
    """Backups that stay."""
    destination: Destination | None = None
    """Where they go; required."""

    @model_validator(mode="after")
    def _check_destination(self) -> Settings:
        if self.enabled and self.destination is None:
            raise Inconsistent([Problem("destination", "is required: name exactly one of s3, directory and sftp")])
        return self
