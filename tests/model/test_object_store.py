"""Buckets as settings, and what a workload needs to use one."""

from __future__ import annotations

from typing import Any

import pytest

from model.errors import ConfigError
from model.load import parse_model
from model.object_store import S3, build_access

FILE = "/run/secrets/key"


def bucket(**more: object) -> S3:
    """A bucket with something said about it."""
    return parse_model(S3, {"bucket": "lines", **more}, "x")


def test_the_secret_key_is_a_file_of_its_own() -> None:
    """Its template names the key's other half; the environment holds nothing but the file's path."""
    needs = build_access(bucket(endpoint="s3:9000", accessKeyId="KEY"), file=FILE, secret="s3-key")
    (file,) = needs["secrets"]
    assert (file.path, file.secret) == (FILE, "s3-key")
    assert file.template.replace("{}", "sesame").splitlines() == [
        "[default]",
        "aws_access_key_id = KEY",
        "aws_secret_access_key = sesame",
    ]
    assert needs["env"]["AWS_SHARED_CREDENTIALS_FILE"] == FILE and "KEY" not in str(needs["env"])
    assert needs["egress"] == "anywhere"


def test_without_a_key_the_platform_says_who_it_is() -> None:
    """Nothing keeps the SDK from asking for the identity of the process."""
    assert build_access(bucket(region="eu-central-1"), file=FILE, secret="s3-key") == {"egress": "anywhere", "env": {}}


def test_without_a_bucket_nothing_is_needed() -> None:
    """Neither variables nor a way out."""
    assert build_access(None, file=FILE, secret="s3-key") == {}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "region: is required, as no endpoint is named"),
        ({"region": "eu-1", "insecure": True}, "insecure: true: Amazon's own servers are not asked without TLS"),
        ({"endpoint": "https://s3.example.com"}, "must be a host, with a port where it has one, without a scheme"),
        ({"endpoint": "s3:99999"}, "the port must be a number from 1 to 65535"),
        ({"endpoint": "s3", "bucket": "Lines"}, "must be 3 to 63 lower-case letters"),
        ({"endpoint": "s3", "accessKeyId": "a\nb"}, "must be text without spaces, quotes, backslashes and braces"),
        ({"endpoint": "s3", "secretAccessKey": "x"}, "unknown key 'secretAccessKey'; did you mean 'accessKeyId'?"),
    ],
)
def test_nonsense_is_refused(given: dict[str, Any], words: str) -> None:
    """Each with its place and what would be right."""
    with pytest.raises(ConfigError) as caught:
        bucket(**given)
    assert words in str(caught.value)
