"""Loki's documents: loki.yaml, and limits in a runtime file that Loki reads again by itself.

Format: https://grafana.com/docs/loki/latest/configure/. Limits live in a runtime file that Loki reads again by itself.
"""

from __future__ import annotations

from typing import Any

import yaml

from components.loki.settings import (
    BACKEND,
    CA,
    CONFIG_DIR,
    DATA_DIR,
    GOSSIP_PORT,
    GRPC_PORT,
    LIMITS,
    MOST_COPIES,
    PORT,
    TENANT,
    WRITE,
    Settings,
    find_part,
    list_parts,
)
from model.base import format_duration, format_go_duration, parse_duration
from model.component import Planned, Planning


def build_config(own: Settings, context: Planned) -> dict[str, Any]:
    """loki.yaml as a dict: everything that Loki reads only when it starts, the same for all parts."""
    kind = "s3" if own.storage.s3 else "filesystem"
    period = {"prefix": "index_", "period": "24h"}
    schema = {"from": "2024-01-01", "store": "tsdb", "object_store": kind, "schema": "v13", "index": period}
    sent = build_otlp_sections(context)
    return {
        "auth_enabled": False,
        "server": {"http_listen_port": PORT, "grpc_listen_port": GRPC_PORT, "log_level": "warn", **sent["server"]},
        **build_common_and_memberlist(own, context),
        "schema_config": {"configs": [schema]},
        "ingester": {
            "wal": {"dir": f"{DATA_DIR}/wal", "flush_on_shutdown": True},
            "chunk_idle_period": "30m",
            **sent["ingester"],
        },
        "compactor": {
            "working_directory": f"{DATA_DIR}/compactor",
            "compaction_interval": "10m",
            "retention_enabled": True,  # without this a retention period is only a number
            "retention_delete_delay": "2h",
            "delete_request_store": kind,
        },
        "limits_config": {"allow_structured_metadata": True, "volume_enabled": True, **sent["limits_config"]},
        "query_range": {"parallelise_shardable_queries": True},
        "frontend": {"encoding": "protobuf"},
        "runtime_config": {"file": f"{CONFIG_DIR}/runtime.yaml", "period": "2s"},
        "analytics": {"reporting_enabled": False},
    }


def build_otlp_sections(context: Planned) -> dict[str, dict[str, Any]]:
    """What is taken of log records, by section; nothing where nobody sends any.

    Which attributes are labels of streams stands in the place of Loki's own list of 17; all others are beside the line.
    Limits are those that the sender cuts records down to.

    Source: https://grafana.com/docs/loki/latest/send-data/otel/#changing-the-default-mapping-of-otlp-to-loki-format
    """
    names = dict.fromkeys((*context.telemetry.otlp_labels, *context.telemetry.line_labels))
    if not names:
        return {"server": {}, "ingester": {}, "limits_config": {}}
    labels = {"action": "index_label", "attributes": list(names)}
    limits = {
        "max_line_size": f"{LIMITS.line_bytes // 1024}KB",
        "max_structured_metadata_size": f"{LIMITS.metadata_bytes // 1024}KB",
        "max_structured_metadata_entries_count": LIMITS.metadata_entries,
        "reject_old_samples_max_age": LIMITS.oldest,
        "creation_grace_period": LIMITS.ahead,
    }
    mapping = {"resource_attributes": {"ignore_defaults": True, "attributes_config": [labels]}}
    return {
        "server": {"grpc_server_max_recv_msg_size": LIMITS.request_bytes},  # what a distributor sends to an ingester
        "ingester": {"max_chunk_age": format_go_duration(format_duration(2 * parse_duration(LIMITS.window)))},
        "limits_config": {**limits, "otlp_config": mapping},
    }


def build_common_and_memberlist(own: Settings, context: Planning) -> dict[str, Any]:
    """How parts find each other, by gossip, and those among them that read the index; one process asks nobody.

    Source: https://grafana.com/docs/loki/latest/configure/#memberlist
    """
    parts, common = list_parts(own, context), {"storage": build_storage(own)}
    if not parts:
        alone = {"replication_factor": 1, "ring": {"kvstore": {"store": "inmemory"}}}
        return {"common": {"instance_addr": "127.0.0.1", "path_prefix": DATA_DIR, **alone, **common}}
    writers, rest = find_part(WRITE, parts), find_part(BACKEND, parts)
    compactor = f"http://{context.address(rest, PORT)}"
    gossip = {"compactor_address": compactor, "ring": {"kvstore": {"store": "memberlist"}}}
    gateway = {"server_address": f"dns+{context.derive_peer_address(BACKEND, GRPC_PORT)}"}
    members = [f"dns+{context.derive_peer_address(name, GOSSIP_PORT)}" for name in dict.fromkeys((writers, rest))]
    return {
        "common": {
            "path_prefix": DATA_DIR,
            "replication_factor": min(parts[writers], MOST_COPIES),
            **gossip,
            **common,
        },
        "memberlist": {
            "bind_port": GOSSIP_PORT,
            "join_members": members,
            "rejoin_interval": "30s",  # all start at once, so that some may first have found none but themselves
            "abort_if_cluster_join_fails": False,
        },
        # those that are alike read the index themselves
        **({"storage_config": {"tsdb_shipper": {"index_gateway_client": gateway}}} if rest == BACKEND else {}),
    }


def build_storage(own: Settings) -> dict[str, Any]:
    """The place of chunks, index and rules; neither half of an access key stands here.

    Source: https://grafana.com/docs/loki/latest/configure/#s3_storage_config
    """
    s3 = own.storage.s3
    if s3 is None:
        return {"filesystem": {"chunks_directory": f"{DATA_DIR}/chunks", "rules_directory": f"{DATA_DIR}/rules"}}
    options: dict[str, Any] = {"bucketnames": s3.bucket, "region": s3.region or "us-east-1"}
    if s3.endpoint:
        options |= {"endpoint": s3.endpoint, "insecure": s3.insecure}
    if s3.ca_certificate:
        options["http_config"] = {"ca_file": f"{CONFIG_DIR}/{CA}"}
    return {"s3": {**options, "s3forcepathstyle": s3.path_style}}


def render_runtime(own: Settings) -> str:
    """runtime.yaml: the limits, written exactly as Loki writes them back, so that its digest is that of this text.

    Loki exposes the digest of what it loaded after parsing and writing it (keys sorted, four spaces); see
    https://grafana.com/docs/loki/latest/configure/#runtime-configuration-file.
    """
    overrides = {
        "ingestion_burst_size_mb": own.ingestion_burst_size_mb,
        "ingestion_rate_mb": own.ingestion_rate_mb,
        "max_entries_limit_per_query": own.max_entries_limit_per_query,
        "max_global_streams_per_user": own.max_streams,
        "max_query_length": own.max_query_length,
        "per_stream_rate_limit": f"{own.ingestion_rate_mb}MB",
        "per_stream_rate_limit_burst": f"{own.ingestion_burst_size_mb}MB",
        "retention_period": own.retention,
    }
    return yaml.safe_dump({"overrides": {TENANT: overrides}}, sort_keys=True, indent=4)
