"""How answers are shortened."""

from __future__ import annotations

from mcp_server.answers import fit_answer, render_answer
from mcp_server.text import estimate_tokens
from mcp_server.tools.prometheus import RangeAnswer, RangeSeries
from mcp_server.tools.series import LabelsAnswer


def build_range(series: int, points: int) -> RangeAnswer:
    """An answer of so many series and points."""
    one = {"first": "1", "last": "1", "least": "1", "most": "1", "mean": "1", "count": points}
    made = [RangeSeries(labels={"n": str(n)}, points=[(1e9, "0.5")] * points, **one) for n in range(series)]
    return RangeAnswer(start="", end="", step_seconds=1, series=made)


def test_what_fits_is_unchanged() -> None:
    """A short answer stays whole."""
    answer = fit_answer(build_range(2, 10), 10_000)
    assert answer.complete and not answer.hint and [len(each.points) for each in answer.series] == [10, 10]


def test_points_go_before_series() -> None:
    """What can be had by a narrower call is left out first, and the answer says so."""
    answer = fit_answer(build_range(10, 500), 2_000)
    assert not answer.complete and len(answer.series) == 10 and not any(each.points for each in answer.series)
    assert answer.hint.startswith("Points were left out") and not answer.omitted


def test_entries_go_until_it_fits() -> None:
    """As many entries stay as fit; the rest is counted."""
    answer = fit_answer(LabelsAnswer(label="", total=5000, values=["v" * 50] * 5000), 10_000)
    assert not answer.complete and "narrow the call" in answer.hint
    assert answer.omitted + len(answer.values) == 5000 and len(answer.values) > 400
    assert 9_000 < estimate_tokens(render_answer(answer)[1]) <= 10_000


def test_the_text_is_the_data() -> None:
    """Clients that read the text and clients that read the data see the same."""
    data, text = render_answer(LabelsAnswer(label="ä", total=1, values=["ü"]))
    assert '"label":"ä"' in text and data["values"] == ["ü"] and text.startswith('{"complete":true,"notice":"Labels,')
