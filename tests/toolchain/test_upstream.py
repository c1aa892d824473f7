"""Whether images can be pulled: asked once, and a yes is remembered."""

from __future__ import annotations

import pytest

from toolchain import upstream
from toolchain.context import Context
from toolchain.images import ImageSpec

SPECS = [ImageSpec("prometheus", "prom/prometheus", "v1", None), ImageSpec("demo", "observability/demo", "1", None)]


def test_own_images_are_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our own images are on no registry, so they do not count."""
    monkeypatch.setattr(upstream, "_explain_failure", lambda spec: spec.name)
    assert upstream.find_unreachable(SPECS) == {"prometheus": "prometheus"}


def test_yes_is_remembered_and_no_is_not(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an answer images are built; once all answered, the registries are not asked again."""
    monkeypatch.setattr(upstream, "_explain_failure", lambda _: "no route")
    assert not upstream.can_pull_all(context, SPECS)
    monkeypatch.setattr(upstream, "_explain_failure", lambda _: "")
    assert upstream.can_pull_all(context, SPECS)
    monkeypatch.setattr(upstream, "_explain_failure", lambda _: "no route")
    assert upstream.can_pull_all(context, SPECS)


def test_token_address_must_be_https() -> None:
    """A registry cannot send us to a plain address for a token."""
    with pytest.raises(ValueError, match="not https"):
        upstream._request_token('Bearer realm="http://evil.test/token",service="x"')
