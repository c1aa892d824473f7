package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// About every third info line must be a sample with its own fields, the rest of the line as usual.
func TestSamples(t *testing.T) {
	b := newWorker(t)
	b.play(5 * time.Minute)
	found := map[string]int{}
	for _, text := range b.logs.lines() {
		line := map[string]any{}
		if err := json.Unmarshal([]byte(text), &line); err != nil || len(line) != 8 || line["service"] != "worker" {
			t.Fatalf("%s: %v", text, err)
		}
		switch line["msg"] {
		case "mail sent":
			found["mail"]++
			if line["level"] != "info" || line["tenant_id"] != "acme" || line["status"] != 250.0 || line["model"] != "unset" {
				t.Fatal(text)
			}
		case "model answered":
			found["model"]++
			if line["level"] != "debug" || line["model"] != "small" || line["status"] != 200.0 {
				t.Fatal(text)
			}
		default:
			found[line["level"].(string)]++
		}
	}
	samples := float64(found["mail"] + found["model"])
	if share := samples / (samples + float64(found["info"])); share < 0.23 || share > 0.43 || found["mail"] < 50 || found["model"] < 50 {
		t.Errorf("%v: a share of %g", found, share)
	}
}

// Lines of failed requests must stay what they are: samples come in place of ordinary ones only.
func TestSamplesLeaveErrors(t *testing.T) {
	b := newWorker(t)
	b.must("PUT", "/demo/faults/errors", `{"ratio": 1}`)
	b.play(time.Minute)
	for _, text := range b.logs.lines() {
		if !strings.Contains(text, `"level":"error"`) {
			t.Fatal(text)
		}
	}
}

// A set file must get the same lines as stdout.
func TestLogFileAndStdout(t *testing.T) {
	path, stdout := filepath.Join(t.TempDir(), "x.log"), &safeBuffer{}
	l, err := NewLogger("api", LogSpec{Format: "json", Fields: []string{"msg"}, File: path}, stdout)
	if err != nil {
		t.Fatal(err)
	}
	for _, msg := range []string{"one", "two"} {
		l.Write(time.Now(), map[string]any{"msg": msg})
	}
	raw, _ := os.ReadFile(path)
	if want := "{\"msg\":\"one\"}\n{\"msg\":\"two\"}\n"; string(raw) != want || strings.Join(stdout.lines(), "\n")+"\n" != want {
		t.Errorf("%q in the file, %q on stdout", raw, stdout.lines())
	}
	if err := l.Reopen(LogSpec{Format: "json", Fields: []string{"msg"}}); err != nil {
		t.Fatal(err)
	}
	l.Write(time.Now(), map[string]any{"msg": "three"})
	if after, _ := os.ReadFile(path); len(after) != len(raw) || len(stdout.lines()) != 3 {
		t.Errorf("%q in the file after it was taken away, %q on stdout", after, stdout.lines())
	}
}

// A file must be renamed when it is over its limit, what it held before it was opened included.
func TestLogFileRotates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.log")
	if err := os.WriteFile(path, []byte("old\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := openLogFile(path, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ line, now, before string }{
		{"12345\n", "old\n12345\n", ""}, {"6\n", "", "old\n12345\n6\n"}, {"7\n", "7\n", "old\n12345\n6\n"}, {"0123456789\n", "", "7\n0123456789\n"},
	} {
		if _, err := f.Write([]byte(c.line)); err != nil {
			t.Fatal(err)
		}
		now, _ := os.ReadFile(path)
		before, _ := os.ReadFile(path + ".1")
		if string(now) != c.now || string(before) != c.before {
			t.Errorf("after %q: %q, before it %q", c.line, now, before)
		}
	}
	_ = os.Remove(path)
	if _, err := f.Write([]byte("0123456789\n")); err != nil {
		t.Errorf("a file that somebody has removed: %v", err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	if l, err := NewLogger("api", LogSpec{File: path}, io.Discard); err != nil || l.file.limit != 20<<20 {
		t.Errorf("%v, limit %d", err, l.file.limit)
	}
}

// A file that cannot be renamed must be said once, and go on.
func TestLogFileThatStays(t *testing.T) {
	path, stdout := filepath.Join(t.TempDir(), "x.log"), &safeBuffer{}
	if err := os.MkdirAll(filepath.Join(path+".1", "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := NewLogger("api", LogSpec{Format: "json", Fields: []string{"msg"}, File: path}, stdout)
	if err != nil {
		t.Fatal(err)
	}
	l.file.limit = 5
	for range 3 {
		l.Write(time.Now(), map[string]any{"msg": "one"})
	}
	raw, _ := os.ReadFile(path)
	if text := strings.Join(stdout.lines(), "\n"); strings.Count(string(raw), "one") != 3 || strings.Count(text, "one") != 3 || strings.Count(text, "log file") != 1 {
		t.Errorf("%q in the file, %q on stdout", raw, text)
	}
}

// A folder that does not exist must be named, and the old declaration stay.
func TestLogFolderIsMissing(t *testing.T) {
	dir, stdout := t.TempDir(), &safeBuffer{}
	missing := LogSpec{Format: "json", Fields: []string{"msg"}, File: filepath.Join(dir, "none", "x.log")}
	if _, err := NewLogger("api", missing, stdout); err == nil || !strings.Contains(err.Error(), "logs.file: the folder of "+missing.File+" does not exist") {
		t.Errorf("%v", err)
	}
	path := filepath.Join(dir, "x.log")
	l, err := NewLogger("api", LogSpec{Format: "json", Fields: []string{"msg"}, File: path}, stdout)
	if err != nil {
		t.Fatal(err)
	}
	if l.Reopen(missing) == nil {
		t.Error("taken")
	}
	l.Write(time.Now(), map[string]any{"msg": "still"})
	if raw, _ := os.ReadFile(path); !strings.Contains(string(raw), "still") {
		t.Errorf("%q", raw)
	}
}
