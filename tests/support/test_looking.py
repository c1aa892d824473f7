"""What is read off a dashboard's page: numbers with their units, and what a reader would stumble over."""

from __future__ import annotations

import pytest

from tests.support.looking import SeenBoard, SeenPanel, is_shown, parse_numbers


@pytest.mark.parametrize(
    ("line", "unit", "value"),
    [
        ("250 ms", "s", 0.25),
        ("1.5 h", "s", 5400),
        ("99.95%", "percentunit", 0.9995),
        ("12.3 MiB", "bytes", 12.3 * 2**20),
        ("4.2 K", "short", 4200),
        ("0.5 req/s", "reqps", 0.5),
        ("1.2 kB/s", "Bps", 1200),
        ("250 ms", "ms", 250),
        ("-3", "short", -3),
        ("₹1.5 K", "currencyINR", 1500),
    ],
)
def test_numbers_are_read_with_their_units(line: str, unit: str, value: float) -> None:
    """A shown number is one in the panel's own unit."""
    assert [number for number, _ in parse_numbers([line], unit)] == [pytest.approx(value)]


@pytest.mark.parametrize(
    ("values", "line", "unit", "right"),
    [
        ([0.2504], "250 ms", "s", True),
        ([0.2504], "0.25 ms", "s", False),  # a wrong unit
        ([0.2504], "250 s", "s", False),
        ([0.31], "31%", "percentunit", True),
        ([0.31], "0.31%", "percentunit", False),
        ([3, 4, 5], "4", "short", True),
        ([3, 4, 5], "7", "short", False),
    ],
)
def test_a_number_is_right_with_its_unit_only(values: list[float], line: str, unit: str, right: bool) -> None:
    """It lies where the answers of the last minutes do, as far as its digits tell."""
    assert is_shown(values, ["Requests", line], unit) is right


def test_faults_name_their_panel() -> None:
    """What failed, what is empty and what is cut off; a page's own troubles first."""
    panels = (
        SeenPanel("A", ("no such function",), empty=False, cut=(), label="", lines=()),
        SeenPanel("B", (), empty=True, cut=("a long na",), label="", lines=()),
        SeenPanel("C", (), empty=True, cut=(), label="", lines=()),
    )
    board = SeenBoard("http://x", panels, ("app.js: status 404",), b"")
    assert board.list_faults(may_be_empty=["C"]) == [
        "app.js: status 404", "A: no such function", "B: cut: a long na", "B: no data",
    ]  # fmt: skip
