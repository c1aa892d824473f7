"""All that a deployment needs, at once: Go builds in a row, and beside them whatever waits for the network."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from toolchain import plan, pulumi_cli, upstream
from toolchain.assemble import ensure_image, find_image_path, find_recipe
from toolchain.context import Context
from toolchain.engine import ensure_engine, find_engine_address, open_client
from toolchain.errors import ToolchainError
from toolchain.golang import GoBuild
from toolchain.images import ImageSpec
from toolchain.oci import BuiltImage
from toolchain.recipe import Source
from toolchain.recipes import RECIPES
from toolchain.registry import Registry
from toolchain.run import end_all_commands

PACKAGE_JOBS = 3
IMAGE_JOBS = 3


@dataclass(frozen=True)
class Outcome:
    """What a deployment has to know: the mirror to pull from (None for upstream), and the digests that we made."""

    registry_mirror: str | None
    digests: dict[str, str]

    def write(self, path: Path) -> None:
        """Write the outcome as JSON, whole or not at all."""
        document = {"registryMirror": self.registry_mirror, "digests": self.digests}
        draft = path.with_name(f".{path.name}.draft")
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n")
        draft.rename(path)


class Jobs:
    """Three queues: builds (one at a time), packages, and images, which wait for what they are made from."""

    def __init__(self) -> None:
        self._builds = ThreadPoolExecutor(max_workers=1)
        self._packages = ThreadPoolExecutor(max_workers=PACKAGE_JOBS)
        self._images = ThreadPoolExecutor(max_workers=IMAGE_JOBS)
        self._all: list[Future[object]] = []
        self._sources: dict[Source, Future[object]] = {}

    def queue_build(self, work: Callable[[], object]) -> Future[object]:
        """Queue `work` behind the other builds."""
        return self._queue_work(self._builds, work)

    def queue_package(self, work: Callable[[], object]) -> Future[object]:
        """Queue work that mostly waits for the network."""
        return self._queue_work(self._packages, work)

    def queue_image(self, work: Callable[[], object]) -> Future[object]:
        """Queue work that first waits for other jobs."""
        return self._queue_work(self._images, work)

    def queue_source(self, context: Context, source: Source) -> Future[object]:
        """The job that gets `source`, queued once."""
        if source not in self._sources:
            queue = self.queue_build if isinstance(source, GoBuild) else self.queue_package
            self._sources[source] = queue(lambda: source.ensure(context))
        return self._sources[source]

    def finish(self) -> None:
        """Wait for all; the first failure ends the others and is raised."""
        done, _ = wait(self._all, return_when=FIRST_EXCEPTION)
        failed = next((f for f in done if f.exception() is not None), None)
        for executor in (self._images, self._builds, self._packages):
            executor.shutdown(wait=False, cancel_futures=True)
        if failed is not None:
            end_all_commands()
            failed.result()

    def _queue_work(self, executor: ThreadPoolExecutor, work: Callable[[], object]) -> Future[object]:
        future = executor.submit(work)
        self._all.append(future)
        return future


def ensure_prerequisites(context: Context, registry: Registry, specs: dict[str, ImageSpec]) -> Outcome:
    """Pulumi, an engine, and every image, built and served locally if it cannot be pulled."""
    buildable = [s for s in specs.values() if s.name in RECIPES]
    pull = not _is_all_built(context, buildable) and upstream.can_pull_all(context, specs.values())
    needed = [s for s in buildable if upstream.is_local(s)] if pull else buildable
    with plan.following_plan(context, plan.plan_pulumi(context) + plan.plan_images(context, needed)):
        digests = _get_all(context, registry, needed, pull=pull)
    if not pull:
        refresh_engine(context, registry, [(spec, digests[spec.name]) for spec in needed])
    return Outcome(None if pull else registry.address, digests)


def _get_all(context: Context, registry: Registry, needed: list[ImageSpec], *, pull: bool) -> dict[str, str]:
    """Pulumi, the engine and the images that are made here, whose digests it gives."""
    jobs = Jobs()
    engine = jobs.queue_package(lambda: ensure_engine(context))
    jobs.queue_build(lambda: pulumi_cli.ensure_pulumi(context))
    deliver = (
        _build_loader(context, engine)
        if pull
        else _build_pusher(context, registry, jobs.queue_package(registry.ensure))
    )
    built = _queue_images(context, jobs, needed, deliver)
    jobs.finish()
    return {name: str(future.result()) for name, future in built.items()}


def ensure_images(context: Context, registry: Registry, specs: Iterable[ImageSpec]) -> dict[str, str]:
    """Make the images and have the registry serve them; their digests by name."""
    jobs = Jobs()
    deliver = _build_pusher(context, registry, jobs.queue_package(registry.ensure))
    built = _queue_images(context, jobs, specs, deliver)
    jobs.finish()
    return {name: str(future.result()) for name, future in built.items()}


def make_images(
    context: Context, specs: Iterable[ImageSpec], deliver: Callable[[ImageSpec, BuiltImage], object]
) -> None:
    """Make the images and hand each to `deliver` as soon as it is made."""
    jobs = Jobs()
    _queue_images(context, jobs, specs, deliver)
    jobs.finish()


def refresh_engine(context: Context, registry: Registry, digests: Iterable[tuple[ImageSpec, str]]) -> None:
    """Pull again what this machine's engine holds under a mirror name with another digest than the registry's.

    An engine never asks again for a tag that it has, so an image that was built anew would stay the old one.
    """
    if not find_engine_address(context).startswith("unix://"):
        return
    from docker.errors import DockerException  # noqa: PLC0415  # see open_client

    client = open_client(context)
    try:
        present = {tag: image for image in client.images.list() for tag in image.tags}
        for spec, digest in digests:
            name = f"{registry.address}/{spec.repository}"
            image = present.get(f"{name}:{spec.tag}")
            if image is not None and f"{name}@{digest}" not in image.attrs.get("RepoDigests", []):
                client.images.pull(name, tag=spec.tag)
                context.progress.say(f"{spec.name}: the engine's copy was of an earlier build; pulled anew")
    except DockerException as error:
        raise ToolchainError(f"the engine cannot pull from {registry.address}: {error}") from error
    finally:
        client.close()


Deliver = Callable[[ImageSpec, BuiltImage], object]


def _queue_images(
    context: Context, jobs: Jobs, specs: Iterable[ImageSpec], deliver: Deliver
) -> dict[str, Future[object]]:
    """Queue each image's sources and then the image itself; quick sources first, so that images come early."""
    listed = list(specs)
    for spec in listed:
        find_recipe(spec)
    waiting: dict[str, list[Future[object]]] = {}
    for spec in listed:
        absent = not find_image_path(context, spec).is_dir()
        waiting[spec.name] = [jobs.queue_source(context, s) for s in find_recipe(spec).list_sources()] if absent else []

    def finish_image(spec: ImageSpec) -> str:
        for future in waiting[spec.name]:
            future.result()
        image = ensure_image(context, spec)
        deliver(spec, image)
        return image.digest

    # An image that waits holds one of few threads, so those that are ready first are queued first.
    ordered = sorted(listed, key=lambda s: _find_last_build(s, listed))
    return {spec.name: jobs.queue_image(partial(finish_image, spec)) for spec in ordered}


def _find_last_build(spec: ImageSpec, listed: list[ImageSpec]) -> int:
    builds = any(isinstance(source, GoBuild) for source in find_recipe(spec).list_sources())
    return listed.index(spec) + 1 if builds else 0


def _is_all_built(context: Context, specs: Iterable[ImageSpec]) -> bool:
    return all(find_image_path(context, spec).is_dir() for spec in specs)


def _build_pusher(context: Context, registry: Registry, ready: Future[object]) -> Deliver:
    def push_image(spec: ImageSpec, image: BuiltImage) -> None:
        ready.result()
        if registry.client.push(spec, image):
            context.progress.say(f"{spec.name}: served as {registry.address}/{spec.repository}:{spec.tag}")

    return push_image


def _build_loader(context: Context, engine: Future[object]) -> Deliver:
    """Deliver our own images straight to the engine: where upstream's are pulled, there is no mirror to serve ours."""

    def load_image(spec: ImageSpec, image: BuiltImage) -> None:
        engine.result()
        client = open_client(context)
        with tempfile.TemporaryDirectory() as scratch:
            archive = Path(scratch) / "image.tar"
            image.write_archive(f"{spec.repository}:{spec.tag}", archive)
            with archive.open("rb") as data:
                client.images.load(data)
        client.close()

    return load_image
