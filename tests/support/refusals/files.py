"""Files that are no YAML, no mapping, or mean something else than they look like."""

from __future__ import annotations

from tests.support.refusals.case import FILE, Case
from tests.support.systems import ROOT, SYSTEM
from tests.support.yaml_files import write_yaml

SHOP = write_yaml(SYSTEM)
IMAGES = (ROOT / "configs/images.yaml").read_text(encoding="utf-8")

FILE_CASES = (
    Case(name="tab", text="name: shop\nservices:\n\tapi: x\n", at=FILE, says="line 3: "),
    Case(name="unclosed list", text="name: shop\nservices: [\n", at=FILE, says="line 3: "),
    Case(name="empty file", text="", at=FILE, says="must be a mapping of keys to values, not null"),
    Case(name="list", text="- shop\n", at=FILE, says='must be a mapping of keys to values, not ["shop"]'),
    Case(name="text", text="shop", at=FILE, says='not "shop"'),
    Case(name="two documents", text=f"{SHOP}---\n{SHOP}", at=FILE, says="another document"),
    Case(name="duplicate key", text=f"{SHOP}title: Again\n", at=FILE, says="key 'title' stands twice (lines 2 and"),
    Case(
        name="duplicate service",
        text=SHOP.replace("  worker:", "  api:"),
        at=FILE,
        says="key 'api' stands twice",
    ),
    Case(name="mapping as key", text="? {a: b}\n: c\n", at=FILE, says="line 1: a key must be plain text"),
    Case(
        name="alias to itself",
        text=f"{SHOP}description: &a [*a]\n",
        at=FILE,
        says="recursive",
    ),
    Case(name="unknown tag", text=f"{SHOP}description: !secret x\n", at=FILE, says="!secret"),
    Case(
        name="yes for true",
        text=SHOP.replace("title: Traffic", "title: T\n    collapsed: yes"),
        at=FILE,
        says='"yes": must be true or false',
    ),
    Case(
        name="port in octal",
        text=SHOP.replace("port: 4000", "port: 0o17"),
        at=FILE,
        says='"0o17": must be a whole number',
    ),
    Case(name="port with underscore", text=SHOP.replace("port: 4000", "port: 4_000"), at=FILE, says='"4_000": must be'),
    Case(
        name="not a number",
        text=SHOP.replace("port: 4000", "tune: { SlowRequests: { threshold: .nan } }\n    port: 4000"),
        at=FILE,
        says='".nan": must be a number',
    ),
    Case(name="control character", text=f"{SHOP}description: a\x01b\n", at=FILE, says="is not UTF-8 text"),
    Case(
        name="images: unknown key",
        images=IMAGES + "  x:\n    repo: a\n",
        at="configs/images.yaml: images.x.repo",
        says="did you mean 'repository'?",
    ),
    Case(
        name="images: no tag",
        images=IMAGES + "  x:\n    repository: a\n",
        at="configs/images.yaml: images.x.tag",
        says="is required",
    ),
    Case(
        name="images: tag as number",
        images=IMAGES + "  x:\n    repository: a\n    tag: 1.10\n",
        at="configs/images.yaml: images.x.tag",
        says='must be text; put it in "quotes"',
    ),
    Case(
        name="images: short digest",
        images=IMAGES + "  x:\n    repository: a\n    tag: a\n    digest: sha256:1\n",
        at="configs/images.yaml: images.x.digest",
        says='"sha256:1": must be sha256: and 64 digits',
    ),
    Case(
        name="images: one is missing",
        images="images:\n  promethius: {repository: a, tag: b}\n",
        at="stack dev",
        says="image 'prometheus' is unknown; did you mean 'promethius'?",
    ),
)
