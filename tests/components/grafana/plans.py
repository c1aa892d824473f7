"""What tests of Grafana share."""

from __future__ import annotations

from model.plan import Plan
from model.telemetry import Dashboard
from model.workload import Workload


def workload(plan: Plan) -> Workload:
    """Grafana's workload."""
    (found,) = plan.workloads["grafana"]
    return found


def board(uid: str, folder: str) -> Dashboard:
    """A dashboard of a folder."""
    return Dashboard(uid=uid, title=uid, folder=folder, model={"uid": uid, "title": uid})
