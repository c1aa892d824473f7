// An OpenID Connect provider for tests: Dex's own server with the people and the client of a file, over TLS, in memory.
//
// Dex's command cannot be built from its module alone, as it replaces another module by a folder of its repository.
package main

import (
	"context"
	"encoding/json"
	"log"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/dexidp/dex/server"
	"github.com/dexidp/dex/server/connectors"
	"github.com/dexidp/dex/server/signer"
	"github.com/dexidp/dex/server/tokens"
	"github.com/dexidp/dex/storage"
	"github.com/dexidp/dex/storage/memory"
	"github.com/dexidp/dex/web"
	"github.com/prometheus/client_golang/prometheus"
)

type settings struct {
	Issuer, Listen, Certificate, Key string
	Client                           storage.Client
	People                           []person
}

type person struct{ Email, Hash, Name, ID string }

func main() {
	if err := serve(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func serve(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var given settings
	if err := json.Unmarshal(text, &given); err != nil {
		return err
	}
	handler, err := provider(context.Background(), given)
	if err != nil {
		return err
	}
	return http.ListenAndServeTLS(given.Listen, given.Certificate, given.Key, handler)
}

func provider(ctx context.Context, given settings) (http.Handler, error) {
	logger, now := slog.New(slog.NewTextHandler(os.Stderr, nil)), time.Now
	store := known(memory.New(logger), given, logger)
	keys := signer.LocalConfig{KeysRotationPeriod: "6h"}
	valid := time.Hour
	signing, err := keys.Open(ctx, store, valid, now, logger)
	if err != nil {
		return nil, err
	}
	refresh, err := tokens.NewRefreshTokenPolicy(logger, false, "", "", "")
	if err != nil {
		return nil, err
	}
	return server.NewServer(ctx, server.Config{
		Issuer:             given.Issuer,
		Storage:            store,
		SkipApprovalScreen: true,
		AllowedGrantTypes:  []string{"authorization_code", "refresh_token"},
		Web:                server.WebConfig{WebFS: web.FS(), Issuer: "dex"},
		Logger:             logger,
		Now:                now,
		PrometheusRegistry: prometheus.NewRegistry(),
		Signer:             signing,
		IDTokensValidFor:   valid,
		RefreshTokenPolicy: refresh,
	})
}

func known(store storage.Storage, given settings, logger *slog.Logger) storage.Storage {
	passwords := make([]storage.Password, 0, len(given.People))
	for _, one := range given.People {
		passwords = append(passwords, storage.Password{
			Email: one.Email, Hash: []byte(one.Hash), Username: one.Name, UserID: one.ID,
		})
	}
	local := storage.Connector{ID: connectors.LocalConnector, Type: connectors.LocalConnector, Name: "Email"}
	store = storage.WithStaticClients(store, []storage.Client{given.Client})
	store = storage.WithStaticPasswords(store, passwords, logger)
	return storage.WithStaticConnectors(store, []storage.Connector{local})
}
