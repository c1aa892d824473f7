package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// Only the administrator must be let in, health and metrics aside.
func TestAuth(t *testing.T) {
	k := newKit(t).start(Settings{})
	for _, c := range []struct {
		path, user, secret string
		want               int
	}{
		{"/api/health", "", "", 200}, {"/metrics", "", "", 200}, {"/healthz", "", "", 200}, {"/login", "", "", 200},
		{"/api/search", "", "", 401}, {"/api/search", "admin", "admin", 401}, {"/api/search", "root", password, 401}, {"/api/search", "admin", password, 200},
		{"/api/datasources", "", "", 401}, {"/", "", "", 302}, {"/", "admin", password, 200}, {"/nowhere", "admin", password, 404},
	} {
		if status, body, _ := k.request("GET", c.path, c.user, c.secret, ""); status != c.want {
			t.Errorf("%s as %q: %d, want %d: %s", c.path, c.user, status, c.want, body)
		}
	}
	if status, _, _ := k.request("POST", "/api/admin/provisioning/dashboards/reload", "", "", ""); status != 401 {
		t.Errorf("anyone may reload: %d", status)
	}
}

// The login page must give a session that the pages accept.
func TestLogin(t *testing.T) {
	k := newKit(t).start(Settings{SubPath: "/grafana"})
	post := func(secret string) *http.Response {
		client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		answer, err := client.PostForm(k.web.URL+"/login", url.Values{"user": {"admin"}, "password": {secret}})
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer
	}
	if answer := post("wrong"); answer.StatusCode != 401 || len(answer.Cookies()) != 0 {
		t.Errorf("wrong password: %s", answer.Status)
	}
	answer := post(password)
	if answer.StatusCode != 302 || answer.Header.Get("Location") != "/grafana/" || answer.Cookies()[0].Path != "/grafana/" {
		t.Fatalf("%s to %s", answer.Status, answer.Header.Get("Location"))
	}
	in, _ := http.NewRequest("GET", k.web.URL+"/api/search", nil)
	in.AddCookie(answer.Cookies()[0])
	if answer, err := http.DefaultClient.Do(in); err != nil || answer.StatusCode != 200 {
		t.Errorf("session refused: %v", err)
	}
}

// Search must find by word, tag and type, with the folder told.
func TestSearch(t *testing.T) {
	k := newKit(t)
	k.write("files/other.json", `{"title": "Host", "uid": "host", "tags": ["node"]}`)
	k.start(Settings{SubPath: "/g"})
	for query, want := range map[string]string{
		"type=dash-db": "Host,Plue Overview", "query=overVIEW&type=dash-db": "Plue Overview", "tag=node": "Host", "query=none": "",
		"type=dash-folder": "Plue", "dashboardUIDs=host&type=dash-db": "Host", "type=dash-db&limit=1": "Host",
	} {
		if got := k.titles(query); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	var hits []map[string]any
	k.admin("GET", "/api/search?query=plue+overview", "", &hits)
	if hits[0]["folderTitle"] != "Plue" || hits[0]["url"] != "/g/d/plue-overview/plue-overview" {
		t.Errorf("%v", hits[0])
	}
}

// A dashboard must come back as its file has it, with where it came from.
func TestDashboardByUID(t *testing.T) {
	k := newKit(t).start(Settings{})
	var got struct {
		Dashboard struct {
			Title  string
			Panels []any
		}
		Meta map[string]any
	}
	k.admin("GET", "/api/dashboards/uid/plue-overview", "", &got)
	if got.Dashboard.Title != "Plue Overview" || len(got.Dashboard.Panels) != 2 || got.Meta["provisioned"] != true ||
		got.Meta["provisionedExternalId"] != "overview.json" || got.Meta["folderTitle"] != "Plue" {
		t.Errorf("%+v", got)
	}
	if status := k.admin("GET", "/api/dashboards/uid/nope", "", nil); status != 404 {
		t.Error(status)
	}
}

// A refused reload must tell its reason and leave everything as it was.
func TestReloadKeepsOldState(t *testing.T) {
	k := newKit(t).start(Settings{})
	k.edit("files/overview.json", `"Plue Overview"`, `""`)
	k.edit("datasources/ds.yaml", "type: loki", "type: nonsense")
	for kind, want := range map[string]string{"dashboards": "overview.json title", "datasources": "ds.yaml datasources[1].type"} {
		var got struct{ Message string }
		if status := k.admin("POST", "/api/admin/provisioning/"+kind+"/reload", "", &got); status != 500 || !strings.Contains(got.Message, want) {
			t.Errorf("%s: %d %s", kind, status, got.Message)
		}
	}
	if got := k.titles("type=dash-db"); got != "Plue Overview" {
		t.Errorf("served: %s", got)
	}
	if k.state.datasource("loki") == nil {
		t.Error("the data source is gone")
	}
	k.write("files/overview.json", strings.Replace(goodDashboard, "Plue Overview", "New", 1))
	k.write("datasources/ds.yaml", goodDatasources)
	for _, kind := range []string{"dashboards", "datasources"} {
		var got struct{ Message string }
		status := k.admin("POST", "/api/admin/provisioning/"+kind+"/reload", "", &got)
		if status != 200 || !strings.EqualFold(got.Message, kind+" config reloaded") {
			t.Errorf("%s: %d %s", kind, status, got.Message)
		}
	}
	if got := k.titles("type=dash-db"); got != "New" {
		t.Errorf("served: %s", got)
	}
}

// With serve_from_sub_path the prefix works, the API works without it too, and all else is sent to the prefix.
func TestSubPath(t *testing.T) {
	k := newKit(t).start(Settings{SubPath: "/grafana", ServeSubPath: true, RootURL: "https://m.example/grafana/"})
	for path, want := range map[string]int{
		"/grafana/api/health": 200, "/grafana/metrics": 200, "/grafana/": 200, "/grafana": 200, "/grafana/d/plue-overview": 200, "/api/health": 200,
		"/api/search": 200, "/": 301, "/metrics": 301, "/grafanax": 301, "/grafana/nowhere": 404,
	} {
		status, _, header := k.request("GET", path, "admin", password, "")
		if status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
		if status == 301 && header.Get("Location") != "https://m.example/grafana"+path {
			t.Errorf("%s is sent to %s", path, header.Get("Location"))
		}
	}
	if _, _, header := k.request("GET", "/grafana/", "", "", ""); header.Get("Location") != "/grafana/login" {
		t.Errorf("login at %s", header.Get("Location"))
	}
}

// Health, proxy and query must really ask the data source, with its credentials and not the caller's.
func TestDatasourceIsAsked(t *testing.T) {
	seen := []string{}
	upstream := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		user, secret, _ := in.BasicAuth()
		seen = append(seen, in.Method+" "+in.URL.Path+"?"+in.URL.RawQuery+" "+user+":"+secret+" "+in.Header.Get("X-Scope"))
		fmt.Fprint(out, `{"status":"success"}`)
	}))
	defer upstream.Close()
	k := newKit(t)
	k.edit("datasources/ds.yaml", "http://prometheus:9090", upstream.URL+"/sub")
	k.edit("datasources/ds.yaml", "jsonData: {httpMethod: POST}",
		"basicAuth: true, basicAuthUser: u, jsonData: {httpHeaderName1: X-Scope}, secureJsonData: {basicAuthPassword: p, httpHeaderValue1: v}")
	k.start(Settings{})
	var body map[string]any
	for _, call := range [][3]string{
		{"GET", "/api/datasources/uid/prometheus/health", ""},
		{"GET", "/api/datasources/proxy/uid/prometheus/api/v1/query?query=up", ""},
		{"POST", "/api/datasources/proxy/uid/prometheus/api/v1/query_range", "query=up"},
		{"POST", "/api/ds/query", `{"from": "now-1h", "to": "now", "queries": [{"refId": "A", "expr": "up", "instant": true, "datasource": {"uid": "prometheus"}}]}`},
	} {
		if status := k.admin(call[0], call[1], call[2], &body); status != 200 {
			t.Errorf("%s: %d %v", call[1], status, body)
		}
	}
	want := []string{"GET /sub/api/v1/status/buildinfo? u:p v", "GET /sub/api/v1/query?query=up u:p v", "POST /sub/api/v1/query_range? u:p v", "GET /sub/api/v1/query?query=up&time="}
	for i, prefix := range want {
		if len(seen) <= i || !strings.HasPrefix(seen[i], prefix) {
			t.Fatalf("asked %q, want %q", seen, want)
		}
	}
	upstream.Close()
	if status := k.admin("GET", "/api/datasources/uid/prometheus/health", "", &body); status != 400 || body["status"] != "ERROR" {
		t.Errorf("a data source that is away: %d %v", status, body)
	}
}

// What a data source answers must set nothing in our pages, and its own refusal must not look like ours.
func TestForeignAnswersStayForeign(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
		out.Header().Set("Set-Cookie", sessionCookie+"=x")
		out.Header().Set(loginHeader, "/elsewhere")
		out.WriteHeader(http.StatusUnauthorized)
	}))
	defer upstream.Close()
	k := newKit(t)
	k.edit("datasources/ds.yaml", "http://prometheus:9090", upstream.URL)
	k.start(Settings{})
	status, _, header := k.request("GET", "/api/datasources/proxy/uid/prometheus/graph", "admin", password, "")
	if status != 401 || header.Get(loginHeader) != "" || header.Get("Set-Cookie") != "" || header.Get("Content-Security-Policy") != "sandbox" {
		t.Errorf("%d %v", status, header)
	}
	if _, _, header = k.request("GET", "/api/search", "", "", ""); header.Get(loginHeader) != "/login" {
		t.Errorf("our own refusal: %v", header)
	}
}

// Secrets of a data source must never be served.
func TestSecretsStayInside(t *testing.T) {
	k := newKit(t)
	k.edit("datasources/ds.yaml", "access: proxy", "basicAuth: true, secureJsonData: {basicAuthPassword: canary-secret}")
	k.start(Settings{})
	for _, path := range []string{"/", "/metrics", "/api/datasources", "/api/datasources/uid/loki", "/api/datasources/name/Loki"} {
		status, body, _ := k.request("GET", path, "admin", password, "")
		if status != 200 || strings.Contains(body, "canary-secret") || strings.Contains(body, password) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}

// Pages and metrics must say what this is, and no page may run what is not served here.
func TestPagesSayWhatThisIs(t *testing.T) {
	k := newKit(t).start(Settings{})
	for path, want := range map[string]string{"/": "dashboard-viewer", "/login": "not Grafana", "/d/plue-overview/x": "<title>Plue Overview"} {
		_, body, header := k.request("GET", path, "admin", password, "")
		if !strings.Contains(body, want) {
			t.Errorf("%s does not have %q", path, want)
		}
		if policy := header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: %s", path, policy)
		}
	}
	_, body, _ := k.request("GET", "/metrics", "", "", "")
	for _, want := range []string{`grafana_build_info{version="0.2.0"`, "grafana_stat_totals_dashboard 1", `grafana_http_request_duration_seconds_count{handler="/login"`} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is not in the metrics", want)
		}
	}
}
