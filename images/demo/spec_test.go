package main

import (
	"os"
	"strings"
	"testing"
)

// Every mistake must be refused with its path.
func TestSpecRefusals(t *testing.T) {
	refused(t, "testdata/spec.json", []refusal{
		{"unknown key at the top", `"system": "plue"`, `"sistem": "plue"`, `spec.sistem: unknown key, did you mean "system"?`},
		{"missing system", `"system": "plue",`, ``, "spec.system: required"},
		{"unknown key of a service", `"requestRate"`, `"requestrate"`, `spec.services.api.requestrate: unknown key, did you mean "requestRate"?`},
		{"unknown key of a metric", `"baseline": 60`, `"base": 60`, "spec.services.api.metrics[5].base: unknown key"},
		{"unknown role", `"role": "uptime"`, `"role": "uptimes"`, `spec.services.api.metrics[0].role: "uptimes" is not known, did you mean "uptime"?`},
		{"role of another type", `"role": "uptime"`, `"role": "duration"`, "spec.services.api.metrics[0].role: a metric of role duration must be a histogram"},
		{"bad metric name", `"plue_uptime_seconds"`, `"plue-uptime"`, "spec.services.api.metrics[0].name"},
		{"duplicate name", `"plue_uptime_seconds"`, `"plue_active_sessions"`, "spec.services.api.metrics[1].name: \"plue_active_sessions\" is taken by metrics[0]"},
		{"duration without time", `"unit": "milliseconds"`, `"unit": "bytes"`, "spec.services.api.metrics[3].unit"},
		{"port out of range", `"port": 4000`, `"port": 70000`, "spec.services.api.port: 70000 is not between"},
		{"port as text", `"port": 4000`, `"port": "4000"`, "spec.services.api.port: must be a number, is a string"},
		{"status nobody has", `"errorStatuses": [
    "500"`, `"errorStatuses": [
    "599"`, "spec.services.api.errorStatuses[0]: \"599\" is not a value"},
		{"relative log file", `"file": null`, `"file": "x.log"`, "spec.services.api.logs.file"},
		{"metrics below the control path", `"metricsPath": "/metrics"`, `"metricsPath": "/demo/metrics"`, "spec.services.api.metricsPath"},
		{"spans to no address", `"requestRate"`, `"traces": "jaeger:4318", "requestRate"`, `spec.services.api.traces: "jaeger:4318" must start with http://`},
		{"text after it", "{", "{} {", "spec: "},
	})
	const metrics, sample = "spec.services.worker.metrics", "spec.services.worker.logs.samples"
	refused(t, "testdata/worker.json", []refusal{
		{"unknown type", `"type": "summary"`, `"type": "summry"`, metrics + `[1].type: "summry" is not known, did you mean "summary"?`},
		{"role of another type", `"role": "jobs"`, `"role": "lag"`, metrics + "[4].role: a metric of role lag must be a gauge, is a counter"},
		{"job duration without time", `"unit": "seconds",
     "labels": {
      "queue"`, `"unit": "bytes",
     "labels": {
      "queue"`, metrics + "[5].unit"},
		{"buckets of a summary", `"role": "duration"`, `"role": "duration", "buckets": [1]`, metrics + "[1].buckets: only a histogram"},
		{"a summary's own label", `"help": "payload_bytes."`, `"labels": {"quantile": ["x"]}`, metrics + `[2].labels.quantile: "quantile" cannot be`},
		{"a summary's own name", `"payload_bytes"`, `"http_request_duration_seconds_sum"`, metrics + `[2].name: "http_request_duration_seconds_sum" is taken by metrics[1]`},
		{"a summary of many series", `"help": "payload_bytes."`, `"labels": {"x": [` + strings.Repeat(`"y", `, maxSummaries) + `"z"]}`, metrics + "[2].labels: more than 500 series"},
		{"undeclared field of a sample", `"model": "small"`, `"modell": "small"`, sample + `[1].modell: unknown key, did you mean "model"?`},
		{"a sample without msg", `"msg": "mail sent",`, ``, sample + "[0].msg: required"},
		{"a sample's msg as number", `"msg": "mail sent"`, `"msg": 5`, sample + "[0].msg: must be a string, is a number"},
		{"a field of no plain value", `"status": 250`, `"status": [250]`, sample + "[0].status: must be a string or a number, is a list"},
		{"samples that are none", `"samples": [`, `"samples": "x", "fields": [`, sample + ": must be a list, is a string"},
	})
}

// refusal is a change of a spec file and what must be said of it.
type refusal struct{ name, old, new, want string }

func refused(t *testing.T, file string, cases []refusal) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			changed := strings.Replace(string(raw), c.old, c.new, 1)
			if changed == string(raw) {
				t.Fatalf("%q does not occur", c.old)
			}
			_, err := ParseSpec([]byte(changed))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
		})
	}
}

// All mistakes must be told at once.
func TestSpecTellsAllMistakes(t *testing.T) {
	_, err := ParseSpec([]byte(`{"system": 1, "services": {"a": {"port": 0, "x": 1}}}`))
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Fatalf("want three lines, got %v", err)
	}
}
