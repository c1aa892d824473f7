"""The log files that are read beside the output of containers, and how."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from components.lines.reading import Reading, build_reading, select_fields
from model.component import Planned, Planning
from model.lines import Multiline
from model.logs import HostLog, Logs, derive_folder
from model.naming import can_share_files, derive_demo_log_volume
from model.telemetry import LogFile
from model.workload import HostMount, SharedVolume

HOST_DIR = "/host"
"""Where an agent sees the folders of its host."""


def list_log_files(context: Planned) -> tuple[LogFile, ...]:
    """The log files of the system and of all components.

    A stand-in writes one file, so in a demo the first entry has it, and one that nothing else writes is left out.
    """
    files: list[LogFile] = []
    owners = {service.logs.file: key for key, service in context.system.services.items() if service.logs.file}
    for log in context.system.host_logs:
        stand_ins = {key for other in files for key in other.demo} if context.settings.demo else set()
        writers = tuple(key for key in log.written_by if key not in stand_ins)
        if writers or not log.written_by:
            files.append(_build_log_file(log, writers, owners.get(log.job, "")))
    return (*files, *context.telemetry.log_files)


def _build_log_file(log: HostLog, writers: tuple[str, ...], service: str) -> LogFile:
    return LogFile(
        job=log.job,
        path=log.path,
        exclude=log.exclude,
        labels=log.labels,
        label_fields=log.label_fields,
        demo=writers,
        group=log.group,
        service=service,
        format=log.format,
        expression=log.expression,
        fields=log.fields,
        time=log.time,
        multiline=log.multiline,
    )


def name_log_files(logs: Sequence[LogFile]) -> Iterator[tuple[str, LogFile]]:
    """Each under a name of its own: several may have one label job, as files of one application do."""
    seen = Counter[str]()
    for log in logs:
        seen[log.job] += 1
        yield (log.job if seen[log.job] == 1 else f"{log.job}.{seen[log.job]}"), log


def list_file_labels(log: LogFile) -> dict[str, str]:
    """The labels that all lines of a file have."""
    return {"job": log.job, "service": log.service or log.job, **log.labels}


def find_joined(context: Planning, log: LogFile) -> Multiline | None:
    """Which lines of a file are one entry, as its own entry or its service says."""
    own = _find_service(context, log)
    return log.multiline or (own.multiline if own else None)


def _find_service(context: Planning, log: LogFile) -> Logs | None:
    return context.system.services[log.service].logs if log.service else None


def build_file_reading(context: Planning, log: LogFile) -> Reading:
    """How lines of a file are read: as its service says, with the labels that the file's entry adds."""
    service = _find_service(context, log)
    own = build_reading(service) if service else None
    if own and own.format == "text":
        return own
    written = [name for key in log.demo for name in build_reading(context.system.services[key].logs).fields]
    fields = [*(own.fields if own else ()), *log.fields, *(written if log.format != "text" else ())]
    labels = dict.fromkeys([*(own.labels if own else ()), *log.label_fields])
    return select_fields(own or Reading(format=log.format, expression=log.expression), list(labels), fields)


def build_glob(context: Planning, log: LogFile) -> str:
    """Where an agent sees the files; in a demo each stand-in's are in a directory of their own."""
    path = PurePosixPath(log.path)
    if context.settings.demo and log.demo and can_share_files(context):
        writers = log.demo[0] if len(log.demo) == 1 else f"{{{','.join(log.demo)}}}"
        return f"{HOST_DIR}{path.parent}/{writers}/*.log"
    return f"{HOST_DIR}{path}"


def list_shared_volumes(context: Planned) -> tuple[SharedVolume, ...]:
    """The volumes to which stand-ins write what would be log files of the host."""
    if not (context.settings.demo and can_share_files(context)):
        return ()
    return tuple(
        SharedVolume(name=derive_demo_log_volume(key), path=f"{HOST_DIR}{PurePosixPath(log.path).parent}/{key}")
        for log in list_log_files(context)
        for key in log.demo
    )


def list_host_files(context: Planned) -> list[LogFile]:
    """The log files that are the host's own, and not on a volume of a stand-in."""
    shared = list_shared_volumes(context)
    return [log for log in list_log_files(context) if not (shared and log.demo)]


def list_writers(context: Planned) -> tuple[str, ...]:
    """The stand-ins that write to a shared volume."""
    return tuple(key for log in list_log_files(context) for key in log.demo) if list_shared_volumes(context) else ()


def build_folder_mounts(context: Planned, reason: str) -> tuple[HostMount, ...]:
    """The folders of the host's log files.

    A missing folder would be made as root's, where the application that comes later could not write; of the many nodes
    of a cluster not all have it.
    """
    create = context.settings.target == "kubernetes"
    folders = list_folders(list_host_files(context))
    return tuple(HostMount(source=each, path=f"{HOST_DIR}{each}", reason=reason, create=create) for each in folders)


def list_groups(context: Planned) -> tuple[int, ...]:
    """The groups that may read the host's log files."""
    return tuple(sorted({log.group for log in list_host_files(context) if log.group is not None}))


def list_folders(read: Sequence[LogFile]) -> list[str]:
    """The folders of the host that hold all these files, none of them below another."""
    folders = sorted({derive_folder(log.path) for log in read})
    return [path for path in folders if not any(path.startswith(f"{other}/") for other in folders)]
