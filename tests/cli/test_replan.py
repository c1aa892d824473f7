"""Inputs of a folder are planned one by one, and each gets its verdict."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.replan import judge_input, list_inputs, main

WEB = "name: {name}\ntitle: Web\nservices: {{ web: {{ packs: [http], port: 8000, address: '{address}' }} }}\n"


def written(folder: Path, **files: str) -> Path:
    """A folder with files, named by their first two parts: `web_system` is web.system.yaml."""
    for name, text in files.items():
        (folder / f"{name.replace('_', '.')}.yaml").write_text(text, encoding="utf-8")
    return folder


def test_each_input_gets_its_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Accepted and refused inputs are listed by name, with the place of every problem, and counted."""
    folder = written(
        tmp_path,
        good_system=WEB.format(name="good", address="web:8000"),
        bad_system=WEB.format(name="bad", address="localhost:8000"),
        bad_settings="config:\n  observability:loki: { enabled: false }\n",
    )
    assert list_inputs(folder) == ["bad", "good"]
    assert main([str(folder)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "bad: refused" and printed[1].startswith(
        "  - configs/systems/bad.yaml: services.web.address: "
    )
    assert printed[-2:] == ["good: accepted", "2 inputs: 1 accepted, 1 refused"]


def test_settings_alone_are_planned_with_a_shipped_system(tmp_path: Path) -> None:
    """An input may be settings only; without a system it is refused as any stack is."""
    folder = written(tmp_path, real_settings="config:\n  observability:prometheus: { retention: 40d }\n")
    assert judge_input(folder, "real", "agenttrace").word == "accepted"
    assert [problem.where for problem in judge_input(folder, "real").problems] == ["Pulumi.real.yaml: system"]


def test_a_folder_without_inputs_is_no_success(tmp_path: Path) -> None:
    """Nothing that was looked at is not everything that is right."""
    assert main([str(tmp_path)]) == 1
