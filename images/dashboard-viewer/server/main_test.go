package main

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func environmentOf(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

// Settings that cannot work must be refused by name.
func TestSettingsRefusals(t *testing.T) {
	dir := t.TempDir()
	secret, empty := filepath.Join(dir, "pw"), filepath.Join(dir, "empty")
	for file, text := range map[string]string{secret: "pw\n", empty: "\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const file = "GF_SECURITY_ADMIN_PASSWORD__FILE"
	for want, env := range map[string]func(string) string{
		"there is no default password": environmentOf("GF_PATHS_DATA", dir),
		"no such file":                 environmentOf("GF_PATHS_DATA", dir, file, dir+"/nope"),
		"no default password":          environmentOf("GF_PATHS_DATA", dir, "GF_SECURITY_ADMIN_PASSWORD", "plain"),
		"is empty":                     environmentOf("GF_PATHS_DATA", dir, file, empty),
		"are exclusive":                environmentOf("GF_PATHS_DATA", dir, file, secret, "GF_SECURITY_ADMIN_PASSWORD", "x"),
		"is not a port":                environmentOf("GF_PATHS_DATA", dir, file, secret, "GF_SERVER_HTTP_PORT", "x"),
		"GF_SERVER_ROOT_URL":           environmentOf("GF_PATHS_DATA", dir, file, secret, "GF_SERVER_ROOT_URL", "/grafana"),
		"GF_PATHS_DATA":                environmentOf("GF_PATHS_DATA", dir+"/nope", file, secret),
		"neither true nor false":       environmentOf("GF_PATHS_DATA", dir, file, secret, "GF_SERVER_SERVE_FROM_SUB_PATH", "maybe"),
		"the viewer speaks http only":  environmentOf("GF_PATHS_DATA", dir, file, secret, "GF_SERVER_PROTOCOL", "https"),
	} {
		if _, err := LoadSettings(env); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	expanded, err := LoadSettings(environmentOf("GF_PATHS_DATA", dir, "GF_SECURITY_ADMIN_PASSWORD", "$__file{"+secret+"}"))
	if err != nil || expanded.Password != "pw" {
		t.Errorf("%+v %v", expanded, err)
	}
	s, err := LoadSettings(environmentOf("GF_PATHS_DATA", dir, file, secret, "GF_SERVER_ROOT_URL", "https://x/grafana/", "GF_ANYTHING_ELSE", "1"))
	if err != nil || s.Password != "pw" || s.SubPath != "/grafana" || s.User != "admin" || s.Address != ":3000" {
		t.Errorf("%+v %v", s, err)
	}
}

type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// The process itself: a bad data source ends it, a good folder serves, SIGTERM stops it within a second.
func TestRun(t *testing.T) {
	k := newKit(t)
	k.write("pw", password)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(listener.Addr().String())
	listener.Close()
	env := environmentOf("GF_PATHS_PROVISIONING", k.dir, "GF_PATHS_DATA", k.dir, "GF_SECURITY_ADMIN_PASSWORD__FILE", k.dir+"/pw",
		"GF_SERVER_HTTP_ADDR", host, "GF_SERVER_HTTP_PORT", port)
	k.edit("datasources/ds.yaml", "type: loki", "type: nonsense")
	if err := run([]string{programName}, env, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), "ds.yaml datasources[1].type") {
		t.Fatalf("started with a bad data source: %v", err)
	}
	k.write("datasources/ds.yaml", goodDatasources)
	out, done := &safeBuffer{}, make(chan error, 1)
	go func() { done <- run([]string{programName, "--config=/etc/grafana/grafana.ini"}, env, out, io.Discard) }()
	health := "http://" + host + ":" + port + "/api/health"
	deadline := time.Now().Add(10 * time.Second)
	for run([]string{"/usr/bin/curl", "-fsS", health}, env, io.Discard, io.Discard) != nil {
		if time.Now().After(deadline) {
			t.Fatal("did not answer within 10 s")
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err := run([]string{programName, "-probe", health}, env, io.Discard, io.Discard); err != nil {
		t.Error(err)
	}
	started := time.Now()
	_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
	if err := <-done; err != nil || time.Since(started) > time.Second {
		t.Errorf("%v after %s", err, time.Since(started))
	}
	if !strings.Contains(out.String(), "not Grafana") || strings.Contains(out.String(), password) {
		t.Error(out.String())
	}
}
