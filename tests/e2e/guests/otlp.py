"""Sends spans, log records and a counter as OTLP over HTTP, as SDKs do: what is refused is sent again.

Usage: otlp.py URL SERVICE SECONDS [LEVEL]. It prints what was acknowledged, as JSON: the ids of traces, the texts of
records, the value of the counter, and how often it was refused and rejected. At the level IDLE it sends what a process
says of itself, as nobody asks it for anything; at the level BULK its records are long.
"""

import json
import sys
import time
import urllib.error
import urllib.request
import uuid

LONG = 100_000
"""Characters of a long record."""
SPANS = 3
"""Of each trace."""
PATIENCE = 900
"""Seconds for which one request is sent again."""


def send(url, signal, body, counts):
    """True once it is acknowledged; False where it is rejected for good."""
    request = urllib.request.Request(
        f"{url}/v1/{signal}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status == 200
        except urllib.error.HTTPError as error:
            if error.code not in (429, 500, 502, 503, 504):
                counts["rejected"] += 1
                return False
        except OSError:
            pass
        counts["refused"] += 1
        time.sleep(0.3)
    return False


def build_resource(service):
    """Who sends."""
    named = {"service.name": service, "host.name": "box-1", "service.version": "1.4.2"}
    return {"attributes": [{"key": key, "value": {"stringValue": value}} for key, value in named.items()]}


def build_spans(trace, failed):
    """A request and what it asks others for."""
    now, root = time.time_ns(), uuid.uuid4().hex[:16]
    for number in range(SPANS):
        yield {
            "traceId": trace,
            "spanId": root if number == 0 else uuid.uuid4().hex[:16],
            **({} if number == 0 else {"parentSpanId": root}),
            "name": "POST /pay" if number == 0 else f"SELECT {number}",
            "kind": 2 if number == 0 else 3,
            "startTimeUnixNano": str(now - 40_000_000),
            "endTimeUnixNano": str(now),
            "status": {"code": 2 if failed else 0},
        }


def build_record(text, trace, level):
    """A log record of that request."""
    return {
        "timeUnixNano": str(time.time_ns()),
        "severityText": level,
        "body": {"stringValue": text},
        "traceId": trace,
        "spanId": "00f067aa0ba902b7",
    }


def build_metrics(count):
    """A histogram that grows, and a counter as differences; attributes pass for another service and cost centre."""
    now = str(time.time_ns())
    point = {"startTimeUnixNano": str(BEGAN), "timeUnixNano": now}
    labels = [
        {"key": "http.route", "value": {"stringValue": "/pay"}},
        {"key": "http.response.status_code", "value": {"stringValue": "200"}},
        {"key": "service", "value": {"stringValue": "somebody-else"}},
        {"key": "cost.center", "value": {"stringValue": "nobody"}},
    ]
    histogram = {"count": count, "sum": count * 0.04, "bucketCounts": [count, 0, 0, 0], "explicitBounds": [0.1, 1, 5]}
    yield {
        "name": "http.server.request.duration",
        "unit": "s",
        "histogram": {"aggregationTemporality": 2, "dataPoints": [{**point, **histogram, "attributes": labels}]},
    }
    difference = {"startTimeUnixNano": str(time.time_ns() - 1_000_000), "timeUnixNano": now, "asInt": "2"}
    yield {
        "name": "payments.done",
        "sum": {"aggregationTemporality": 1, "isMonotonic": True, "dataPoints": [difference]},
    }


def wrap(resource, metrics):
    """A request with metrics of one sender."""
    return {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": metrics}]}]}


def build_idle():
    """A gauge that no rule asks for."""
    point = {"timeUnixNano": str(time.time_ns()), "asDouble": 3.0}
    return {"name": "process.threads", "gauge": {"dataPoints": [point]}}


BEGAN = time.time_ns()


def main():
    """Sends for so long, and prints what was acknowledged."""
    url, service, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    level = sys.argv[4] if len(sys.argv) > 4 else "INFO"
    counts = {"refused": 0, "rejected": 0}
    done = {"traces": [], "records": [], "counter": 0}
    resource = build_resource(service)
    end, count = time.monotonic() + seconds, 0
    while level == "IDLE" and (count == 0 or time.monotonic() < end):
        count += 1
        send(url, "metrics", wrap(resource, [build_idle()]), counts)
        time.sleep(1)
    while count == 0 or time.monotonic() < end:
        count += 1
        trace, text = uuid.uuid4().hex, f"paid {uuid.uuid4().hex}"
        text += "x" * LONG if level == "BULK" else ""
        spans = {"resource": resource, "scopeSpans": [{"spans": list(build_spans(trace, level != "INFO"))}]}
        if send(url, "traces", {"resourceSpans": [spans]}, counts):
            done["traces"].append(trace)
        records = {"resource": resource, "scopeLogs": [{"logRecords": [build_record(text, trace, level)]}]}
        if send(url, "logs", {"resourceLogs": [records]}, counts):
            done["records"].append(text)
        if send(url, "metrics", wrap(resource, list(build_metrics(count))), counts):
            done["counter"] += 2
        time.sleep(0.1)
    print(json.dumps({**done, **counts}))


main()
