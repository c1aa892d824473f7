"""What can be said of the kits without running them: one contract in three languages, and pages that speak of it.

What they do is seen in tests/e2e/test_kits.py.
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from packs import http
from tests.support.systems import ROOT
from toolchain.guests import KIT_FILES, KIT_PYTHON

KITS = ROOT / "instrumentation"
LANGUAGES = ("node", "python", "go")
SOURCES = {"node": "*.js", "python": "*.py", "go": "*.go"}
PORTS = {"node": 3000, "python": 8000, "go": 8081}


def read_source(language: str) -> str:
    """All of a kit's source."""
    return "\n".join(path.read_text("utf-8") for path in sorted((KITS / language).glob(SOURCES[language])))


def read_page(language: str) -> str:
    """The page about a kit."""
    return (ROOT / f"docs/instrument-{language}.md").read_text("utf-8")


def read_versions(language: str) -> dict[str, str]:
    """The version of each library that the lock file of a kit has."""
    if language == "node":
        packages = json.loads((KITS / "node/package-lock.json").read_text("utf-8"))["packages"]
        return {path.removeprefix("node_modules/"): item["version"] for path, item in packages.items() if path}
    if language == "python":
        return dict(re.findall(r"^([\w-]+)==(\S+)", KIT_PYTHON.requirements.read_text("utf-8"), re.MULTILINE))
    return dict(re.findall(r"^\s+(\S+) v(\S+)", (KITS / "go/go.mod").read_text("utf-8"), re.MULTILINE))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_names_the_versions_of_the_lock_file(language: str) -> None:
    """All that it names, so that an update is one of both."""
    shown = dict(re.findall(r"^\| (\S+) \| (\d[\d.]+) \|$", read_page(language), re.MULTILINE))
    assert len(shown) > 3 and shown.items() <= read_versions(language).items()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_shows_lines_as_json(language: str) -> None:
    """Of one that was served and one that failed, each with the ids of its trace."""
    (block,) = re.findall(r"```json\n(.*?)```", read_page(language), re.DOTALL)
    served, failed = map(json.loads, block.splitlines())
    assert {"trace_id", "span_id", "method", "path", "url", "status", "duration_ms", "time", "msg"} <= served.keys()
    assert (served["level"], failed["level"]) == ("info", "error") and served.keys() < failed.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_metrics_are_those_of_the_pack(language: str) -> None:
    """Names, labels and buckets, so that a service needs no more in its YAML than the pack."""
    text = read_source(language)
    for name, metric in http.METRICS.items():
        labels = re.search(rf"{name}['\"].*?[\[{{](['\"]method['\"][^\]}}]*)", text, re.DOTALL)
        assert labels and tuple(re.findall(r"\w+", labels[1])) == tuple(metric.labels)
    (buckets,) = re.findall(r"[\[({](0\.005, [\d., ]+)[\])}]", text)
    assert tuple(map(float, buckets.split(","))) == http.METRICS["http_request_duration_seconds"].buckets


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_promised_is_in_each(language: str) -> None:
    """Paths, variables and the port of instrumentation/README.md."""
    text, promised = read_source(language), (KITS / "README.md").read_text("utf-8")
    names = [*re.findall(r"^\| `(/\w+)`", promised, re.MULTILINE), *re.findall(r"`([A-Z]+_[A-Z_]+)`", promised)]
    assert len(names) > 8
    ours = [name for name in names if name not in ("OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES")]
    assert not [name for name in ours if name not in text]
    assert f"{PORTS[language]}" in text and f"localhost:{PORTS[language]}/metrics" in read_page(language)


def test_python_is_readable_by_the_oldest_one() -> None:
    """3.11, as its Dockerfile and its libraries have it."""
    for path in (KITS / "python").glob("*.py"):
        ast.parse(path.read_text("utf-8"), feature_version=(3, 11))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_kit_is_small(language: str) -> None:
    """What is copied is read before: two files of at most 250 lines."""
    lines = [path.read_text("utf-8").count("\n") for path in (KITS / language).glob(SOURCES[language])]
    assert len(lines) == 2 and max(lines) <= 250


def test_locks_are_whole() -> None:
    """Each package of Python and of npm has its hashes, and no address of whoever served it."""
    text = KIT_PYTHON.requirements.read_text("utf-8")
    assert all("--hash=sha256:" in part for part in re.split(r"^(?=\S+==)", text, flags=re.MULTILINE)[1:])
    packages = json.loads((KITS / "node/package-lock.json").read_text("utf-8"))["packages"]
    assert all("integrity" in item and "resolved" not in item for path, item in packages.items() if path)


def test_each_kit_is_in_the_image_of_guests() -> None:
    """Its source and its libraries."""
    places = [file.at for file in KIT_FILES]
    assert {"/kits/node", "/kits/python", "/usr/bin/kit-go"} <= set(places)
    assert all((ROOT / path).is_dir() for path in (Path("instrumentation") / language for language in LANGUAGES))
