package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Log lines must have the declared fields and no others, and not be more than the limit.
func TestLogLines(t *testing.T) {
	b := newBench(t)
	b.play(30 * time.Second) // with the fault, errors may take all the room there is
	b.must("PUT", "/demo/faults/errors", `{"ratio": 0.5}`)
	b.play(30 * time.Second)
	lines := b.logs.lines()
	if len(lines) < 60 || len(lines) > 310 {
		t.Errorf("%d lines a minute", len(lines))
	}
	levels := map[string]int{}
	for _, text := range lines {
		line := map[string]any{}
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if len(line) != len(logFields) {
			t.Fatalf("fields of %s", text)
		}
		if _, err := time.Parse(time.RFC3339Nano, line["ts"].(string)); err != nil {
			t.Error(err)
		}
		levels[line["level"].(string)]++
		if line["level"] == "error" && !strings.Contains(line["msg"].(string), "error") {
			t.Errorf("an error without the word: %s", text)
		}
	}
	if levels["error"] == 0 || levels["info"] == 0 {
		t.Errorf("levels %v", levels)
	}
}

// The fault logs_errors must add as many lines as asked for.
func TestLogsErrorsFault(t *testing.T) {
	b := newBench(t)
	b.must("PUT", "/demo/faults/logs_errors", `{"per_second": 10}`)
	b.play(30 * time.Second)
	found := 0
	for _, line := range b.logs.lines() {
		if strings.Contains(line, "a dependency did not answer") {
			found++
		}
	}
	if found < 295 || found > 305 {
		t.Errorf("%d lines in 30 s", found)
	}
}

// Who asks for the health of a slow service must wait as its users do.
func TestSlowHealth(t *testing.T) {
	b := newBench(t)
	b.must("PUT", "/demo/faults/latency", `{"seconds": 0.2}`)
	began := time.Now()
	b.must("GET", "/health", "")
	if took := time.Since(began); took < 200*time.Millisecond {
		t.Errorf("answered after %s", took)
	}
}

// A line asked for must be written once, with the extra fields given.
func TestWriteOneLine(t *testing.T) {
	b := newBench(t)
	b.must("POST", "/demo/logs", `{"msg": "marker-42", "level": "error", "fields": {"trace_id": "abc", "amount": 7}}`)
	lines := b.logs.lines()
	if len(lines) != 1 || !strings.Contains(lines[0], `"msg":"marker-42"`) || !strings.Contains(lines[0], `"trace_id":"abc"`) ||
		!strings.Contains(lines[0], `"amount":7`) || !strings.Contains(lines[0], `"level":"error"`) {
		t.Errorf("%v", lines)
	}
	for _, body := range []string{`{"level": "error"}`, `{"msg": "x", "level": "loud"}`, `{"msg": "x", "text": "y"}`, `x`} {
		if status, _ := b.call("POST", "/demo/logs", body); status != http.StatusBadRequest {
			t.Errorf("%s: %d", body, status)
		}
	}
}

// The webhook store must keep what Alertmanager sends, the last 1000, and refuse the rest.
func TestWebhookStore(t *testing.T) {
	web := &bench{t: t}
	web.server = NewServer(nil, nil, nil, nil)
	web.web = newWeb(t, web.server)
	for i := range keptWebhooks + 5 {
		web.must("POST", "/demo/webhook", fmt.Sprintf(`{"version": "4", "status": "firing", "alerts": [{"n": %d}]}`, i))
	}
	got := web.must("GET", "/demo/webhook", "")
	list := got["notifications"].([]any)
	first := list[0].(map[string]any)["payload"].(map[string]any)["alerts"].([]any)[0].(map[string]any)["n"]
	if len(list) != keptWebhooks || got["total"] != float64(keptWebhooks+5) || first != 5.0 {
		t.Errorf("%d kept of %v, first %v", len(list), got["total"], first)
	}
	if status, _ := web.call("POST", "/demo/webhook", `{"hello": 1}`); status != http.StatusBadRequest {
		t.Errorf("anything is accepted: %d", status)
	}
	web.must("DELETE", "/demo/webhook", "")
	if got := web.must("GET", "/demo/webhook", ""); len(got["notifications"].([]any)) != 0 {
		t.Errorf("not cleared: %v", got)
	}
	if status, _ := web.call("GET", "/metrics", ""); status != http.StatusNotFound {
		t.Errorf("the receiver serves more than it should: %d", status)
	}
}

// A bad spec must be refused with its reason while the old one keeps running.
func TestReloadRefused(t *testing.T) {
	b := newBench(t)
	b.reload = func() error { return errors.New("spec.x: unknown key") }
	if status, body := b.call("POST", "/demo/reload", ""); status != 400 || body["error"] != "spec.x: unknown key" {
		t.Errorf("%d %v", status, body)
	}
	b.must("GET", "/health", "")
	b.reload = func() error { return nil }
	b.must("POST", "/demo/reload", "")
}

// Health, version, declared paths and the front page must answer, anything else must not.
func TestPages(t *testing.T) {
	b := newBench(t)
	for _, path := range []string{"/", "/health", "/livez", "/readyz", "/version", "/api/repos"} {
		b.must("GET", path, "")
	}
	for path, wanted := range map[string]int{"/nothing": http.StatusNotFound, "/favicon.ico": http.StatusNoContent} {
		if status, _ := b.call("GET", path, ""); status != wanted {
			t.Errorf("%s: %d", path, status)
		}
	}
}

// The process itself: start, logs in a file, reload by signal, stop within a second.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	spec, logFile := filepath.Join(dir, "spec.json"), filepath.Join(dir, "x.log")
	raw, err := os.ReadFile("testdata/spec.json")
	if err != nil {
		t.Fatal(err)
	}
	raw = []byte(strings.Replace(string(raw), `"file": null`, fmt.Sprintf(`"file": %q`, logFile), 1))
	if err := os.WriteFile(spec, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	address, stderr, done := freeAddress(t), &safeBuffer{}, make(chan error, 1)
	go func() {
		done <- run([]string{"-spec", spec, "-service", "api", "-listen", address}, io.Discard, stderr)
	}()
	await(t, func() bool {
		return run([]string{"-probe", "http://" + address + "/demo/healthz"}, io.Discard, io.Discard) == nil
	})
	await(t, func() bool { info, err := os.Stat(logFile); return err == nil && info.Size() > 0 })
	if err := os.WriteFile(spec, []byte(`{"oops": 1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if run([]string{"-check", spec}, io.Discard, io.Discard) == nil {
		t.Error("-check accepts a bad spec")
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGHUP)
	await(t, func() bool { return strings.Contains(strings.Join(stderr.lines(), "\n"), "spec.oops") })
	started := time.Now()
	_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if took := time.Since(started); took > time.Second {
		t.Errorf("stopping took %s", took)
	}
}

// -print-metrics must print an exposition and no log line.
func TestPrintMetrics(t *testing.T) {
	var out, stderr bytes.Buffer
	if err := run([]string{"-spec", "testdata/spec.json", "-service", "api", "-print-metrics"}, &out, &stderr); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), "# HELP") || strings.Contains(out.String(), `"level"`) {
		t.Error(out.String()[:200])
	}
	err := run([]string{"-spec", "testdata/spec.json", "-service", "apy"}, &out, &stderr)
	if err == nil || !strings.Contains(err.Error(), `did you mean "api"?`) {
		t.Error(err)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func await(t *testing.T, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatal("did not happen within 10 s")
		}
		time.Sleep(5 * time.Millisecond)
	}
}
