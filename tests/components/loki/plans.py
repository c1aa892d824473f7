"""What tests of Loki share."""

from __future__ import annotations

import json
from pathlib import Path

from model.plan import Plan
from stack.assemble import ConfigValue
from tests.support.systems import plan_cluster

S3 = {"endpoint": "minio.internal:9000", "bucket": "lines", "accessKeyId": "KEY", "insecure": True}


KEY = {"loki-s3-secret-key": ConfigValue("", secret=True)}


def scaled(folder: Path, **more: object) -> Plan:
    """A shop on a cluster whose Loki runs in parts."""
    section = {"mode": "simpleScalable", "storage": {"s3": S3}, **more}
    return plan_cluster(folder, settings={"loki": json.dumps(section), **KEY})
