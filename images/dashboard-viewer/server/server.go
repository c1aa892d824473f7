package main

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

const (
	sessionCookie = "grafana_session"
	loginHeader   = "X-Login" // says to the pages where one signs in; a data source's own 401 has none
)

// Server answers like Grafana's HTTP API, as far as deployment and routing need it.
type Server struct {
	settings Settings
	state    *State
	log      *slog.Logger
	metrics  *metrics
	routes   *http.ServeMux
	mu       sync.Mutex
	sessions map[string]time.Time
}

// NewServer wires the routes.
func NewServer(settings Settings, state *State, log *slog.Logger) *Server {
	s := &Server{settings: settings, state: state, log: log, metrics: newMetrics(), routes: http.NewServeMux(), sessions: map[string]time.Time{}}
	open := map[string]http.HandlerFunc{
		"GET /api/health": s.health, "GET /healthz": func(out http.ResponseWriter, _ *http.Request) { _, _ = out.Write([]byte("Ok")) },
		"GET /metrics": s.serveMetrics, "GET /login": s.loginPage, "POST /login": s.login, "GET /logout": s.logout,
		"GET /assets/{name}": serveAsset,
	}
	guarded := map[string]http.HandlerFunc{
		"GET /{$}": s.appPage, "GET /dashboards": s.appPage, "GET /trace/{source}/{id}": s.appPage,
		"GET /d/{uid}": s.dashboardPage, "GET /d/{uid}/{slug}": s.dashboardPage,
		"GET /api/search": s.search, "GET /api/folders": s.folders, "GET /api/dashboards/uid/{uid}": s.dashboardByUID,
		"GET /api/datasources": s.datasources, "GET /api/datasources/uid/{uid}": s.datasourceByUID,
		"GET /api/datasources/name/{name}":                s.datasourceByName,
		"GET /api/datasources/uid/{uid}/health":           s.datasourceHealth,
		"GET /api/datasources/proxy/uid/{uid}/{path...}":  s.proxy,
		"POST /api/datasources/proxy/uid/{uid}/{path...}": s.proxy,
		"POST /api/ds/query":                              s.query,
		"POST /api/admin/provisioning/dashboards/reload":  s.reload("Dashboards", s.state.ReloadDashboards),
		"POST /api/admin/provisioning/datasources/reload": s.reload("Datasources", s.state.ReloadDatasources),
		"GET /api/viewer/home":                            s.homeUID, "GET /api/viewer/warnings": s.warnings,
	}
	for pattern, handler := range open {
		s.routes.Handle(pattern, s.metrics.measure(pattern, handler))
	}
	for pattern, handler := range guarded {
		s.routes.Handle(pattern, s.metrics.measure(pattern, s.guard(handler)))
	}
	s.routes.Handle("/", s.metrics.measure("GET notfound", s.guard(func(out http.ResponseWriter, _ *http.Request) {
		say(out, http.StatusNotFound, "Not found")
	})))
	return s
}

// ServeHTTP says what this is in every answer and handles the sub path as Grafana does: with serve_from_sub_path,
// requests without the prefix are redirected to it, except those to /api.
func (s *Server) ServeHTTP(out http.ResponseWriter, in *http.Request) {
	out.Header().Set("Server", programName)
	out.Header().Set("X-Dashboard-Viewer", "this is not Grafana")
	out.Header().Set("X-Content-Type-Options", "nosniff")
	out.Header().Set("X-Frame-Options", "deny")
	prefix := s.settings.SubPath
	if !s.settings.ServeSubPath || prefix == "" {
		s.routes.ServeHTTP(out, in)
		return
	}
	if in.URL.Path == prefix || strings.HasPrefix(in.URL.Path, prefix+"/") {
		if in.URL.Path == prefix {
			in.URL.Path += "/"
		}
		http.StripPrefix(prefix, s.routes).ServeHTTP(out, in)
		return
	}
	if in.URL.Path == "/api" || strings.HasPrefix(in.URL.Path, "/api/") {
		s.routes.ServeHTTP(out, in)
		return
	}
	http.Redirect(out, in, s.settings.RootURL+strings.TrimPrefix(in.URL.RequestURI(), "/"), http.StatusMovedPermanently)
}

// guard lets only the administrator in: by basic auth, or by a session of the login page.
func (s *Server) guard(next http.HandlerFunc) http.HandlerFunc {
	return func(out http.ResponseWriter, in *http.Request) {
		user, password, basic := in.BasicAuth()
		switch {
		case basic && s.matches(user, password), !basic && s.hasSession(in):
			next(out, in)
		case basic:
			say(out, http.StatusUnauthorized, "Invalid username or password")
		case strings.HasPrefix(in.URL.Path, "/api/"):
			out.Header().Set(loginHeader, s.settings.SubPath+"/login")
			say(out, http.StatusUnauthorized, "Unauthorized")
		default:
			http.Redirect(out, in, s.loginAddress(in), http.StatusFound)
		}
	}
}

// loginAddress leads back to a page that is deeper than the first.
func (s *Server) loginAddress(in *http.Request) string {
	address := s.settings.SubPath + "/login"
	if in.Method != http.MethodGet || in.URL.Path == "/" {
		return address
	}
	return address + "?" + url.Values{"next": {s.settings.SubPath + in.URL.RequestURI()}}.Encode()
}

func (s *Server) matches(user, password string) bool {
	same := subtle.ConstantTimeCompare([]byte(user), []byte(s.settings.User)) == 1
	return adminHasPassword(s.settings, password) && same
}

func (s *Server) hasSession(in *http.Request) bool {
	cookie, err := in.Cookie(sessionCookie)
	if err != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Before(s.sessions[cookie.Value])
}

// login takes Grafana's JSON or the form of the login page.
func (s *Server) login(out http.ResponseWriter, in *http.Request) {
	in.Body = http.MaxBytesReader(out, in.Body, 1<<16)
	form := !strings.HasPrefix(in.Header.Get("Content-Type"), "application/json")
	var who struct{ User, Password string }
	if form {
		who.User, who.Password = in.FormValue("user"), in.FormValue("password")
	} else if err := json.NewDecoder(in.Body).Decode(&who); err != nil {
		say(out, http.StatusBadRequest, "bad login data")
		return
	}
	if !s.matches(who.User, who.Password) {
		s.log.Warn("Invalid username or password")
		if form {
			s.show(out, http.StatusUnauthorized, page{Title: "Log in", Login: true, Failed: true, Next: s.local(in.FormValue("next"))})
			return
		}
		say(out, http.StatusUnauthorized, "Invalid username or password")
		return
	}
	token := rand.Text()
	s.mu.Lock()
	maps.DeleteFunc(s.sessions, func(_ string, until time.Time) bool { return time.Now().After(until) })
	s.sessions[token] = time.Now().Add(24 * time.Hour)
	s.mu.Unlock()
	http.SetCookie(out, &http.Cookie{Name: sessionCookie, Value: token, Path: s.settings.SubPath + "/", HttpOnly: true,
		SameSite: http.SameSiteLaxMode, Secure: strings.HasPrefix(s.settings.RootURL, "https:"), MaxAge: 86400})
	if form {
		http.Redirect(out, in, s.local(in.FormValue("next")), http.StatusFound)
		return
	}
	reply(out, http.StatusOK, map[string]any{"message": "Logged in", "redirectUrl": s.settings.SubPath + "/"})
}

func (s *Server) logout(out http.ResponseWriter, in *http.Request) {
	if cookie, err := in.Cookie(sessionCookie); err == nil {
		s.mu.Lock()
		delete(s.sessions, cookie.Value)
		s.mu.Unlock()
	}
	http.Redirect(out, in, s.settings.SubPath+"/login", http.StatusFound)
}

func reply(out http.ResponseWriter, status int, body any) {
	out.Header().Set("Content-Type", "application/json; charset=UTF-8")
	out.WriteHeader(status)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(body)
}

func say(out http.ResponseWriter, status int, message string) {
	reply(out, status, map[string]any{"message": message})
}
