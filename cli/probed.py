"""Health endpoints that do not answer as their system's file says: `make verify` names each with what was answered."""

from __future__ import annotations

from cli.exposed import Ask, query_series

_QUERY = "(probe_http_status_code or probe_success) and on (job, instance, service) probe_success == 0"
"""Source of both: https://github.com/prometheus/blackbox_exporter, its metrics of a probe by HTTP."""


def list_unanswered(ask: Ask) -> list[str]:
    """The health endpoints whose last probe failed, as sentences.

    Raises:
        RuntimeError: Prometheus does not answer.
    """
    failed = query_series(ask, _QUERY)
    return sorted(_describe_failure(each["metric"], int(float(each["value"][1]))) for each in failed)


def _describe_failure(labels: dict[str, str], status: int) -> str:
    # a status that is wanted fails by the body, by a redirect, or by a certificate
    answered = f"the last answer has status {status}" if status else "there is no answer"
    return f"{labels.get('service', labels['job'])}: its health endpoint {labels['instance']} is not well: {answered}"
