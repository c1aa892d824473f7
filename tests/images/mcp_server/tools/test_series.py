"""Series and labels."""

from __future__ import annotations

from tests.support.agents import build_document, call, faking, read


def test_series_of_selectors() -> None:
    """Each selector is sent, with a limit; labels are clean."""
    with faking() as fake:
        fake.answers["/api/v1/series"] = lambda _: [{"__name__": "up", "job": "a\x00pi"}]
        data = read(build_document(fake), "prometheus_series", match=["up", '{job="api"}'])
        assert data["series"] == [{"__name__": "up", "job": "api"}]
        assert fake.requests[0][2]["match[]"] == ["up", '{job="api"}'] and fake.requests[0][2]["limit"] == ["201"]


def test_too_many_series_are_broken_down() -> None:
    """More than the bound: counts by label of all that the selectors match."""
    with faking() as fake:
        fake.answers["/api/v1/series"] = lambda _: [{"path": str(n)} for n in range(201)]
        fake.vectors = {"count(a or b)": [({}, 9000)], "count(count by (path) (a or b))": [({}, 9000)]}
        data = read(build_document(fake), "prometheus_series", match=["a", "b"])
    assert not data["complete"] and not data["series"] and data["breakdown"]["series"] == 9000


def test_selectors_are_needed() -> None:
    """All series of a stack are never what somebody wants."""
    with faking() as fake:
        assert call(build_document(fake), "prometheus_series", match=[]).result == "refused"


def test_names_of_labels_and_their_values() -> None:
    """Without a label its names are listed, with one its values."""
    with faking() as fake:
        fake.answers["/api/v1/labels"] = lambda _: ["job", "__name__"]
        fake.answers["/api/v1/label/job/values"] = lambda _: ["web", "api"]
        document = build_document(fake)
        assert read(document, "prometheus_labels")["values"] == ["__name__", "job"]
        data = read(document, "prometheus_labels", label="job", match=["up"])
        assert data["values"] == ["api", "web"] and data["complete"] and data["total"] == 2
        assert fake.requests[1][2]["match[]"] == ["up"]


def test_many_values_are_cut() -> None:
    """A label of 100,000 values is answered within the bound, and says that there are more."""
    with faking() as fake:
        fake.answers["/api/v1/label/id/values"] = lambda _: [f"{n:06d}" for n in range(100_000)]
        data = read(build_document(fake), "prometheus_labels", label="id")
    assert not data["complete"] and "More values" in data["hint"] and len(data["values"]) <= 1000


def test_a_label_is_a_name() -> None:
    """A path of the API cannot be reached by the name of a label."""
    with faking() as fake:
        answered = call(build_document(fake), "prometheus_labels", label="../../admin/tsdb/delete_series")
        assert answered.result == "refused" and not fake.requests
