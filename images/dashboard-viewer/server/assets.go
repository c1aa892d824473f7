package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"mime"
	"net/http"
	"path"
	"strings"
)

// The pages' script and style; the toolchain's recipe builds them from ../web and puts them here.
//
//go:embed all:dist
var dist embed.FS

// asset is one file of the pages, and the same compressed.
type asset struct {
	kind    string
	digest  string
	plain   []byte
	zipped  []byte
	present bool
}

func loadAsset(name string) asset {
	raw, err := dist.ReadFile("dist/" + name)
	if err != nil {
		return asset{}
	}
	return packAsset(name, raw)
}

func packAsset(name string, raw []byte) asset {
	var zipped bytes.Buffer
	writer, _ := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	_, _ = writer.Write(raw)
	_ = writer.Close()
	sum := sha256.Sum256(raw)
	return asset{mime.TypeByExtension(path.Ext(name)), hex.EncodeToString(sum[:8]), raw, zipped.Bytes(), true}
}

// assets are read once: they are part of this program.
var assets = map[string]asset{"app.js": loadAsset("app.js"), "app.css": loadAsset("app.css")}

// serveAsset lets a browser keep a file whose address names its digest for as long as it likes.
func serveAsset(out http.ResponseWriter, in *http.Request) {
	file := assets[in.PathValue("name")]
	if !file.present {
		say(out, http.StatusNotFound, "Not found")
		return
	}
	header := out.Header()
	header.Set("Content-Type", file.kind)
	header.Set("Vary", "Accept-Encoding")
	header.Set("Cache-Control", "no-cache")
	if in.URL.Query().Get("v") == file.digest {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if strings.Contains(in.Header.Get("Accept-Encoding"), "gzip") {
		header.Set("Content-Encoding", "gzip")
		_, _ = out.Write(file.zipped)
		return
	}
	_, _ = out.Write(file.plain)
}
