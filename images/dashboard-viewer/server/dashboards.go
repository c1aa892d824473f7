package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"
)

// provider is one entry of provisioning/dashboards.
// https://grafana.com/docs/grafana/latest/administration/provisioning/#dashboards
type provider struct {
	Name             string
	Folder           string
	FolderUID        string
	Path             string
	FoldersFromFiles bool
	AllowUIUpdates   bool
	DisableDeletion  bool
	Interval         time.Duration
	where            string
}

// Dashboard is one dashboard as its file has it.
type Dashboard struct {
	ID        int
	UID       string
	Title     string
	Folder    string
	FolderUID string
	Tags      []string
	Provider  *provider
	File      string // below the provider's path
	JSON      map[string]any
}

const (
	usualInterval = 10 * time.Second
	leastInterval = 5 * time.Second
)

func readProviders(provisioning string) ([]*provider, error) {
	probs := &problems{}
	files, err := provisioningFiles(filepath.Join(provisioning, "dashboards"))
	if err != nil {
		return nil, err
	}
	var list []*provider
	names := map[string]string{}
	for _, file := range files {
		v := readYAML(file, probs)
		if v == nil || !v.object("apiVersion", "providers") {
			continue
		}
		for _, item := range v.key("providers").items() {
			p := readProvider(item)
			if first, ok := names[p.Name]; ok {
				probs.add(item.key("name").where, "%q is also the name of %s", p.Name, first)
			}
			names[p.Name] = item.where
			list = append(list, p)
		}
	}
	return list, probs.err()
}

func readProvider(v value) *provider {
	p := &provider{where: v.where}
	if !v.object("name", "orgId", "folder", "folderUid", "type", "disableDeletion", "editable", "updateIntervalSeconds", "allowUiUpdates", "options") {
		return p
	}
	p.Name, p.Folder, p.FolderUID = required(v.key("name")), v.key("folder").text(), v.key("folderUid").text()
	if kind := v.key("type"); kind.set && kind.text() != "file" {
		v.probs.add(kind.where, "%q is not known, only file is", kind.text())
	}
	p.AllowUIUpdates, p.DisableDeletion = v.key("allowUiUpdates").boolean(), v.key("disableDeletion").boolean()
	p.Interval = max(leastInterval, time.Duration(v.key("updateIntervalSeconds").integer(int(usualInterval.Seconds())))*time.Second)
	options := v.key("options")
	options.set = true
	if options.object("path", "foldersFromFilesStructure") {
		p.Path, p.FoldersFromFiles = required(options.key("path")), options.key("foldersFromFilesStructure").boolean()
	}
	if p.FolderUID != "" {
		checkUID(v.key("folderUid").where, p.FolderUID, v.probs)
	}
	if p.FoldersFromFiles && p.Folder != "" {
		v.probs.add(v.key("folder").where, "cannot be set together with options.foldersFromFilesStructure")
	}
	return p
}

// readDashboards loads the files below all providers: what is good, and an error for the rest.
func readDashboards(providers []*provider) ([]*Dashboard, error) {
	probs, uids := &problems{}, map[string]string{}
	var list []*Dashboard
	for _, p := range providers {
		files, err := jsonFiles(p.Path)
		if err != nil {
			probs.add(p.where+".options.path", "%v", err)
		}
		for _, file := range files {
			d := readDashboard(p, file, probs)
			if d == nil {
				continue
			}
			if first, ok := uids[d.UID]; ok {
				probs.add(file+" uid", "%q is also the uid of %s: refusing to overwrite it", d.UID, first)
				continue
			}
			uids[d.UID] = file
			list = append(list, d)
		}
	}
	for i, d := range list {
		d.ID = i + 1
	}
	return list, probs.err()
}

// jsonFiles lists the JSON files below a folder through symbolic links, each real file once, hidden names left out.
func jsonFiles(root string) ([]string, error) {
	var files []string
	seen := map[string]bool{}
	var walk func(path string) error
	walk = func(path string) error {
		real, err := filepath.EvalSymlinks(path)
		if err != nil || seen[real] {
			return err
		}
		seen[real] = true
		info, err := os.Stat(real)
		if err != nil {
			return err
		}
		if !info.IsDir() {
			if filepath.Ext(path) == ".json" {
				files = append(files, path)
			}
			return nil
		}
		entries, err := os.ReadDir(real)
		if err != nil {
			return err
		}
		var failed []error
		for _, entry := range entries {
			if !strings.HasPrefix(entry.Name(), ".") {
				failed = append(failed, walk(filepath.Join(path, entry.Name())))
			}
		}
		return errors.Join(failed...)
	}
	if info, err := os.Stat(root); err != nil {
		return nil, err
	} else if !info.IsDir() {
		return nil, fmt.Errorf("%s is not a folder", root)
	}
	err := walk(root)
	return files, err
}

func readDashboard(p *provider, file string, probs *problems) *Dashboard {
	before := len(probs.list)
	raw, err := os.ReadFile(file)
	if err != nil {
		probs.add(file, "%v", err)
		return nil
	}
	d := &Dashboard{Provider: p, Folder: p.Folder, FolderUID: p.FolderUID}
	if err := json.Unmarshal(raw, &d.JSON); err != nil || d.JSON == nil {
		probs.add(file, "not a JSON object: %v", err)
		return nil
	}
	d.File, _ = filepath.Rel(p.Path, file)
	if p.FoldersFromFiles {
		if folder := filepath.Base(filepath.Dir(d.File)); folder != "." {
			d.Folder = folder
		}
	}
	d.Title, _ = d.JSON["title"].(string)
	if strings.TrimSpace(d.Title) == "" {
		probs.add(file+" title", "Dashboard title cannot be empty")
	}
	uid, isText := d.JSON["uid"].(string)
	if d.JSON["uid"] != nil && !isText {
		probs.add(file+" uid", "must be a string")
	}
	if d.UID = uid; uid == "" {
		d.UID = generatedUID(p.Name + "/" + d.File)
	}
	checkUID(file+" uid", d.UID, probs)
	if _, isList := d.JSON["panels"].([]any); d.JSON["panels"] != nil && !isList {
		probs.add(file+" panels", "must be a list")
	}
	d.Tags = texts(d.JSON["tags"])
	if d.Folder != "" && d.FolderUID == "" {
		d.FolderUID = generatedUID("folder/" + d.Folder)
	}
	if len(probs.list) > before {
		return nil
	}
	return d
}

func texts(raw any) []string {
	out := []string{}
	list, _ := raw.([]any)
	for _, item := range list {
		if text, ok := item.(string); ok {
			out = append(out, text)
		}
	}
	return out
}

// slug is the readable last part of a dashboard's address.
func slug(title string) string {
	words := strings.FieldsFunc(strings.ToLower(title), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return strings.Join(words, "-")
}
