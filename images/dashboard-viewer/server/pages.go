package main

import (
	"html/template"
	"net/http"
)

const layout = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>dashboard-viewer: {{.Title}}</title>
<style>
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}
.note{background:#fff4d6;border:1px solid #d9a400;padding:.6rem 1rem;border-radius:4px}
.bad{background:#ffe3e0;border:1px solid #c62f21;padding:.6rem 1rem;border-radius:4px}
pre{background:#f3f4f6;padding:.4rem .6rem;overflow:auto;white-space:pre-wrap}a{color:#0b5cad}
</style></head><body>
<p class="note"><strong>This is dashboard-viewer, not Grafana.</strong> It loads the same provisioning and serves it back, but draws nothing.
It stands here because Grafana's image could not be had. <a href="{{.Sub}}/">Start</a> · <a href="{{.Sub}}/logout">Log out</a></p>
<h1>{{.Title}}</h1>
{{if .Login}}<form method="post" action="{{.Sub}}/login"><p><label>User <input name="user" autocomplete="username"></label></p>
<p><label>Password <input name="password" type="password" autocomplete="current-password"></label></p><p><button>Log in</button></p></form>{{end}}
{{if .Complaint}}<p class="bad">Dashboards on disk are refused: {{.Complaint}}</p>{{end}}
{{if .Warnings}}<h2>Warnings</h2><ul>{{range .Warnings}}<li>{{.}}</li>{{end}}</ul>{{end}}
{{if .Sources}}<h2>Data sources</h2><ul>{{range .Sources}}<li>{{.Name}} ({{.Type}}, uid {{.UID}}, {{.URL}}){{if .IsDefault}} default{{end}}</li>{{end}}</ul>{{end}}
{{range .Groups}}<h2>{{.Name}}</h2>{{range .Boards}}<h3><a href="{{.URL}}">{{.Title}}</a></h3>
<ul>{{range .Panels}}<li>{{.Title}} <small>({{.Type}}{{if .Datasource}}, {{.Datasource}}{{end}})</small>{{range .Queries}}<pre>{{.}}</pre>{{end}}</li>{{end}}</ul>{{end}}{{end}}
</body></html>`

var pageTemplate = template.Must(template.New("page").Parse(layout))

type page struct {
	Title, Sub, Complaint string
	Login                 bool
	Warnings              []string
	Sources               []*Datasource
	Groups                []group
}

type group struct {
	Name   string
	Boards []board
}

type board struct {
	Title, URL string
	Panels     []panel
}

func (s *Server) show(out http.ResponseWriter, status int, p page) {
	p.Sub = s.settings.SubPath
	out.Header().Set("Content-Type", "text/html; charset=utf-8")
	out.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
	out.WriteHeader(status)
	if err := pageTemplate.Execute(out, p); err != nil {
		s.log.Warn("page not written", "error", err.Error())
	}
}

func (s *Server) loginPage(out http.ResponseWriter, _ *http.Request) {
	s.show(out, http.StatusOK, page{Title: "Log in", Login: true})
}

func (s *Server) home(out http.ResponseWriter, _ *http.Request) {
	sources, dashboards := s.state.Snapshot()
	p := page{Title: "Folders and dashboards", Sources: sources, Warnings: s.state.Warnings(), Complaint: s.state.Complaint()}
	for _, f := range append([]folder{{"", ""}}, foldersOf(dashboards)...) {
		g := group{Name: f.title}
		if f.title == "" {
			g.Name = "General"
		}
		for _, d := range dashboards {
			if d.Folder == f.title {
				g.Boards = append(g.Boards, s.board(d))
			}
		}
		if len(g.Boards) > 0 {
			p.Groups = append(p.Groups, g)
		}
	}
	s.show(out, http.StatusOK, p)
}

func (s *Server) board(d *Dashboard) board {
	return board{Title: d.Title, URL: s.address(d), Panels: d.panels()}
}

func (s *Server) dashboardPage(out http.ResponseWriter, in *http.Request) {
	d := s.state.dashboard(in.PathValue("uid"))
	if d == nil {
		s.show(out, http.StatusNotFound, page{Title: "Dashboard not found"})
		return
	}
	s.show(out, http.StatusOK, page{Title: d.Title, Groups: []group{{Name: d.Folder, Boards: []board{s.board(d)}}}})
}
