"""Backups: beside each workload that has data an agent, which copies that to where it outlives the machine.

The program is images/backup. Off by default, as a destination has to be named. Decisions: docs/adr/0026-backup.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from components.backup import mixin as pack
from components.backup.documents import list_secret_names, render_document
from components.backup.settings import (
    ACCESS_KEY,
    CONFIG_DIR,
    DATA_DIR,
    DESTINATION_DIR,
    DOCUMENT,
    METRICS_PORT,
    NAME,
    PASSPHRASE,
    PRIVATE_KEY,
    PROGRAM,
    SCRATCH_DIR,
    SECRET_KEY,
    Settings,
)
from components.base import build_limits
from model.addresses import is_loopback
from model.backups import BackupSource
from model.component import Component, Planned, Planning
from model.errors import Problem
from model.naming import build_scrape_targets
from model.places import locate_in_section
from model.secret import Secret
from model.telemetry import BACKUPS, RuleGroup, ScrapeJob, SeriesCount, StackRow, Telemetry
from model.workload import (
    SECRETS_DIR,
    ConfigDir,
    DataVolume,
    Exemption,
    HostMount,
    HttpProbe,
    Port,
    Reload,
    SecretFile,
    SharedVolume,
    Workload,
)

PURPOSES = {
    PASSPHRASE: "what backups are encrypted with; without it they are of no use, so it has to be somewhere else too",
    ACCESS_KEY: "the access key of the bucket that backups go to",
    SECRET_KEY: "the other half of the access key of the bucket that backups go to",
    PRIVATE_KEY: "the private key of the user that writes backups over SSH",
}
PERMANENT = (
    "what is at the destination can be read with the present one alone; for another one, switch backups to another"
    " destination (or prefix) first, and keep the old passphrase with the old backups"
)
REASON = "backups are written to a directory of the host"


def derive_agent_name(workload: str) -> str:
    """The agent that stands beside a workload."""
    return f"{NAME}-{workload}"


def build_agent(own: Settings, context: Planned, source: BackupSource) -> Workload:
    """The agent of one volume: it has the user of whoever writes there, and sees its files without a way to change one.

    Its scratch directory holds copies of files that are being written, a new block as large as all others among them.
    """
    name, path = derive_agent_name(source.workload), f"{CONFIG_DIR}/{DOCUMENT}"
    return Workload(
        name=name,
        image=NAME,
        # the program has some 60 MiB, and rclone buffers of 16 MiB for each of its four transfers, twice
        limits=build_limits(own, memory=384, pids=1024),  # its user's processes are counted, its neighbour's among them
        entrypoint=PROGRAM,
        args=("serve", "--document", path),
        config=ConfigDir(
            path=CONFIG_DIR,
            files={DOCUMENT: render_document(own, context.stack, source)},
            validate=(*PROGRAM, "check", "--document", f"{{dir}}/{DOCUMENT}"),
            reload=Reload(port=METRICS_PORT, path=None, digest_metric="backup_document_info", digest_file=DOCUMENT),
        ),
        secrets=tuple(
            SecretFile(path=f"{SECRETS_DIR}/{secret}", secret=secret, reread=True)
            for secret in list_secret_names(own.destination).values()
        ),
        ports=(Port(number=METRICS_PORT, name="metrics"),),
        volumes=(DataVolume(name=name, path=SCRATCH_DIR, retain=False, size=source.volume.size),),
        shared_volumes=(SharedVolume(name=source.volume.name, path=DATA_DIR),),
        beside=source.workload,
        after=(source.workload,),
        probe=HttpProbe(path="/healthz", port=METRICS_PORT),
        stop_seconds=60,  # a run that is interrupted leaves nothing that the next one has to clear away
        **build_reach(own),
    )


def build_reach(own: Settings) -> dict[str, Any]:
    """How an agent gets to the destination, as arguments of `Workload`."""
    directory = own.destination.directory if own.destination else None
    if directory is None:
        return {"egress": "anywhere"}
    mount = HostMount(source=directory.path, path=DESTINATION_DIR, reason=REASON, writable=True)
    return {"host_mounts": (mount,), "exemptions": (Exemption(rule="host-mount", reason=REASON),)}


def check_directory(own: Settings, context: Planned) -> Iterator[Problem]:
    """A directory of a host where there is none, or where an agent is another user there than its neighbour."""
    if not own.destination or not own.destination.directory:
        return
    where = locate_in_section(context.stack, NAME, "destination.directory")
    if context.settings.target == "kubernetes":
        yield Problem(where, "is a directory of a Docker host, and pods have none that stays; use s3 or sftp")
    elif context.settings.docker.user_namespaces:
        message = "cannot be used, as this engine gives users of containers other numbers (userns-remap)"
        yield Problem(where, f"{message}: what may see the host could not read the data; use s3 or sftp")


def list_remarks(own: Settings, context: Planned) -> Iterator[str]:
    """What a destination does not protect from, and what is not backed up."""
    destination, where = own.destination, locate_in_section(context.stack, NAME, "destination")
    if destination and destination.directory:
        yield (
            f"{where}.directory: {destination.directory.path!r} is on the engine's own host, so it is lost with that"
            " machine unless it is mounted from another one, or copied there"
        )
    if destination and destination.s3 and _is_in_clear(destination.s3.endpoint):
        yield (
            f"{where}.s3.endpoint: {destination.s3.endpoint!r} is asked without TLS: backups are encrypted all the"
            " same, but whoever is on the way can take them away, or hand out old ones"
        )
    section = locate_in_section(context.stack, NAME, "enabled")
    yield from (f"{section}: true, but {sentence}" for sentence in context.telemetry.data_elsewhere)
    for source in context.telemetry.backups:
        if source.instances > 1:
            yield (
                f"{section}: true, and of {source.instances} instances of {source.workload}, which all have the same"
                " data, the first one is backed up; a restore gives it to each"
            )


def _is_in_clear(endpoint: str) -> bool:
    parts = urlsplit(endpoint)
    return parts.scheme == "http" and not is_loopback(parts.hostname or "")


# -- component -------------------------------------------------------------------------------------------------------


class Backup(Component[Settings]):
    """Backups of what the stack itself keeps."""

    name = NAME
    settings = Settings

    def telemetry(self, own: Settings, context: Planning) -> Telemetry:
        """Alerts and panels about all agents; that one is down says TargetDown."""
        return Telemetry(
            offers=(BACKUPS,),
            rows=(StackRow(title="Backups", panels=pack.panels(), position=120),),
            rules=(RuleGroup(name=NAME, alerts=pack.alerts(context.system.tune, own)),),
        )

    def derived(self, own: Settings, context: Planning, collected: Telemetry) -> Telemetry:
        """Each agent is scraped."""
        names = [derive_agent_name(source.workload) for source in collected.backups]
        return Telemetry(
            scrape=tuple(
                ScrapeJob(name=name, series=SeriesCount(target=60), **build_scrape_targets(context, name, METRICS_PORT))
                for name in names
            )
        )

    def problems(self, own: Settings, context: Planned) -> list[Problem]:
        """A directory where there is no host, and a stack without data."""
        problems = list(check_directory(own, context))
        if not context.telemetry.backups:
            where = locate_in_section(context.stack, NAME, "enabled")
            problems.append(Problem(where, "true, but no part of this stack has data of its own; leave it out"))
        return problems

    def warnings(self, own: Settings, context: Planned) -> list[str]:
        """See `list_remarks`."""
        return list(list_remarks(own, context))

    def secrets(self, own: Settings, context: Planning) -> tuple[Secret, ...]:
        """What people have to set: nothing of it is generated, as it would be lost with what it is needed for."""
        return tuple(
            Secret(name=name, purpose=PURPOSES[name], permanent=PERMANENT if name == PASSPHRASE else "")
            for name in list_secret_names(own.destination).values()
        )

    def workloads(self, own: Settings, context: Planned) -> tuple[Workload, ...]:
        """An agent beside each workload that has data."""
        return tuple(build_agent(own, context, source) for source in context.telemetry.backups)
