"""One-shot containers that bring documents and secrets to a workload, as plain data.

Documents and secrets travel as uploads through the engine's API, so a remote engine needs nothing of the deployer's
disk. The secrets' container never runs; that of the documents runs targets/deliver.sh. See docs/adr/0002.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from model.images import HELPER
from model.workload import MIB, SECRETS_DIR, ConfigDir, SecretFile, Workload
from targets.docker.containers import find_process_name
from targets.docker.shared import TOOLS, Inputs, Late, Scope, build_data_mounts, build_mount, build_secret_mounts
from targets.environment import build_reload_environment

DOCUMENTS = "/documents"
"""Where the documents of a delivery lie in its container, outside of every volume."""
SCRIPT = Path(__file__).parents[1] / "deliver.sh"
_LEAST_MIB = 128
"""Memory of the documents' container: a validator needs about as much as its process, a shell alone less than this."""
_NO_DOCUMENTS = ConfigDir(path="/none", files={})


def build_secrets(scope: Scope, workload: Workload) -> Inputs:
    """A container that never runs: its uploads land straight on the secrets volume, and nowhere else.

    It has no `user`, else the engine would give the files to that one instead of the owner named here.
    """
    name = scope.name_resource(f"{workload.name}-secrets")
    return {
        "name": name,
        "image": Late("image", HELPER),
        "command": ["true"],
        "start": False,
        "must_run": False,
        "restart": "no",
        "network_mode": "none",
        "capabilities": {"drops": ["ALL"]},
        **scope.build_confinement(32, sees_host=workload.sees_host),
        "volumes": [{"volume_name": Late("volume", name), "container_path": SECRETS_DIR}],
        "uploads": [_build_secret_upload(scope, workload, secret) for secret in workload.secrets],
        "labels": scope.build_labels(workload.name, role="secrets", reason="never started: carries files to a volume"),
    }


def _build_secret_upload(scope: Scope, workload: Workload, secret: SecretFile) -> Inputs:
    owner = str(scope.find_owner(workload))
    value = Late("secret", secret.secret, secret.template)
    return {"file": secret.path, "content": value, "permissions": "0400", "owner": owner, "group": owner}


def needs_delivery(workload: Workload) -> bool:
    """Whether something has to run before a workload's process: documents, or directories to give to its user."""
    return bool(workload.config or workload.volumes)


def build_configure(scope: Scope, workload: Workload) -> Inputs:
    """The one-shot container that delivers documents and gives data directories to the service's user."""
    config = workload.config or _NO_DOCUMENTS
    revision = config.compute_revision()  # once: it digests every document
    return {
        "name": scope.name_resource(f"{workload.name}-configure"),
        "image": Late("image", workload.image),
        "entrypoints": [f"{TOOLS}/busybox", "sh", "/deliver.sh"],
        "command": [],
        "user": "0:0",
        "network_mode": Late("network", scope.network),
        "networks_advanced": [{"name": Late("network", scope.network)}],
        "capabilities": {"adds": ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER"], "drops": ["ALL"]},
        **scope.build_confinement(max(_LEAST_MIB, workload.limits.memory // MIB), sees_host=workload.sees_host),
        "tmpfs": {"/tmp": "rw,nosuid,nodev,size=64m"},  # noqa: S108 - inside the container
        "envs": sorted(_build_environment(scope, workload, config, revision), key=str),
        "volumes": [
            build_mount(Late("volume", scope.name_resource("tools")), TOOLS),
            {
                "volume_name": Late("volume", scope.name_resource(f"{workload.name}-config")),
                "container_path": "/config",
            },
            *build_data_mounts(scope, workload),
            *build_secret_mounts(scope, workload),
        ],
        "uploads": _build_uploads(config),
        "labels": scope.build_labels(
            workload.name, role="configure", reason="one-shot: root writes what the service may only read"
        ),
        "must_run": False,
        "attach": True,
        "logs": True,
        "restart": "no",
    }


def _build_uploads(config: ConfigDir) -> list[Inputs]:
    script = SCRIPT.read_text(encoding="utf-8")
    uploads = [{"file": "/deliver.sh", "content": script}]
    if config.files:  # the provider takes no empty file
        uploads.append({"file": DOCUMENTS, "content": pack_documents(config.files)})
    return uploads


def pack_documents(files: Mapping[str, str]) -> str:
    """All documents as one text: one upload costs the provider a fraction of many, and a preview still shows each line.

    Before each document stands a line with its SHA-256, its number of lines, `+` where the last of them ends and `-`
    where it does not, and its path. `targets/deliver.sh` takes it apart.
    """
    return "".join(_pack_document(path, text) for path, text in sorted(files.items()))


def _pack_document(path: str, text: str) -> str:
    whole = text if text.endswith("\n") or not text else f"{text}\n"
    ends = "+" if whole == text else "-"
    return f"{hashlib.sha256(text.encode()).hexdigest()} {whole.count(chr(10))} {ends} {path}\n{whole}"


def _build_environment(scope: Scope, workload: Workload, config: ConfigDir, revision: str) -> Iterator[str | Late]:
    """The environment of deliver.sh: it holds no secret, but changes with those that are read at a delivery."""
    yield from (f"{key}={value}" for key, value in _build_delivery(scope, workload, config, revision).items())
    if config.reload:
        process = find_process_name(scope, workload)
        yield Late("mark", process.name, f"HOST={process.template}") if isinstance(process, Late) else f"HOST={process}"
    if workload.list_secrets_read(again=True):
        yield Late("mark", "reread", "SECRETS={}")


def _build_delivery(scope: Scope, workload: Workload, config: ConfigDir, revision: str) -> dict[str, str]:
    values = {
        "NAME": workload.name,
        "OWNER": str(scope.find_owner(workload)),
        "REVISION": revision,
        "DOCUMENTS": str(len(config.files)),
        "DATA_DIRS": " ".join(volume.path for volume in workload.volumes),
    }
    if config.validate:
        command = [part.replace("{dir}", f"/config/.rev-{revision}") for part in config.validate]
        values["VALIDATE"] = shlex.join(command)
        if config.validate_seconds:
            values["VALIDATE_SECONDS"] = str(config.validate_seconds)
            values["VALIDATE_MARKER"] = config.validate_marker
            values["VALIDATE_IGNORE"] = config.validate_ignore or ""
    return values | build_reload_environment(config.reload) if config.reload else values
