package page

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

//go:embed assets
var assetFiles embed.FS

// assets are the files that a page uses, by name.
var assets = readAssets()

type file struct {
	content     []byte
	contentType string
	version     string // names the content
}

func readAssets() map[string]file {
	all := map[string]file{}
	entries, err := fs.ReadDir(assetFiles, "assets")
	if err != nil {
		panic(err) // the build left them out
	}
	for _, entry := range entries {
		content, err := fs.ReadFile(assetFiles, path.Join("assets", entry.Name()))
		if err != nil {
			panic(err)
		}
		digest := sha256.Sum256(content)
		all[entry.Name()] = file{content, contentType(entry.Name()), hex.EncodeToString(digest[:6])}
	}
	return all
}

// contentType does not depend on what the machine's own tables say.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return mime.FormatMediaType("text/plain", map[string]string{"charset": "utf-8"})
}

// asset is the address of a file. It changes with its content, so that a browser may keep it for good.
func asset(name string) string { return AssetPath + name + "?v=" + assets[name].version }

// AssetPath is where the files lie that the page uses.
const AssetPath = "/assets/"

// ServeAsset answers GET of a file below AssetPath, and tells whether there is one.
func ServeAsset(w http.ResponseWriter, r *http.Request) bool {
	asset, ok := assets[strings.TrimPrefix(r.URL.Path, AssetPath)]
	if !ok {
		return false
	}
	header := w.Header()
	header.Set("Content-Type", asset.contentType)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", Policy)
	if r.URL.Query().Get("v") == asset.version {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		header.Set("Cache-Control", "no-cache")
	}
	_, _ = w.Write(asset.content)
	return true
}
