package main

import (
	"html/template"
	"net/http"
	"path/filepath"
	"strings"
)

// The pages themselves: a login that needs no script, and an empty one that the script of ../web fills.
const layout = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="dashboard-viewer"><meta name="viewer-base" content="{{.Sub}}">
<title>{{.Title}}</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="{{.Sub}}/assets/app.css?v={{.Style}}">
{{if not .Login}}<script type="module" src="{{.Sub}}/assets/app.js?v={{.Script}}"></script>{{end}}
</head><body>
{{if .Login}}<main class="login"><h1>Dashboards</h1>
<p class="hint">This is the dashboard viewer, not Grafana: it draws what is provisioned and edits nothing.</p>
{{if .Failed}}<p class="failed" role="alert">Invalid username or password</p>{{end}}
<form method="post" action="{{.Sub}}/login"><input type="hidden" name="next" value="{{.Next}}">
<label>User <input name="user" autocomplete="username" required autofocus></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button class="choice">Log in</button></form></main>
{{else}}<p class="empty">{{if .Script}}<noscript>Dashboards are drawn by a script, which this browser does not run.</noscript>
{{else}}This program was built without its pages; its API works.{{end}}</p>{{end}}
</body></html>`

// Neither page may run, load or be put into anything but what is served here.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

var pageTemplate = template.Must(template.New("page").Parse(layout))

type page struct {
	Title, Sub, Next, Script, Style string
	Login, Failed                   bool
}

func (s *Server) show(out http.ResponseWriter, status int, p page) {
	p.Sub, p.Script, p.Style = s.settings.SubPath, assets["app.js"].digest, assets["app.css"].digest
	header := out.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", policy)
	header.Set("Referrer-Policy", "same-origin")
	header.Set("Cache-Control", "no-store")
	out.WriteHeader(status)
	if err := pageTemplate.Execute(out, p); err != nil {
		s.log.Warn("page not written", "error", err.Error())
	}
}

func (s *Server) loginPage(out http.ResponseWriter, in *http.Request) {
	s.show(out, http.StatusOK, page{Title: "Log in", Login: true, Next: s.local(in.URL.Query().Get("next"))})
}

// local is a path of this server, and nothing that leads elsewhere.
func (s *Server) local(path string) string {
	if !strings.HasPrefix(path, s.settings.SubPath+"/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n") {
		return s.settings.SubPath + "/"
	}
	return path
}

func (s *Server) appPage(out http.ResponseWriter, _ *http.Request) {
	s.show(out, http.StatusOK, page{Title: "Dashboards"})
}

func (s *Server) dashboardPage(out http.ResponseWriter, in *http.Request) {
	d := s.state.dashboard(in.PathValue("uid"))
	if d == nil {
		s.show(out, http.StatusNotFound, page{Title: "Dashboard not found"})
		return
	}
	s.show(out, http.StatusOK, page{Title: d.Title})
}

// homeUID says which dashboard is the first: that of the file which the settings name, else none.
func (s *Server) homeUID(out http.ResponseWriter, _ *http.Request) {
	uid := ""
	_, dashboards := s.state.Snapshot()
	for _, d := range dashboards {
		if s.settings.Home != "" && filepath.Join(d.Provider.Path, d.File) == filepath.Clean(s.settings.Home) {
			uid = d.UID
		}
	}
	reply(out, http.StatusOK, map[string]any{"uid": uid})
}
