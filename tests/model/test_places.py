"""Places are written in one form, so that people find the key that a problem is about."""

from __future__ import annotations

from model import places


def test_places_name_file_and_key() -> None:
    """A place is the file from the project's folder, and the key as YAML has it."""
    assert places.locate_setting("dev", "docker.host") == "Pulumi.dev.yaml: docker.host"
    assert places.locate_in_section("dev", "node-exporter", "port") == "Pulumi.dev.yaml: nodeExporter.port"
    assert places.locate_in_system("shop", "services.api.port") == "configs/systems/shop.yaml: services.api.port"
