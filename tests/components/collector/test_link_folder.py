"""What both programs share: names of links."""

from __future__ import annotations

from components.collector.link_folder import LONGEST_NAME, join_name


def test_each_value_has_its_share_of_a_name() -> None:
    """A comma within a value is no end of it, and one long value leaves room for the others."""
    name = join_name(["x" * 300, "a,b/c"], "0", "id")
    assert len(name) <= LONGEST_NAME and name.endswith(",a%2Cb%2Fc,0,id")
    assert join_name(["api", ""], "id") == "api,,id"
