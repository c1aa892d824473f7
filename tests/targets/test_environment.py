"""What deliver.sh is told."""

from __future__ import annotations

from model.workload import Reload
from targets.environment import build_reload_environment


def test_the_script_is_told_how_to_reload_and_what_proves_it() -> None:
    """A process that watches its files is not asked to reload; a login is a user and the file of its password."""
    asked = build_reload_environment(Reload(port=9090, success_metric="ok", basic_auth=("admin", "/run/secrets/p")))
    assert (asked["PORT"], asked["RELOAD_PATH"], asked["TIMEOUT"]) == ("9090", "/-/reload", "30")
    assert asked["SUCCESS_METRIC"] == "ok"
    assert (asked["AUTH_USER"], asked["AUTH_FILE"]) == ("admin", "/run/secrets/p")
    watching = build_reload_environment(Reload(port=3100, path=None, digest_metric="hash", digest_file="runtime.yaml"))
    assert watching["RELOAD_PATH"] == ""
    assert (watching["DIGEST_METRIC"], watching["DIGEST_FILE"]) == ("hash", "runtime.yaml")
    assert "AUTH_FILE" not in watching
    reporting = build_reload_environment(Reload(port=8082, path=None, report_path="/revision", report_file="revision"))
    assert (reporting["REPORT_PATH"], reporting["REPORT_FILE"]) == ("/revision", "revision")
