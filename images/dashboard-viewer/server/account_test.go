package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// The settings' password is that of a new database alone; afterwards only the command changes it, in place too.
func TestPasswordLivesInTheDatabase(t *testing.T) {
	k := newKit(t)
	k.write("pw", "first-password")
	env := environmentOf("GF_PATHS_DATA", k.dir, "GF_SECURITY_ADMIN_PASSWORD", "$__file{"+k.dir+"/pw}")
	settings := func() Settings {
		t.Helper()
		s, err := LoadSettings(env)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if err := ensureAdmin(settings()); err != nil || !adminHasPassword(settings(), "first-password") {
		t.Fatal("a new database does not take the settings' password", err)
	}
	k.write("pw", "second-password")
	if err := ensureAdmin(settings()); err != nil || adminHasPassword(settings(), "second-password") {
		t.Fatal("a database with an administrator takes another password from the settings", err)
	}
	out := &bytes.Buffer{}
	args := strings.Fields("--homepath /usr/share/grafana --config /x admin reset-admin-password --password-from-stdin")
	if err := resetByCommand(args, env, strings.NewReader("second-password\n"), out); err != nil {
		t.Fatal(err)
	}
	if !adminHasPassword(settings(), "second-password") || adminHasPassword(settings(), "first-password") {
		t.Error("the command does not change the password")
	}
	text, err := os.ReadFile(k.dir + "/" + accountFile)
	if err != nil || strings.Contains(string(text)+out.String(), "second-password") {
		t.Error("the password stands in the file or the output", err)
	}
}

// What Grafana's command refuses is refused, and nothing is changed.
func TestResetRefusals(t *testing.T) {
	k := newKit(t)
	k.write("pw", "first-password")
	env := environmentOf("GF_PATHS_DATA", k.dir, "GF_SECURITY_ADMIN_PASSWORD", "$__file{"+k.dir+"/pw}")
	good := strings.Fields("admin reset-admin-password --password-from-stdin")
	for want, given := range map[string]struct {
		args  []string
		typed string
	}{
		"can't read password":    {good, ""},
		"too short":              {good, "abc\n"},
		"the viewer knows only:": {strings.Fields("admin reset-admin-password x"), "long-enough\n"},
	} {
		if err := resetByCommand(given.args, env, strings.NewReader(given.typed), &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	if _, err := os.Stat(k.dir + "/" + accountFile); err == nil {
		t.Error("a refused command has made an administrator")
	}
}
