"""Whether the real images can be pulled here: asks each registry for each manifest, with a short timeout."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

from toolchain.context import Context
from toolchain.images import ImageSpec
from toolchain.recipes import RECIPES

TIMEOUT_SECONDS = 5.0
_ACCEPT = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)


def is_local(spec: ImageSpec) -> bool:
    """Whether the image is ours alone, so that no registry upstream serves it."""
    return spec.name in RECIPES and RECIPES[spec.name].local


def find_unreachable(specs: Iterable[ImageSpec]) -> dict[str, str]:
    """Each image that cannot be pulled from here, with the reason; local ones are left out."""
    pulled = [spec for spec in specs if not is_local(spec)]
    with ThreadPoolExecutor(max_workers=len(pulled) or 1) as pool:
        reasons = pool.map(_explain_failure, pulled)
        return {spec.name: why for spec, why in zip(pulled, reasons, strict=True) if why}


def can_pull_all(context: Context, specs: Iterable[ImageSpec]) -> bool:
    """Whether every image can be pulled; a yes is remembered for this very list of images."""
    listed = list(specs)
    inputs = {"images": [[s.repository, s.tag] for s in listed]}
    if context.cache.find_path("upstream", inputs).is_dir():
        return True
    missing = find_unreachable(listed)
    if not missing:
        context.cache.ensure("upstream", inputs, lambda _: None)
        return True
    first = next(iter(missing))
    context.progress.say(f"{len(missing)} images cannot be pulled here, such as {first} ({missing[first]})")
    return False


def _explain_failure(spec: ImageSpec) -> str:
    host, repository = spec.registry
    url = f"https://{host}/v2/{repository}/manifests/{spec.tag}"
    try:
        try:
            _request_head(url, None)
        except urllib.error.HTTPError as error:
            if error.code != 401:
                raise
            _request_head(url, _request_token(error.headers.get("WWW-Authenticate", "")))
    except (OSError, ValueError, KeyError) as error:
        return str(error)
    return ""


def _request_head(url: str, token: str | None) -> None:
    headers = {"Accept": _ACCEPT} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(url, method="HEAD", headers=headers)  # noqa: S310 - https above
    urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS).close()  # noqa: S310 - https above


def _request_token(challenge: str) -> str:
    """An anonymous token for a challenge (https://distribution.github.io/distribution/spec/auth/token/)."""
    fields = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    realm = fields.pop("realm")
    if not realm.startswith("https://"):
        raise ValueError(f"token address {realm} is not https")
    url = f"{realm}?{urlencode(fields)}"
    with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - https checked above
        document = json.load(answer)
    return str(document.get("token") or document["access_token"])
