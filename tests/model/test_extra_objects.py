"""Objects that another program reads."""

from __future__ import annotations

from model.extra_objects import LARGEST, ExtraObject, check_objects


def test_a_name_is_taken_once() -> None:
    """Two objects of one kind cannot have one name; of two kinds they can."""
    first = ExtraObject(api="v1", kind="ConfigMap", name="a", body={})
    other = ExtraObject(api="v1", kind="Probe", name="a", body={})
    assert check_objects([first, other]) == []
    assert list(map(str, check_objects([first, first]))) == ["ConfigMap 'a' is declared more than once"]


def test_what_a_cluster_cannot_hold_is_told() -> None:
    """An object of more than a megabyte is refused with its size."""
    (problem,) = check_objects([ExtraObject(api="v1", kind="ConfigMap", name="a", body={"data": {"x": "x" * LARGEST}})])
    assert "ConfigMap 'a' has 1,000,019 bytes" in problem.message and "make it smaller" in problem.message
