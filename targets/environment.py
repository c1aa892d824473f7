"""What deliver.sh is told in its environment, on every target. It holds no secret."""

from __future__ import annotations

from model.workload import Reload


def build_reload_environment(reload: Reload) -> dict[str, str]:
    """How a process is asked to reload, and what proves that it did."""
    values = {"PORT": str(reload.port), "METRICS_PATH": reload.metrics_path, "TIMEOUT": str(reload.timeout)}
    values["RELOAD_PATH"] = reload.path or ""
    values["SUCCESS_METRIC"] = reload.success_metric or ""
    values["DIGEST_METRIC"], values["DIGEST_FILE"] = reload.digest_metric or "", reload.digest_file or ""
    values["REPORT_PATH"], values["REPORT_FILE"] = reload.report_path or "", reload.report_file or ""
    values["REPORT_TIME"] = reload.report_time or ""
    if reload.basic_auth:
        values["AUTH_USER"], values["AUTH_FILE"] = reload.basic_auth
    return values
