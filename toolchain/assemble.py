"""Put an image together from its recipe: files, the libraries they need, certificates, users, a place to write."""

from __future__ import annotations

from pathlib import Path

from toolchain.cache import Inputs, compute_tree_digest
from toolchain.context import HERE, Context
from toolchain.debian import DebianPackages
from toolchain.elf import read_elf
from toolchain.errors import ToolchainError
from toolchain.guests import GUEST_RECIPES
from toolchain.images import ImageSpec
from toolchain.layer import Layer
from toolchain.oci import BuiltImage, ImageConfig, write_image
from toolchain.recipe import BUSYBOX, CERTIFICATES, File, Recipe
from toolchain.recipes import CLUSTER_RECIPES, OPERATOR_RECIPES, RECIPES

_OMITTED = ("llvmjit", "/bitcode/")
"""Parts of PostgreSQL that need its just-in-time compiler's library, which is larger than all the rest."""


def find_recipe(spec: ImageSpec) -> Recipe:
    """The recipe of the image. Raises ToolchainError when it can only be pulled."""
    recipe = {**RECIPES, **CLUSTER_RECIPES, **OPERATOR_RECIPES, **GUEST_RECIPES}.get(spec.name)
    if recipe is None:
        raise ToolchainError(
            f"image {spec.name} ({spec.repository}:{spec.tag}) cannot be made from package registries",
            advice="pull it, or name what replaces it where something does",
        )
    return recipe


def list_image_inputs(context: Context, spec: ImageSpec) -> Inputs:
    """What decides the image's bytes: its sources, its recipe, and the code that puts it together."""
    recipe = find_recipe(spec)
    scripts = compute_tree_digest(HERE / "rootfs" / recipe.scripts) if recipe.scripts else ""
    code = compute_tree_digest(*(HERE / f"{module}.py" for module in ("assemble", "layer", "oci", "elf")))
    return {
        "sources": [dict(source.list_inputs(context)) for source in recipe.list_sources()],
        "recipe": repr(recipe),
        "scripts": scripts,
        "code": code,
        "tag": spec.tag,
    }


def find_image_path(context: Context, spec: ImageSpec) -> Path:
    """Where the image lies when it is complete."""
    return context.cache.find_path(f"image-{spec.name}", list_image_inputs(context, spec))


def ensure_image(context: Context, spec: ImageSpec) -> BuiltImage:
    """The image, made if it is not there; its sources are ensured first."""
    recipe = find_recipe(spec)

    def make(draft: Path) -> None:
        for source in recipe.list_sources():
            source.ensure(context)
        with context.progress.step(f"{spec.name}: image"):
            write_image(draft, build_layer(context, recipe), build_image_config(recipe, spec), context.host.arch)

    return BuiltImage(context.cache.ensure(f"image-{spec.name}", list_image_inputs(context, spec), make))


def build_image_config(recipe: Recipe, spec: ImageSpec) -> ImageConfig:
    """The image's config with labels that tell what is really inside, since the tag is the upstream image's."""
    labels = {
        "org.opencontainers.image.title": spec.name,
        "org.opencontainers.image.version": spec.tag,
        "observability.built-from": "; ".join(source.describe() for source in recipe.list_sources()),
    }
    c = recipe.config
    return ImageConfig(c.entrypoint, c.command, c.user, c.workdir, c.env, c.ports, labels)


def build_layer(context: Context, recipe: Recipe) -> Layer:
    """The single layer of the image."""
    layer = Layer()
    _add_base(context, layer, recipe)
    for file in recipe.files:
        _add_file(context, layer, file)
    if recipe.busybox:
        _add_shell(context, layer)
    if recipe.scripts:
        top = HERE / "rootfs" / recipe.scripts
        for script in sorted(p for p in top.rglob("*") if p.is_file()):
            layer.add_file(script.relative_to(top).as_posix(), script)
    for owned in recipe.directories:
        layer.add_directory(owned.path, mode=owned.mode, owner=owned.owner)
    return layer


def _add_base(context: Context, layer: Layer, recipe: Recipe) -> None:
    users = {"root": 0, **recipe.users, "nobody": 65534}
    layer.add_text("etc/passwd", "".join(f"{n}:x:{i}:{i}:{n}:/:/sbin/nologin\n" for n, i in users.items()))
    layer.add_text("etc/group", "".join(f"{n}:x:{i}:\n" for n, i in users.items()))
    layer.add_text("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n")
    folder = CERTIFICATES.find_path(context) / "root/usr/share/ca-certificates/mozilla"
    bundle = "".join(f.read_text().rstrip("\n") + "\n" for f in sorted(folder.glob("*.crt")))
    layer.add_text("etc/ssl/certs/ca-certificates.crt", bundle)
    layer.add_directory("tmp", mode=0o1777)
    # Mount points of the engine: there, a read-only root needs them to exist.
    for mount in ("proc", "sys", "dev", "run"):
        layer.add_directory(mount)


def _add_file(context: Context, layer: Layer, file: File) -> None:
    base = file.source.find_path(context)
    triplet = {"triplet": context.host.triplet}
    top, at = base / file.path.format(**triplet), file.at.format(**triplet)
    if not top.exists():
        raise ToolchainError(f"{file.source.describe()} holds no {file.path}")
    files = sorted(p for p in top.rglob("*") if p.is_file()) if top.is_dir() else [top]
    for source in files:
        inside = f"{at}/{source.relative_to(top).as_posix()}" if top.is_dir() else at
        if any(part in inside for part in _OMITTED):
            continue
        layer.add_file(inside, source)
        if isinstance(file.source, DebianPackages):
            _add_libraries(layer, source, base / "root", context.host.triplet)


def _add_libraries(layer: Layer, program: Path, root: Path, triplet: str) -> None:
    """Add the loader and, recursively, the libraries that `program` asks for, all from the same release."""
    elf = read_elf(program)
    if elf is None:
        return
    if elf.interpreter and elf.interpreter not in layer:
        layer.add_file(elf.interpreter, root / elf.interpreter.lstrip("/"))
    for name in elf.needed:
        at = f"/usr/lib/{triplet}/{name}"
        if at in layer or name.startswith("ld-linux"):
            continue
        library = _find_library(root, triplet, name, program)
        layer.add_file(at, library)
        _add_libraries(layer, library, root, triplet)


def _find_library(root: Path, triplet: str, name: str, program: Path) -> Path:
    for folder in ("lib", "usr/lib"):
        if (path := root / folder / triplet / name).exists():
            return path
    raise ToolchainError(
        f"{program.name} needs {name}, which none of the unpacked packages holds",
        advice="this release names the library's package differently: add it to the image's packages",
    )


def _add_shell(context: Context, layer: Layer) -> None:
    layer.add_file("bin/busybox", BUSYBOX.find_path(context) / "root/bin/busybox")
    for applet in _APPLETS.split():
        if f"bin/{applet}" not in layer:
            layer.add_link(f"bin/{applet}", "busybox")


# The common ones; all of busybox's would be 260 links.
_APPLETS = """
[ ash awk base64 basename cat chgrp chmod chown cksum clear cmp cp cut date dd df diff dirname du echo env
expr false find free getopt grep gunzip gzip head hexdump hostname httpd id install ip kill killall less ln
logger ls md5sum mkdir mkfifo mktemp more mount mv nc netstat nslookup od ping pidof printf ps pwd readlink
realpath rm rmdir sed seq setsid sh sha256sum sleep sort stat strings stty su sync tail tar tee test time
timeout top touch tr traceroute true truncate umount uname uniq unlink uptime usleep vi watch wc wget which
whoami xargs xxd yes zcat
"""
