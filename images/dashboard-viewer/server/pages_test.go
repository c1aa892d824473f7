package main

import (
	"net/url"
	"strings"
	"testing"
)

// A login must lead back to the page that asked for it, and nowhere else.
func TestLoginLeadsBack(t *testing.T) {
	k := newKit(t).start(Settings{SubPath: "/g"})
	_, _, header := k.request("GET", "/d/plue-overview?from=now-6h", "", "", "")
	if want := "/g/login?next=" + url.QueryEscape("/g/d/plue-overview?from=now-6h"); header.Get("Location") != want {
		t.Errorf("sent to %s", header.Get("Location"))
	}
	s := &Server{settings: Settings{SubPath: "/g"}}
	for next, want := range map[string]string{
		"/g/d/x?a=1": "/g/d/x?a=1", "//evil.example": "/g/", "https://evil.example": "/g/", "/g/\\evil": "/g/", "/other": "/g/", "": "/g/",
	} {
		if got := s.local(next); got != want {
			t.Errorf("%q leads to %q, want %q", next, got, want)
		}
	}
}

// A wrong password must show the form again, with what was asked for, as text.
func TestFailedLoginShowsTheForm(t *testing.T) {
	k := newKit(t).start(Settings{})
	answer, err := k.web.Client().PostForm(k.web.URL+"/login", url.Values{"user": {"x"}, "password": {"y"}, "next": {`/d/"><b>`}})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body := readAll(t, answer.Body)
	if answer.StatusCode != 401 || !strings.Contains(body, "Invalid username") || strings.Contains(body, "<b>") {
		t.Errorf("%d %s", answer.StatusCode, body)
	}
}

// The first dashboard must be that of the file which the settings name.
func TestHome(t *testing.T) {
	k := newKit(t)
	k.start(Settings{Home: k.dir + "/files/overview.json"})
	var got struct{ UID string }
	if k.admin("GET", "/api/viewer/home", "", &got); got.UID != "plue-overview" {
		t.Errorf("home is %q", got.UID)
	}
}

// Files of the pages must be there in a build, compressed for who takes that, and for ever under their digest.
func TestAssets(t *testing.T) {
	k := newKit(t).start(Settings{})
	assets["t.css"] = packAsset("t.css", []byte("plain"))
	t.Cleanup(func() { delete(assets, "t.css") })
	status, body, header := k.request("GET", "/assets/t.css?v="+assets["t.css"].digest, "", "", "")
	if status != 200 || !strings.Contains(header.Get("Cache-Control"), "immutable") || body != "plain" || header.Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("%d %v %q", status, header, body)
	}
	if _, _, header = k.request("GET", "/assets/t.css?v=old", "", "", ""); header.Get("Cache-Control") != "no-cache" {
		t.Errorf("an old address is %s", header.Get("Cache-Control"))
	}
	if status, _, _ = k.request("GET", "/assets/nothing.js", "", "", ""); status != 404 {
		t.Error(status)
	}
}
