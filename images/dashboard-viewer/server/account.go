package main

import (
	"bufio"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Grafana takes the administrator's password from its settings only when its database has no user yet, and from then on
// from its database. The file takes the database's place here.
// https://github.com/grafana/grafana/blob/v12.4.2/pkg/services/sqlstore/sqlstore.go (ensureMainOrgAndAdminUser)
const (
	accountFile    = "viewer-admin.json"
	hashIterations = 10000 // as Grafana's own hashes
	shortest       = 4     // characters of a password that Grafana's command accepts
)

type account struct {
	Salt []byte `json:"salt"`
	Hash []byte `json:"hash"`
}

func ensureAdmin(s Settings) error {
	if _, err := os.Stat(filepath.Join(s.Data, accountFile)); err == nil {
		return nil
	}
	return setPassword(s, s.Password)
}

func setPassword(s Settings, password string) error {
	salt := []byte(rand.Text())
	hash, err := hashOf(password, salt)
	if err != nil {
		return err
	}
	text, err := json.Marshal(account{Salt: salt, Hash: hash})
	if err != nil {
		return err
	}
	path := filepath.Join(s.Data, accountFile)
	if err := os.WriteFile(path+".next", text, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".next", path)
}

// adminHasPassword reads the file each time, as a command may change it while this process runs.
func adminHasPassword(s Settings, password string) bool {
	text, err := os.ReadFile(filepath.Join(s.Data, accountFile))
	if err != nil {
		return false
	}
	var stored account
	if json.Unmarshal(text, &stored) != nil || len(stored.Hash) == 0 {
		return false
	}
	hash, err := hashOf(password, stored.Salt)
	return err == nil && subtle.ConstantTimeCompare(hash, stored.Hash) == 1
}

func hashOf(password string, salt []byte) ([]byte, error) {
	return pbkdf2.Key(sha256.New, password, salt, hashIterations, 32)
}

// resetByCommand is `grafana cli [--homepath X] [--config X] admin reset-admin-password --password-from-stdin`, which
// creates the administrator first where the database is new.
// https://github.com/grafana/grafana/blob/v12.4.2/pkg/cmd/grafana-cli/commands/reset_password_command.go
func resetByCommand(args []string, getenv func(string) string, in io.Reader, out io.Writer) error {
	words := slices.Clone(args)
	for len(words) > 1 && (words[0] == "--homepath" || words[0] == "--config") {
		words = words[2:]
	}
	if want := "admin reset-admin-password --password-from-stdin"; strings.Join(words, " ") != want {
		return fmt.Errorf("the viewer knows only: cli [--homepath X] [--config X] %s", want)
	}
	settings, err := LoadSettings(getenv)
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(in)
	if !lines.Scan() {
		return errors.New("can't read password from stdin")
	}
	if len(lines.Text()) < shortest {
		return errors.New("new password is too short")
	}
	if err := ensureAdmin(settings); err != nil {
		return err
	}
	if err := setPassword(settings, lines.Text()); err != nil {
		return fmt.Errorf("failed to update user password: %w", err)
	}
	fmt.Fprintln(out, "Admin password changed successfully")
	return nil
}
