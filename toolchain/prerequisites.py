"""All that a deployment needs, at once: Go builds in a row, and beside them whatever waits for the network."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import docker
from docker.errors import DockerException

from toolchain import plan, pulumi_cli, upstream
from toolchain.assemble import ensure_image, image_path, recipe_for
from toolchain.context import Context
from toolchain.engine import engine_address, ensure_engine
from toolchain.errors import ToolchainError
from toolchain.golang import GoBuild
from toolchain.images import ImageSpec
from toolchain.oci import BuiltImage
from toolchain.recipes import RECIPES, Source
from toolchain.registry import Registry
from toolchain.run import end_all

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

    def build(self, work: Callable[[], object]) -> Future[object]:
        """Queue `work` behind the other builds."""
        return self._add(self._builds, work)

    def package(self, work: Callable[[], object]) -> Future[object]:
        """Queue work that mostly waits for the network."""
        return self._add(self._packages, work)

    def image(self, work: Callable[[], object]) -> Future[object]:
        """Queue work that first waits for other jobs."""
        return self._add(self._images, work)

    def source(self, context: Context, source: Source) -> Future[object]:
        """The job that gets `source`, queued once."""
        if source not in self._sources:
            queue = self.build if isinstance(source, GoBuild) else self.package
            self._sources[source] = queue(lambda: source.ensure(context))
        return self._sources[source]

    def finish(self) -> None:
        """Wait for all; the first failure ends the others and is raised."""
        done, _ = wait(self._all, return_when=FIRST_EXCEPTION)
        failed = next((f for f in done if f.exception() is not None), None)
        for executor in (self._images, self._builds, self._packages):
            executor.shutdown(wait=False, cancel_futures=True)
        if failed is not None:
            end_all()
            failed.result()

    def _add(self, executor: ThreadPoolExecutor, work: Callable[[], object]) -> Future[object]:
        future = executor.submit(work)
        self._all.append(future)
        return future


def up_prerequisites(context: Context, registry: Registry, specs: dict[str, ImageSpec]) -> Outcome:
    """Pulumi, an engine, and every image, built and served locally if it cannot be pulled."""
    buildable = [s for s in specs.values() if s.name in RECIPES]
    pull = not _all_built(context, buildable) and upstream.all_pullable(context, specs.values())
    needed = [s for s in buildable if upstream.is_local(s)] if pull else buildable
    context.progress.say(plan.describe(plan.plan_pulumi(context) + plan.plan_images(context, needed)))
    jobs = Jobs()
    engine = jobs.package(lambda: ensure_engine(context))
    jobs.build(lambda: pulumi_cli.ensure_pulumi(context))
    deliver = _loader(context, engine) if pull else _pusher(context, registry, jobs.package(registry.ensure))
    built = _queue_images(context, jobs, needed, deliver)
    jobs.finish()
    digests = {name: str(future.result()) for name, future in built.items()}
    if not pull:
        refresh_engine(context, registry, [(spec, digests[spec.name]) for spec in needed])
    return Outcome(None if pull else registry.address, digests)


def ensure_images(context: Context, registry: Registry, specs: Iterable[ImageSpec]) -> dict[str, str]:
    """Make the images and have the registry serve them; their digests by name."""
    jobs = Jobs()
    deliver = _pusher(context, registry, jobs.package(registry.ensure))
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


def refresh_engine(context: Context, registry: Registry, made: Iterable[tuple[ImageSpec, str]]) -> None:
    """Pull again what this machine's engine holds under a mirror name with another digest than the registry's.

    An engine never asks again for a tag that it has, so an image that was built anew would stay the old one.
    """
    if not engine_address(context).startswith("unix://"):
        return
    client = docker.DockerClient(base_url=engine_address(context))
    try:
        held = {tag: image for image in client.images.list() for tag in image.tags}
        for spec, digest in made:
            name = f"{registry.address}/{spec.repository}"
            image = held.get(f"{name}:{spec.tag}")
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
        recipe_for(spec)
    waiting: dict[str, list[Future[object]]] = {}
    for spec in listed:
        absent = not image_path(context, spec).is_dir()
        waiting[spec.name] = [jobs.source(context, s) for s in recipe_for(spec).sources()] if absent else []

    def finish(spec: ImageSpec) -> str:
        for future in waiting[spec.name]:
            future.result()
        image = ensure_image(context, spec)
        deliver(spec, image)
        return image.digest

    # An image that waits holds one of few threads, so those that are ready first are queued first.
    ordered = sorted(listed, key=lambda s: _last_build(s, listed))
    return {spec.name: jobs.image(partial(finish, spec)) for spec in ordered}


def _last_build(spec: ImageSpec, listed: list[ImageSpec]) -> int:
    builds = any(isinstance(source, GoBuild) for source in recipe_for(spec).sources())
    return listed.index(spec) + 1 if builds else 0


def _all_built(context: Context, specs: Iterable[ImageSpec]) -> bool:
    return all(image_path(context, spec).is_dir() for spec in specs)


def _pusher(context: Context, registry: Registry, ready: Future[object]) -> Deliver:
    def push(spec: ImageSpec, image: BuiltImage) -> None:
        ready.result()
        if registry.client.push(spec, image):
            context.progress.say(f"{spec.name}: served as {registry.address}/{spec.repository}:{spec.tag}")

    return push


def _loader(context: Context, engine: Future[object]) -> Deliver:
    """Deliver our own images straight to the engine: where upstream's are pulled, there is no mirror to serve ours."""

    def load(spec: ImageSpec, image: BuiltImage) -> None:
        engine.result()
        address = engine_address(context)
        client = docker.DockerClient(base_url=address, use_ssh_client=address.startswith("ssh://"))
        with tempfile.TemporaryDirectory() as scratch:
            archive = Path(scratch) / "image.tar"
            image.archive(f"{spec.repository}:{spec.tag}", archive)
            with archive.open("rb") as data:
                client.images.load(data)
        client.close()

    return load
