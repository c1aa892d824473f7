"""Health endpoints that fail are named, as a real Prometheus knows them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.prometheus import run_prometheus
from cli.probed import list_unanswered
from tests.support.metrics_server import build_handler
from tests.support.serving import serving
from tests.support.waiting import eventually
from tests.support.yaml_files import write_yaml

PAGE = """# TYPE probe_success gauge
probe_success{service="api",instance="http://api/health"} 1
probe_success{service="shop",instance="http://shop/health"} 0
probe_success{service="mail",instance="http://mail/health"} 0
# TYPE probe_http_status_code gauge
probe_http_status_code{service="api",instance="http://api/health"} 200
probe_http_status_code{service="shop",instance="http://shop/health"} 503
probe_http_status_code{service="mail",instance="http://mail/health"} 0
"""


@pytest.mark.exhaustive  # a whole Prometheus
def test_what_does_not_answer_as_it_should_is_named(tmp_path: Path) -> None:
    """With the status of the answer, or that there was none; who is well is not named."""
    with serving(build_handler({"body": PAGE})) as address:
        job = {
            "job_name": "probes",
            "honor_labels": True,
            "static_configs": [{"targets": [address.rpartition("/")[2]]}],
        }
        config = {"global": {"scrape_interval": "1s"}, "scrape_configs": [job]}
        with run_prometheus({"prometheus.yml": write_yaml(config)}, tmp_path) as prometheus:
            eventually(lambda: prometheus.count_series("probe_success"), timeout=60, what="a scrape")
            said = list_unanswered(prometheus.ask)
    assert said == [
        "mail: its health endpoint http://mail/health is not well: there is no answer",
        "shop: its health endpoint http://shop/health is not well: the last answer has status 503",
    ]
