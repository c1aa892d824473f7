"""Documents and claims."""

from __future__ import annotations

import gzip
import io
import tarfile
from base64 import b64decode
from dataclasses import replace

from model.settings import KubernetesSettings
from model.workload import ConfigDir, DataVolume
from targets.kubernetes import manifests, storage
from targets.kubernetes.shared import ClusterScope
from tests.support.workloads import IMAGES, PLAIN

PLACE = ClusterScope(stack="dev", settings=KubernetesSettings(), images=IMAGES)


def test_documents_keep_their_paths() -> None:
    """Keys of a ConfigMap have no slash; the revision beside them is that of the documents."""
    config = ConfigDir(path="/etc/x", files={"a.yml": "1", "rules/b.yml": "2"})
    item = storage.build_config_map(PLACE, replace(PLAIN, config=config))
    assert item is not None
    assert item["data"] == {"a.yml": "1", "rules__b.yml": "2", ".revision": config.compute_revision()}


def test_large_documents_are_packed() -> None:
    """More than a ConfigMap may hold goes in as one archive, the same bytes for the same content."""
    files = {f"rules/{number}.yml": "- alert: Example\n" * 5000 for number in range(20)}
    item = storage.build_config_map(PLACE, replace(PLAIN, config=ConfigDir(path="/etc/x", files=files)))
    assert item is not None and set(item["data"]) == {".revision"}
    packed = b64decode(item["binaryData"][".documents.tar.gz"])
    assert len(packed) < 900_000
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(packed))) as tar:
        assert {entry.name for entry in tar} == set(files)
    assert storage.pack_archive(files) == packed


def test_claims_are_named_as_a_stateful_set_looks_for_them() -> None:
    """One claim for each volume of each instance, of the size and class that are wanted."""
    scope = replace(PLACE, settings=KubernetesSettings.model_validate({"storageClass": "fast"}))
    workload = replace(PLAIN, name="db", replicas=2, volumes=(DataVolume(name="data", path="/d", size=5 * 2**30),))
    found = [item for _, item in storage.build_claims(scope, workload)]
    assert [item["metadata"]["name"] for item in found] == ["data-db-0", "data-db-1"]
    assert found[0]["spec"]["resources"]["requests"] == {"storage": "5Gi"}
    assert found[0]["spec"]["storageClassName"] == "fast"
    template = manifests.build_controller(scope, workload)["spec"]["volumeClaimTemplates"]
    assert [item["metadata"]["name"] for item in template] == ["data"]
