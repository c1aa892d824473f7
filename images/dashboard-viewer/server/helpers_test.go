package main

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	goodDatasources = `apiVersion: 1
datasources:
  - {name: Prometheus, type: prometheus, uid: prometheus, url: "http://prometheus:9090", isDefault: true, jsonData: {httpMethod: POST}}
  - {name: Loki, type: loki, uid: loki, url: "http://loki:3100", access: proxy}
`
	goodDashboard = `{"uid": "plue-overview", "title": "Plue Overview", "tags": ["plue"], "panels": [
  {"title": "Requests", "type": "timeseries", "datasource": {"type": "prometheus", "uid": "prometheus"}, "targets": [{"expr": "sum(rate(x[5m]))"}]},
  {"type": "row", "title": "Row", "panels": [{"title": "Logs", "type": "logs", "datasource": {"uid": "loki"}, "targets": [{"expr": "{job=\"a\"}"}]}]}]}`
	password = "s3cret-of-the-test"
)

// kit is a provisioning folder and, once started, a server on it.
type kit struct {
	t     *testing.T
	dir   string
	state *State
	web   *httptest.Server
}

func newKit(t *testing.T) *kit {
	t.Helper()
	k := &kit{t: t, dir: t.TempDir()}
	k.write("datasources/ds.yaml", goodDatasources)
	k.write("dashboards/all.yaml", `apiVersion: 1
providers:
  - {name: plue, type: file, folder: Plue, updateIntervalSeconds: 1, options: {path: `+k.dir+`/files}}
`)
	k.write("files/overview.json", goodDashboard)
	return k
}

func (k *kit) write(name, text string) {
	k.t.Helper()
	path := filepath.Join(k.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		k.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		k.t.Fatal(err)
	}
}

func (k *kit) edit(name, old, changed string) {
	k.t.Helper()
	raw, err := os.ReadFile(filepath.Join(k.dir, name))
	if err != nil || !strings.Contains(string(raw), old) {
		k.t.Fatalf("%s does not have %q (%v)", name, old, err)
	}
	k.write(name, strings.Replace(string(raw), old, changed, 1))
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func (k *kit) start(settings Settings) *kit {
	k.t.Helper()
	state, err := NewState(k.dir, quiet())
	if err != nil {
		k.t.Fatal(err)
	}
	settings.User, settings.Password, settings.Data = "admin", password, k.t.TempDir()
	if err := ensureAdmin(settings); err != nil {
		k.t.Fatal(err)
	}
	k.state = state
	k.web = httptest.NewServer(NewServer(settings, state, quiet()))
	k.t.Cleanup(k.web.Close)
	return k
}

func (k *kit) request(method, path, user, secret, body string) (int, string, http.Header) {
	k.t.Helper()
	in, err := http.NewRequest(method, k.web.URL+path, strings.NewReader(body))
	if err != nil {
		k.t.Fatal(err)
	}
	if user != "" {
		in.SetBasicAuth(user, secret)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(in)
	if err != nil {
		k.t.Fatal(err)
	}
	defer answer.Body.Close()
	raw, _ := io.ReadAll(answer.Body)
	if answer.Header.Get("Server") != programName {
		k.t.Errorf("%s does not say what it is", path)
	}
	return answer.StatusCode, string(raw), answer.Header
}

// admin calls as the administrator and decodes the answer.
func (k *kit) admin(method, path, body string, into any) int {
	k.t.Helper()
	status, text, _ := k.request(method, path, "admin", password, body)
	if into != nil {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			k.t.Fatalf("%s: %v: %s", path, err, text)
		}
	}
	return status
}

func (k *kit) titles(query string) string {
	k.t.Helper()
	var hits []struct{ Title string }
	k.admin("GET", "/api/search?"+query, "", &hits)
	var titles []string
	for _, hit := range hits {
		titles = append(titles, hit.Title)
	}
	return strings.Join(titles, ",")
}

func readAll(t *testing.T, from io.Reader) string {
	t.Helper()
	raw, err := io.ReadAll(from)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
