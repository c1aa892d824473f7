"""`observability pictures`: which dashboards, where their pictures go, and what is said when a page is not whole."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, cast

import pytest

from cli import arguments
from cli.browser import Browser, Page
from cli.pictures import HIGHEST, choose_dashboards, open_whole, take_pictures, take_small_picture
from model.errors import ConfigError
from tests.support.systems import plan_shop


class Visitor:
    """A browser that remembers where it was."""

    def __init__(self, height: int = 3000, requests: dict[str, int] | None = None) -> None:
        self.height, self.requests = height, requests or {}
        self.bytes_at_best = 1000
        self.opened: list[str] = []
        self.sizes: list[tuple[int, int]] = []

    def open(self, url: str, **_: object) -> Page:
        """Opens a page."""
        self.opened.append(url)
        return Page(requests=dict(self.requests))

    def act(self, *_: object, **__: object) -> Page:
        """The same page."""
        return Page()

    def resize(self, width: int, height: int) -> None:
        """Has another size."""
        self.sizes.append((width, height))

    def evaluate(self, _: str) -> Any:
        """How high the page is."""
        return self.height

    def take_picture(self, kind: str, *, quality: int, scale: float) -> bytes:
        """A picture, whose size follows from both."""
        return f"{kind} {quality} {scale:g}".encode().ljust(int(self.bytes_at_best * quality / 82 * scale))


def test_all_dashboards_or_those_that_are_named(tmp_path: Path) -> None:
    """An unknown one is refused with the nearest, before anything is opened."""
    plan = plan_shop(tmp_path)
    uids = [board.uid for board in plan.telemetry.dashboards]
    assert choose_dashboards(plan, "") == uids
    assert choose_dashboards(plan, f"{uids[1]}, {uids[0]}") == [uids[1], uids[0]]
    with pytest.raises(ConfigError, match=rf"has no dashboard '{uids[0]}s': did you mean '{uids[0]}'"):
        choose_dashboards(plan, f"{uids[0]}s,{uids[1]}")


def test_a_picture_for_each_dashboard(tmp_path: Path) -> None:
    """WebP by its uid, of the time range that was asked for; what a page lacks is said with its address."""
    people = Visitor(requests={"http://g/d/b": 200, "http://g/x.js": 404})
    made = list(take_pictures(cast("Browser", people), "http://g", ["a", "b"], tmp_path / "new", "6h"))
    assert [picture.path.name for picture in made] == ["a.webp", "b.webp"]
    assert people.opened == ["http://g/d/a?from=now-6h&to=now", "http://g/d/b?from=now-6h&to=now"]
    assert made[0].path.read_bytes().startswith(b"webp")
    assert made[0].failures == ("http://g/x.js: status 404",)


def test_the_first_screen_is_that_of_a_laptop(tmp_path: Path) -> None:
    """Nothing is unfolded, and the window stays as it is."""
    people = Visitor()
    list(take_pictures(cast("Browser", people), "http://g", ["a"], tmp_path, "1h", whole=False))
    assert set(people.sizes) == {(1440, 900)}


@pytest.mark.parametrize(
    ("best", "way"),
    [
        (100_000, "webp 82 1"),
        (180_000, "webp 60 1"),
        (260_000, "webp 60 0.75"),
        (300_000, "webp 50 0.6"),
        (9_000_000, "webp 40 0.5"),
    ],
)
def test_a_large_picture_is_made_smaller(best: int, way: str) -> None:
    """As good as a page of documentation takes, and of what no way makes small enough the smallest."""
    people = Visitor()
    people.bytes_at_best = best
    assert take_small_picture(cast("Browser", people)).decode().strip() == way


@pytest.mark.parametrize(("height", "drawn"), [(3000, 3000), (40_000, HIGHEST)])
def test_the_page_is_as_high_as_its_panels(height: int, drawn: int) -> None:
    """So that all panels are in view, as far as a browser draws."""
    people = Visitor(height)
    open_whole(cast("Browser", people), "http://g/d/a")
    assert people.sizes[-1][1] == drawn


@pytest.mark.parametrize("text", ["1", "yesterday", "0h", "1h;x", "-1h"])
def test_a_range_is_a_number_of_minutes_hours_or_days(text: str) -> None:
    """Anything else is refused in words."""
    with pytest.raises(argparse.ArgumentTypeError, match="such as 30m"):
        arguments.parse_past(text)
    assert arguments.parse_past("7d") == "7d"
