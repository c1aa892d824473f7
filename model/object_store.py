"""An object store that speaks the S3 protocol, as settings; its secret key is named as a secret and never said."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from model.addresses import Endpoint
from model.base import Bucket, Name, Pem, Strict
from model.errors import Inconsistent, Problem
from model.workload import SecretFile


class S3(Strict):
    """A bucket of Amazon's S3, or of any server that speaks its protocol."""

    bucket: Bucket
    """The bucket; it exists already."""
    endpoint: Endpoint | None = None
    """Host of the server, with a port where it has one; Amazon's own server of the region when absent."""
    region: Name | None = None
    """Region of the bucket; servers other than Amazon's mostly take any."""
    access_key_id: Annotated[str, Field(pattern=r"^[^\s\"'\\{}]+$", examples=["AKIAIOSFODNN7EXAMPLE"])] | None = None
    """Name of the access key, whose other half is a secret; when absent, the platform gives the process an identity."""
    insecure: bool = False
    """Speak plain HTTP with the server."""
    ca_certificate: Pem | None = None
    """PEM text of who signed the server's certificate; those that are known to everyone when absent."""
    path_style: bool = True
    """Name the bucket in the path of an address, which all servers take, instead of in its host name."""

    @model_validator(mode="after")
    def _check_endpoint(self) -> S3:
        problems = []
        if self.endpoint is None and self.region is None:
            problems.append(
                Problem("region", "is required, as no endpoint is named: Amazon has a server for each region")
            )
        if self.endpoint is None and self.insecure:
            problems.append(
                Problem("insecure", "true: Amazon's own servers are not asked without TLS; name an endpoint")
            )
        if problems:
            raise Inconsistent(problems)
        return self


class Storage(Strict):
    """Where much data is kept."""

    s3: S3 | None = None
    """A bucket; the volume alone when absent."""


def build_access(s3: S3 | None, *, file: str, secret: str) -> dict[str, Any]:
    """What a workload needs to use the bucket, as arguments of `Workload`; the access key is a file of its own.

    Amazon's SDK, which most programs use, reads it: https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html

    Args:
        s3: the bucket; None where there is none, so that nothing is needed.
        file: path of the file.
        secret: name of the plan's secret that holds the secret key.
    """
    if s3 is None:
        return {}
    # servers other than Amazon's do not all know the checksums that its SDK adds by itself
    env = {"AWS_REQUEST_CHECKSUM_CALCULATION": "when_required"} if s3.endpoint else {}
    if s3.access_key_id is None:
        return {"egress": "anywhere", "env": env}
    text = f"[default]\naws_access_key_id = {s3.access_key_id}\naws_secret_access_key = {{}}\n"
    env |= {"AWS_SHARED_CREDENTIALS_FILE": file, "AWS_EC2_METADATA_DISABLED": "true"}
    return {"egress": "anywhere", "env": env, "secrets": (SecretFile(path=file, secret=secret, template=text),)}
