package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	linesPerSecond = 5.0
	burst          = 5.0
)

// Logger writes the log lines that a service declares, to stdout and to its file if it has one.
type Logger struct {
	mu      sync.Mutex
	service string
	spec    LogSpec
	stdout  io.Writer
	file    *logFile // nil: stdout only
	warned  bool     // the file has failed, and that is said
	tokens  float64
	owed    float64 // parts of a line of the fault logs_errors
}

// NewLogger opens the declared file.
func NewLogger(service string, spec LogSpec, stdout io.Writer) (*Logger, error) {
	l := &Logger{service: service, stdout: stdout, tokens: burst}
	return l, l.Reopen(spec)
}

// Reopen takes another declaration and opens its file again; on an error the old one stays.
func (l *Logger) Reopen(spec LogSpec) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var file *logFile
	if spec.File != "" {
		var err error
		if file, err = openLogFile(spec.File, maxLogFile); err != nil {
			return fmt.Errorf("logs.file: %w", err)
		}
	}
	if l.file != nil {
		_ = l.file.Close()
	}
	l.spec, l.file, l.warned = spec, file, false
	return nil
}

func (l *Logger) refill(dt float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tokens = min(burst, l.tokens+linesPerSecond*dt)
}

// take asks for room for one line; ordinary lines leave some for errors.
func (l *Logger) take(reserve float64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tokens < 1+reserve {
		return false
	}
	l.tokens--
	return true
}

// request logs some of the requests, failed ones first, and returns the line that it wrote.
func (l *Logger) request(at time.Time, request map[string]string, svc *Service, failed bool, seconds float64, rng *rand.Rand) map[string]any {
	reserve := 2.0
	if failed {
		reserve = 0
	} else if svc.RequestRate > 4 && rng.Float64() > 4/svc.RequestRate {
		return nil
	}
	if !l.take(reserve) {
		return nil
	}
	line := describe(request, svc, failed)
	line["duration_ms"] = float64(int(seconds*1e6)) / 1e3
	status := fmt.Sprint(line["status"])
	switch {
	case failed:
		line["level"], line["msg"] = "error", fmt.Sprintf("error: %s %s ended with status %s", line["method"], line["path"], status)
	case strings.HasPrefix(status, "4"), seconds > 1:
		line["level"], line["msg"] = "warn", fmt.Sprintf("%s %s was slow or refused (%s)", line["method"], line["path"], status)
	default:
		line["level"], line["msg"] = "info", fmt.Sprintf("%s %s handled", line["method"], line["path"])
	}
	identify(line, rng)
	if line["level"] == "info" {
		l.sample(line, rng)
	}
	l.Write(at, line)
	return line
}

// sample turns about every third line into one of the declared samples.
func (l *Logger) sample(line map[string]any, rng *rand.Rand) {
	l.mu.Lock()
	samples := l.spec.Samples
	l.mu.Unlock()
	if len(samples) == 0 || rng.IntN(3) > 0 {
		return
	}
	maps.Copy(line, samples[rng.IntN(len(samples))])
}

func describe(request map[string]string, svc *Service, failed bool) map[string]any {
	line := map[string]any{"method": "GET", "path": "/", "status": any(200)}
	if failed {
		line["status"] = 500
	}
	for label, value := range request {
		line[label] = value
	}
	if path, ok := request[svc.PathLabel]; ok {
		line["path"] = path
	}
	if status, ok := request[svc.StatusLabel]; ok {
		line["status"] = status
		if code, err := strconv.Atoi(status); err == nil {
			line["status"] = code
		}
	}
	return line
}

func identify(line map[string]any, rng *rand.Rand) {
	line["request_id"] = fmt.Sprintf("req-%012x", rng.Uint64()>>16)
	line["trace_id"] = fmt.Sprintf("%016x%016x", rng.Uint64(), rng.Uint64())
	line["span_id"] = fmt.Sprintf("%016x", rng.Uint64())
	for _, who := range []string{"user", "project", "tenant"} {
		line[who+"_id"] = fmt.Sprintf("%s-%03d", who, rng.IntN(200))
	}
	line["amount"] = float64(rng.IntN(2_000_000)) / 100
}

// faultErrors writes error lines beyond the usual limit, as asked for by the fault logs_errors.
func (l *Logger) faultErrors(at time.Time, lines float64, rng *rand.Rand) {
	for l.owed += lines; l.owed >= 1; l.owed-- {
		line := map[string]any{"level": "error", "msg": "error: a dependency did not answer", "method": "GET", "path": "/", "status": 500, "duration_ms": 1000.0}
		identify(line, rng)
		l.Write(at, line)
	}
}

// Write writes one line with the declared fields; msg is always there, whatever is declared.
func (l *Logger) Write(at time.Time, line map[string]any, extra ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := l.render(at, line, extra)
	_, _ = l.stdout.Write(text)
	if l.file == nil {
		return
	}
	if _, err := l.file.Write(text); err != nil && !l.warned {
		l.warned = true
		_, _ = l.stdout.Write(l.render(at, map[string]any{"level": "error", "msg": "error: log file: " + err.Error()}, nil))
	}
}

func (l *Logger) render(at time.Time, line map[string]any, extra []string) []byte {
	fields := append([]string{}, l.spec.Fields...)
	if !slices.Contains(fields, "msg") && !slices.Contains(fields, "message") {
		fields = append(fields, "msg")
	}
	for _, name := range extra {
		if !slices.Contains(fields, name) {
			fields = append(fields, name)
		}
	}
	var text bytes.Buffer
	for i, name := range fields {
		l.field(&text, i, name, l.value(at, line, name))
	}
	if l.spec.Format == "json" {
		text.WriteByte('}')
	}
	text.WriteByte('\n')
	return text.Bytes()
}

func (l *Logger) field(text *bytes.Buffer, i int, name string, value any) {
	encoded, _ := json.Marshal(value)
	if l.spec.Format == "json" {
		text.WriteByte("{,"[min(i, 1)])
		key, _ := json.Marshal(name)
		text.Write(key)
		text.WriteByte(':')
	} else {
		if i > 0 {
			text.WriteByte(' ')
		}
		text.WriteString(name + "=")
	}
	text.Write(encoded)
}

// value finds a field under its usual names; an unknown field gets a constant.
func (l *Logger) value(at time.Time, line map[string]any, name string) any {
	if value, ok := line[name]; ok {
		return value
	}
	switch name {
	case "ts", "time", "timestamp", "@timestamp":
		return at.UTC().Format(time.RFC3339Nano)
	case "message":
		return line["msg"]
	case "severity":
		return line["level"]
	case "service", "app", "logger":
		return l.service
	case "caller":
		return l.service + "/handler.go:42"
	case "status_code":
		return line["status"]
	case "duration":
		return line["duration_ms"]
	}
	return "unset"
}
