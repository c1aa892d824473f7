package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What the documented formats refuse must be refused, naming file and field.
func TestRefusals(t *testing.T) {
	long := strings.Repeat("x", 41)
	cases := []struct{ name, file, old, new, want string }{
		{"not YAML", "datasources/ds.yaml", "apiVersion: 1", "apiVersion: [", "ds.yaml: not YAML"},
		{"version", "datasources/ds.yaml", "apiVersion: 1", "apiVersion: 2", "ds.yaml apiVersion: must be 1"},
		{"unknown field", "datasources/ds.yaml", "isDefault", "default", "ds.yaml datasources[0].default: unknown field"},
		{"missing name", "datasources/ds.yaml", "name: Loki, ", "", "ds.yaml datasources[1].name: required"},
		{"missing type", "datasources/ds.yaml", "type: loki, ", "", "ds.yaml datasources[1].type: required"},
		{"unknown type", "datasources/ds.yaml", "type: loki", "type: lokki", `ds.yaml datasources[1].type: "lokki" is not`},
		{"bad access", "datasources/ds.yaml", "access: proxy", "access: prox", "ds.yaml datasources[1].access"},
		{"bad url", "datasources/ds.yaml", "http://loki:3100", "loki:3100", "ds.yaml datasources[1].url"},
		{"two defaults", "datasources/ds.yaml", "access: proxy", "isDefault: true", "only one data source of an organisation can be the default"},
		{"duplicate uid", "datasources/ds.yaml", "uid: loki", "uid: prometheus", `ds.yaml datasources[1].uid: "prometheus" is also the uid of`},
		{"duplicate name", "datasources/ds.yaml", "name: Loki", "name: Prometheus", `datasources[1].name: "Prometheus" is also the name of`},
		{"long uid", "datasources/ds.yaml", "uid: loki", "uid: " + long, "longer than 40 characters"},
		{"bad uid", "datasources/ds.yaml", "uid: loki", "uid: lo/ki", "has characters other than"},
		{"missing secret file", "datasources/ds.yaml", "access: proxy", "secureJsonData: {basicAuthPassword: '$__file{/nowhere/x}'}", "ds.yaml datasources[1].secureJsonData.basicAuthPassword: open /nowhere/x"},
		{"provider without path", "dashboards/all.yaml", "path:", "paths:", "all.yaml providers[0].options.path: required"},
		{"provider without name", "dashboards/all.yaml", "name: plue, ", "", "all.yaml providers[0].name: required"},
		{"provider of another type", "dashboards/all.yaml", "type: file", "type: git", "all.yaml providers[0].type"},
		{"path that is not there", "dashboards/all.yaml", "/files", "/fils", "all.yaml providers[0].options.path"},
		{"no JSON", "files/overview.json", "{", "", "overview.json: not a JSON object"},
		{"no title", "files/overview.json", "Plue Overview", " ", "overview.json title: Dashboard title cannot be empty"},
		{"dashboard uid too long", "files/overview.json", "plue-overview", long, "overview.json uid: uid"},
		{"dashboard uid with a blank", "files/overview.json", "plue-overview", "plue overview", "overview.json uid: uid"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			k := newKit(t)
			k.edit(c.file, c.old, c.new)
			err := checkOnly(func(string) string { return k.dir }, os.Stdout)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
		})
	}
}

// A dashboard whose uid is taken must not overwrite the first.
func TestDuplicateDashboardUID(t *testing.T) {
	k := newKit(t)
	k.write("files/second.json", strings.Replace(goodDashboard, "Plue Overview", "Other", 1))
	err := checkOnly(func(string) string { return k.dir }, os.Stdout)
	if err == nil || !strings.Contains(err.Error(), `second.json uid: "plue-overview" is also the uid of`) {
		t.Fatal(err)
	}
	k.start(Settings{})
	if got := k.titles("type=dash-db"); got != "Plue Overview" {
		t.Errorf("served: %s", got)
	}
}

// References to unknown data sources must be listed, declared variables and built-in ones not.
func TestWarnings(t *testing.T) {
	k := newKit(t)
	k.edit("files/overview.json", `{"uid": "loki"}`, `{"uid": "lokki"}`)
	k.write("files/b.json", `{"title": "B", "templating": {"list": [{"name": "ds"}]}, "annotations": {"list": [{"datasource": {"uid": "-- Grafana --"}}]},
	  "panels": [{"datasource": {"uid": "${ds}"}}, {"datasource": {"uid": "$other"}}, {"datasource": {"type": "loki", "uid": "prometheus"}}]}`)
	k.edit("datasources/ds.yaml", "{httpMethod: POST}", "{exemplarTraceIdDestinations: [{name: trace_id, datasourceUid: tempo}]}")
	k.start(Settings{})
	got := strings.Join(k.state.Warnings(), "\n")
	for _, want := range []string{
		`overview.json panels[1].panels[0].datasource: no data source has the uid "lokki"`, `b.json panels[1].datasource: variable "other" is not declared`,
		`b.json panels[2].datasource: "prometheus" is a data source of type prometheus, not loki`, `exemplarTraceIdDestinations[0].datasourceUid: no data source has the uid "tempo"`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if n := len(k.state.Warnings()); n != 4 {
		t.Errorf("%d warnings:\n%s", n, got)
	}
}

// Variables and secret files must be expanded, the doubled dollar sign kept.
func TestExpansion(t *testing.T) {
	k := newKit(t)
	k.write("secret", "pa$$word\n")
	t.Setenv("VIEWER_TEST_HOST", "loki-of-env")
	k.edit("datasources/ds.yaml", "loki:3100", "${VIEWER_TEST_HOST}:3100")
	k.edit("datasources/ds.yaml", "access: proxy", "basicAuth: true, basicAuthUser: 'a$$b', secureJsonData: {basicAuthPassword: '$__file{"+k.dir+"/secret}'}")
	k.start(Settings{})
	d := k.state.datasource("loki")
	if d.URL != "http://loki-of-env:3100" || d.BasicUser != "a$b" || d.secure["basicAuthPassword"] != "pa$$word" {
		t.Errorf("%+v", d)
	}
}

// Symbolic links must be followed, each real file loaded once, hidden folders left out.
func TestSymbolicLinks(t *testing.T) {
	k := newKit(t)
	if err := os.Rename(filepath.Join(k.dir, "files"), filepath.Join(k.dir, "version-1")); err != nil {
		t.Fatal(err)
	}
	k.write("files/..data/overview.json", goodDashboard)
	for link, target := range map[string]string{"files/current": "../version-1", "files/again": "../version-1"} {
		if err := os.Symlink(target, filepath.Join(k.dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := checkOnly(func(string) string { return k.dir }, os.Stdout); err != nil {
		t.Fatal(err)
	}
	k.start(Settings{})
	if got := k.titles("type=dash-db"); got != "Plue Overview" {
		t.Errorf("served: %s", got)
	}
}

// A changed file must be picked up after the interval, which is at least five seconds; a bad one must not disturb.
func TestWatch(t *testing.T) {
	k := newKit(t).start(Settings{})
	now := time.Now()
	k.edit("files/overview.json", "Plue Overview", "Renamed")
	k.state.Watch(now.Add(3 * time.Second))
	if got := k.titles("type=dash-db"); got != "Plue Overview" {
		t.Errorf("read too early: %s", got)
	}
	k.state.Watch(now.Add(6 * time.Second))
	if got := k.titles("type=dash-db"); got != "Renamed" {
		t.Errorf("not read: %s", got)
	}
	k.write("files/overview.json", "{")
	k.state.Watch(now.Add(12 * time.Second))
	if got := k.titles("type=dash-db"); got != "Renamed" || !strings.Contains(k.state.Complaint(), "overview.json") {
		t.Errorf("%s, complaint %q", got, k.state.Complaint())
	}
	k.write("files/overview.json", goodDashboard)
	k.state.Watch(now.Add(18 * time.Second))
	if got := k.titles("type=dash-db"); got != "Plue Overview" || k.state.Complaint() != "" {
		t.Errorf("%s, complaint %q", got, k.state.Complaint())
	}
}

// A removed file must take its dashboard along, unless its provider disables deletion.
func TestRemovedFiles(t *testing.T) {
	for _, disabled := range []bool{false, true} {
		k := newKit(t)
		if disabled {
			k.edit("dashboards/all.yaml", "type: file", "type: file, disableDeletion: true")
		}
		k.start(Settings{})
		if err := os.Remove(filepath.Join(k.dir, "files/overview.json")); err != nil {
			t.Fatal(err)
		}
		k.admin("POST", "/api/admin/provisioning/dashboards/reload", "", nil)
		if got := k.titles("type=dash-db"); (got != "") != disabled {
			t.Errorf("disableDeletion %v: %q", disabled, got)
		}
	}
}

// A data source that files no longer name must stay until it is deleted or pruned.
func TestDatasourceRemoval(t *testing.T) {
	k := newKit(t).start(Settings{})
	rest := strings.Join(strings.Split(goodDatasources, "\n")[:3], "\n") + "\n"
	for _, c := range []struct {
		text string
		kept bool
	}{{rest, true}, {rest + "deleteDatasources: [{name: Loki, orgId: 1}]\n", false}, {goodDatasources, true}, {rest + "prune: true\n", false}} {
		k.write("datasources/ds.yaml", c.text)
		if status := k.admin("POST", "/api/admin/provisioning/datasources/reload", "", nil); status != 200 {
			t.Fatal(status)
		}
		if kept := k.state.datasource("loki") != nil; kept != c.kept {
			t.Errorf("kept %v after\n%s", kept, c.text)
		}
	}
}
