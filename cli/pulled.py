"""Images that an engine lacks, pulled before Pulumi asks for them: what cannot be had is one sentence then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import docker
from docker.errors import APIError, DockerException, ImageNotFound

from cli.waiting import SHOWN
from model.checks.needs import shorten_names
from model.errors import ConfigError, Problem
from model.places import locate_in_section, locate_settings_file

AT_ONCE = 4
"""Images that are pulled at the same time: an engine gets three layers of each at once."""


class PullError(ConfigError):
    """Images that a stack needs cannot be pulled. The message says which, why, and what to do."""


def pull_images(client: docker.DockerClient, references: Sequence[str]) -> dict[str, str]:
    """Pulls what an engine does not have yet. Returns the registry's answer for each that cannot be pulled."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = pool.map(lambda reference: _pull(client, reference), references)
        return {reference: answer for reference, answer in zip(references, answers, strict=True) if answer}


def _pull(client: docker.DockerClient, reference: str) -> str:
    try:
        client.images.get(reference)
    except ImageNotFound:
        try:
            client.images.pull(reference)
        except APIError as error:
            return str(error.explanation or error)
        except DockerException as error:
            return str(error)
    return ""


def find_registry(reference: str) -> str:
    """The registry of a reference: `find_registry("grafana/loki:3.7") == "docker.io"`."""
    first, slash, _ = reference.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else "docker.io"


def build_refusal(stack: str, refused: Mapping[str, str], added: Mapping[str, Any]) -> PullError:
    """One problem for each registry: its images, its answer and what to do.

    `added` is what the toolchain says that this machine adds to a stack's settings, such as a mirror.
    """
    groups: dict[str, list[str]] = {}
    for reference in refused:
        groups.setdefault(find_registry(reference), []).append(reference)
    return PullError(
        Problem(
            f"registry {registry}", f"{shorten_names(names, SHOWN)} cannot be pulled ({refused[names[0]]}); {advice}"
        )
        for advice in [_advise(stack, added)]
        for registry, names in groups.items()
    )


def _advise(stack: str, added: Mapping[str, Any]) -> str:
    mirror = (added.get("docker") or {}).get("registryMirror")
    if not mirror:
        where = locate_in_section(stack, "docker", "registryMirror")
        return f"let the engine reach it, or name a registry (host:port) that serves the same: {where}"
    # with a backend of one's own nothing is added to the stack's file
    said = [
        f"observability:{name}: {{{', '.join(f'{k}: {v}' for k, v in keys.items())}}}" for name, keys in added.items()
    ]
    return f"this machine serves it at {mirror}: write into {locate_settings_file(stack)} {' and '.join(said)}"
