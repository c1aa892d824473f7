package main

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Datasource is one provisioned data source; secrets are never served.
// https://grafana.com/docs/grafana/latest/administration/provisioning/#data-sources
type Datasource struct {
	ID        int            `json:"id"`
	UID       string         `json:"uid"`
	OrgID     int            `json:"orgId"`
	Name      string         `json:"name"`
	Type      string         `json:"type"`
	Access    string         `json:"access"`
	URL       string         `json:"url"`
	User      string         `json:"user"`
	Database  string         `json:"database"`
	BasicAuth bool           `json:"basicAuth"`
	BasicUser string         `json:"basicAuthUser,omitempty"`
	IsDefault bool           `json:"isDefault"`
	JSONData  map[string]any `json:"jsonData"`
	ReadOnly  bool           `json:"readOnly"`
	secure    map[string]string
	transport *http.Transport
	where     string
}

// datasourceSet is what all files of provisioning/datasources say together.
type datasourceSet struct {
	list   []*Datasource
	remove []string // names to delete
	prune  bool
}

var (
	uidPattern = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)
	// datasourceTypes are the plug-ins that come with Grafana.
	datasourceTypes = []string{
		"alertmanager", "cloudwatch", "elasticsearch", "grafana-azure-monitor-datasource", "grafana-postgresql-datasource",
		"grafana-pyroscope-datasource", "grafana-testdata-datasource", "graphite", "influxdb", "jaeger", "loki", "mssql", "mysql",
		"opentsdb", "parca", "postgres", "prometheus", "stackdriver", "tempo", "zipkin",
	}
	httpTypes      = []string{"alertmanager", "elasticsearch", "graphite", "influxdb", "jaeger", "loki", "prometheus", "tempo", "zipkin"}
	datasourceKeys = []string{
		"name", "type", "uid", "url", "access", "orgId", "isDefault", "user", "database", "basicAuth", "basicAuthUser", "withCredentials",
		"jsonData", "secureJsonData", "version", "editable", "correlations", "apiVersion",
	}
)

// readDatasources reads provisioning/datasources; the error tells everything that is wrong.
func readDatasources(provisioning string) (*datasourceSet, error) {
	probs, set := &problems{}, &datasourceSet{}
	files, err := provisioningFiles(filepath.Join(provisioning, "datasources"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		v := readYAML(file, probs)
		if v == nil || !v.object("apiVersion", "datasources", "deleteDatasources", "prune") {
			continue
		}
		set.prune = v.key("prune").boolean() || set.prune
		for _, item := range v.key("deleteDatasources").items() {
			if item.object("name", "orgId") {
				set.remove = append(set.remove, required(item.key("name")))
			}
		}
		for _, item := range v.key("datasources").items() {
			if item.object(datasourceKeys...) {
				set.list = append(set.list, readDatasource(item))
			}
		}
	}
	checkUnique(set.list, probs)
	return set, probs.err()
}

func required(v value) string {
	text := v.text()
	if text == "" {
		v.probs.add(v.where, "required")
	}
	return text
}

func readDatasource(v value) *Datasource {
	d := &Datasource{
		UID: v.key("uid").text(), OrgID: v.key("orgId").integer(1), Name: required(v.key("name")), Type: required(v.key("type")),
		Access: v.key("access").text(), URL: v.key("url").text(), User: v.key("user").text(), Database: v.key("database").text(),
		BasicAuth: v.key("basicAuth").boolean(), BasicUser: v.key("basicAuthUser").text(), IsDefault: v.key("isDefault").boolean(),
		JSONData: v.key("jsonData").mapping(), ReadOnly: !v.key("editable").boolean(), secure: map[string]string{}, where: v.where,
	}
	for _, name := range sortedKeys(v.key("secureJsonData").mapping()) {
		d.secure[name] = v.key("secureJsonData").key(name).text()
	}
	if d.Type != "" && !slices.Contains(datasourceTypes, d.Type) {
		v.probs.add(v.key("type").where, "%q is not a data source of Grafana (known: %s)", d.Type, strings.Join(datasourceTypes, ", "))
	}
	if d.Access == "" {
		d.Access = "proxy"
	}
	if !slices.Contains([]string{"proxy", "direct", "server"}, d.Access) {
		v.probs.add(v.key("access").where, "%q is neither proxy nor direct", d.Access)
	}
	if d.UID == "" {
		d.UID = generatedUID(d.Name)
	}
	checkUID(v.key("uid").where, d.UID, v.probs)
	parsed, err := url.Parse(d.URL)
	if slices.Contains(httpTypes, d.Type) && (err != nil || parsed.Host == "" || !strings.HasPrefix(parsed.Scheme, "http")) {
		v.probs.add(v.key("url").where, "%q is not an http or https URL", d.URL)
	}
	if d.JSONData == nil {
		d.JSONData = map[string]any{}
	}
	d.transport = d.newTransport()
	return d
}

func generatedUID(text string) string {
	sum := sha256.Sum256([]byte(text))
	return fmt.Sprintf("P%X", sum[:8])
}

// checkUID applies the limits that Grafana sets to every uid.
func checkUID(where, uid string, probs *problems) {
	if len(uid) > 40 {
		probs.add(where, "uid %q is longer than 40 characters", uid)
	}
	if !uidPattern.MatchString(uid) {
		probs.add(where, "uid %q has characters other than letters, digits, - and _", uid)
	}
}

func checkUnique(list []*Datasource, probs *problems) {
	names, uids, defaults := map[string]string{}, map[string]string{}, map[int]string{}
	for _, d := range list {
		if first, ok := names[d.Name]; ok {
			probs.add(d.where+".name", "%q is also the name of %s", d.Name, first)
		}
		if first, ok := uids[d.UID]; ok {
			probs.add(d.where+".uid", "%q is also the uid of %s", d.UID, first)
		}
		names[d.Name], uids[d.UID] = d.where, d.where
		if !d.IsDefault {
			continue
		}
		if first, ok := defaults[d.OrgID]; ok {
			probs.add(d.where+".isDefault", "only one data source of an organisation can be the default, and %s already is", first)
		}
		defaults[d.OrgID] = d.where
	}
}

// merge keeps, as Grafana's database does, what files no longer name unless they ask for its removal.
func (set *datasourceSet) merge(old []*Datasource) []*Datasource {
	merged, hasDefault := []*Datasource{}, slices.ContainsFunc(set.list, func(d *Datasource) bool { return d.IsDefault })
	for _, d := range old {
		named := slices.ContainsFunc(set.list, func(n *Datasource) bool { return n.Name == d.Name || n.UID == d.UID })
		if named || set.prune || slices.Contains(set.remove, d.Name) {
			continue
		}
		kept := *d
		kept.IsDefault = d.IsDefault && !hasDefault
		merged = append(merged, &kept)
	}
	merged = append(merged, set.list...)
	for i, d := range merged {
		d.ID = i + 1
	}
	return merged
}
