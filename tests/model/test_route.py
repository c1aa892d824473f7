"""Routes: what is said of nothing opens everything below a prefix to people who sign in, and to nobody else."""

from __future__ import annotations

from model.route import READ, Opening, Route


def test_a_route_wants_a_login_by_itself() -> None:
    """Whoever writes a route has to say that it has none, and what else than reading it opens."""
    route = Route(name="a", prefix="/a", url="http://a:80")
    assert route.login and route.limits is None and [each.grant for each in route.open] == ["people"]
    assert Opening().methods == READ and not Opening().origins
