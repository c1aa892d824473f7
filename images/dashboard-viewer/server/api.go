package main

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

func (s *Server) health(out http.ResponseWriter, _ *http.Request) {
	reply(out, http.StatusOK, map[string]any{"database": "ok", "version": programVersion, "commit": programName, "viewer": true})
}

// reload reads a kind of provisioning again; a refusal leaves what was there.
func (s *Server) reload(kind string, read func() error) http.HandlerFunc {
	return func(out http.ResponseWriter, _ *http.Request) {
		if err := read(); err != nil {
			s.log.Error("reload refused, what was loaded before is served", "kind", kind, "error", err.Error())
			say(out, http.StatusInternalServerError, err.Error())
			return
		}
		s.log.Info(kind + " config reloaded")
		s.state.tellWarnings()
		reply(out, http.StatusOK, map[string]any{"message": kind + " config reloaded", "warnings": s.state.Warnings()})
	}
}

func (s *Server) warnings(out http.ResponseWriter, _ *http.Request) {
	reply(out, http.StatusOK, map[string]any{"warnings": s.state.Warnings(), "complaint": s.state.Complaint()})
}

// search lists folders and dashboards.
// https://grafana.com/docs/grafana/latest/developers/http_api/folder_dashboard_search/
func (s *Server) search(out http.ResponseWriter, in *http.Request) {
	query, found := in.URL.Query(), []map[string]any{}
	word, kind, limit := strings.ToLower(query.Get("query")), query.Get("type"), 1000
	if n, err := strconv.Atoi(query.Get("limit")); err == nil && n > 0 {
		limit = n
	}
	_, dashboards := s.state.Snapshot()
	if kind != "dash-db" && len(query["tag"]) == 0 {
		for i, folder := range foldersOf(dashboards) {
			if strings.Contains(strings.ToLower(folder.title), word) {
				found = append(found, map[string]any{"id": i + 1, "uid": folder.uid, "title": folder.title, "type": "dash-folder", "tags": []string{},
					"url": s.settings.SubPath + "/dashboards/f/" + folder.uid, "isStarred": false})
			}
		}
	}
	for _, d := range dashboards {
		if kind == "dash-folder" || !strings.Contains(strings.ToLower(d.Title), word) || !d.selected(query) {
			continue
		}
		hit := map[string]any{"id": d.ID, "uid": d.UID, "title": d.Title, "uri": "db/" + slug(d.Title), "url": s.address(d), "slug": "",
			"type": "dash-db", "tags": d.Tags, "isStarred": false}
		if d.Folder != "" {
			hit["folderTitle"], hit["folderUid"], hit["folderUrl"] = d.Folder, d.FolderUID, s.settings.SubPath+"/dashboards/f/"+d.FolderUID
		}
		found = append(found, hit)
	}
	reply(out, http.StatusOK, found[:min(limit, len(found))])
}

func (d *Dashboard) selected(query map[string][]string) bool {
	for _, tag := range query["tag"] {
		if !slices.Contains(d.Tags, tag) {
			return false
		}
	}
	in := func(key, value string) bool { return len(query[key]) == 0 || slices.Contains(query[key], value) }
	return in("folderUIDs", d.FolderUID) && in("dashboardUIDs", d.UID)
}

type folder struct{ uid, title string }

func foldersOf(dashboards []*Dashboard) []folder {
	var list []folder
	for _, d := range dashboards {
		f := folder{d.FolderUID, d.Folder}
		if d.Folder != "" && !slices.Contains(list, f) {
			list = append(list, f)
		}
	}
	return list
}

func (s *Server) folders(out http.ResponseWriter, _ *http.Request) {
	_, dashboards := s.state.Snapshot()
	list := []map[string]any{}
	for i, f := range foldersOf(dashboards) {
		list = append(list, map[string]any{"id": i + 1, "uid": f.uid, "title": f.title})
	}
	reply(out, http.StatusOK, list)
}

func (s *Server) address(d *Dashboard) string {
	return s.settings.SubPath + "/d/" + d.UID + "/" + slug(d.Title)
}

func (s *Server) dashboardByUID(out http.ResponseWriter, in *http.Request) {
	d := s.state.dashboard(in.PathValue("uid"))
	if d == nil {
		say(out, http.StatusNotFound, "Dashboard not found")
		return
	}
	body := map[string]any{}
	for key, value := range d.JSON {
		body[key] = value
	}
	body["id"], body["uid"] = d.ID, d.UID
	title := d.Folder
	if title == "" {
		title = "General"
	}
	reply(out, http.StatusOK, map[string]any{"dashboard": body, "meta": map[string]any{
		"type": "db", "slug": slug(d.Title), "url": s.address(d), "provisioned": !d.Provider.AllowUIUpdates, "provisionedExternalId": d.File,
		"folderTitle": title, "folderUid": d.FolderUID, "canSave": false, "canEdit": false, "canAdmin": false, "version": 1,
	}})
}

func (s *Server) datasources(out http.ResponseWriter, _ *http.Request) {
	list, _ := s.state.Snapshot()
	if list == nil {
		list = []*Datasource{}
	}
	reply(out, http.StatusOK, list)
}

func (s *Server) datasourceByUID(out http.ResponseWriter, in *http.Request) {
	s.oneDatasource(out, s.state.datasource(in.PathValue("uid")))
}

func (s *Server) datasourceByName(out http.ResponseWriter, in *http.Request) {
	list, _ := s.state.Snapshot()
	i := slices.IndexFunc(list, func(d *Datasource) bool { return d.Name == in.PathValue("name") })
	if i < 0 {
		s.oneDatasource(out, nil)
		return
	}
	s.oneDatasource(out, list[i])
}

func (s *Server) oneDatasource(out http.ResponseWriter, d *Datasource) {
	if d == nil {
		say(out, http.StatusNotFound, "Data source not found")
		return
	}
	fields := map[string]bool{}
	for name := range d.secure {
		fields[name] = true
	}
	reply(out, http.StatusOK, struct {
		*Datasource
		SecureJSONFields map[string]bool `json:"secureJsonFields"`
	}{d, fields})
}
