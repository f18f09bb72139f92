package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
)

func openAdmin(t *testing.T, c AdminConfig) (*Server, *http.Client) {
	t.Helper()
	c.Listener = listen(t, "127.0.0.1:0")
	s, err := NewAdmin(c)
	if err != nil {
		t.Fatalf("NewAdmin: %v", err)
	}
	run(t, s)
	return s, newClient(t)
}

// ask sends a request to the admin listener; headers come in pairs.
func ask(t *testing.T, s *Server, client *http.Client, method, path string, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequest(method, "http://"+s.Addr().String()+path, nil)
	if err != nil {
		t.Fatalf("making a request: %v", err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return do(t, client, r)
}

func TestTheAdminListenerIsOnLoopbackOnly(t *testing.T) { // A28
	for address, want := range map[string]bool{"127.0.0.1:0": true, "127.9.8.7:0": true, "0.0.0.0:0": false, "[::]:0": false, ":0": false} {
		_, err := NewAdmin(AdminConfig{Listener: listen(t, address)})
		if (err == nil) != want || err != nil && !strings.Contains(err.Error(), "loopback") {
			t.Errorf("NewAdmin on %s: %v, want accepted %t", address, err, want)
		}
	}
	if _, err := NewAdmin(AdminConfig{}); err == nil {
		t.Error("NewAdmin without a listener: nil, want an error")
	}
}

func TestTheAdminListenerAnswersToLoopbackNamesOnly(t *testing.T) { // A28
	s, _ := openAdmin(t, AdminConfig{})
	for host, want := range map[string]int{
		"localhost": 200, "localhost:3001": 200, "LOCALHOST": 200, "127.0.0.1": 200, "127.0.0.1:80": 200, "127.255.0.9": 200,
		"[::1]": 200, "[::1]:3001": 200, "[::ffff:127.0.0.1]": 200,
		"evil.example": 421, "evil.example:3001": 421, "localhost.evil.example": 421, "evil.localhost": 421, "127.0.0.1.nip.io": 421,
		"0.0.0.0": 421, "[::]": 421, "10.0.0.1": 421, "2130706433": 421, "0x7f000001": 421, "127.1": 421, "0177.0.0.1": 421,
		"[::1%25lo]": 421, "[::1%lo]": 421, "": 421, " ": 421, "localhost@evil.example": 421, "::1": 421, "[127.0.0.1]": 421, "[localhost]": 421, "localhost.": 421, "localhost:x": 421, "[::1": 421,
		"localhost:3001:3001": 421, "user@localhost": 421, "169.254.169.254": 421,
	} {
		text := raw(t, s, "GET /healthz HTTP/1.1\r\nHost: "+host+"\r\nX-Forwarded-Host: localhost\r\nForwarded: host=localhost\r\nOrigin: http://evil.example\r\n\r\n")
		// net/http refuses by itself what is no host at all.
		if got := status(t, text); got != want && !(want == 421 && got == 400) {
			t.Errorf("GET /healthz with Host %q: %d, want %d", host, got, want)
		}
		if strings.Contains(text, "Access-Control-") {
			t.Errorf("GET /healthz with Host %q: %q, want nothing for other origins", host, text)
		}
	}
}

func TestCrossOriginWritesChangeNothing(t *testing.T) { // A25
	reloads := 0
	s, client := openAdmin(t, AdminConfig{Reload: func(context.Context) (int64, []Fault) { reloads++; return 2, nil }})
	own := "http://" + s.Addr().String()
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "GET", "HEAD", "OPTIONS"} {
		for _, site := range []string{"", "none", "same-origin", "same-site", "cross-site", "strange"} {
			for _, origin := range []string{"", own, "http://evil.example", "null", "https://" + s.Addr().String()} {
				before := reloads
				var headers []string
				if site != "" {
					headers = append(headers, "Sec-Fetch-Site", site)
				}
				if origin != "" {
					headers = append(headers, "Origin", origin)
				}
				got := ask(t, s, client, method, "/api/v1/reload", headers...)
				// Without either header the request comes from no browser; with the first, a browser vouches for it.
				// The scheme of an Origin is not compared: behind something that ends TLS it is another than ours.
				ours := site == "none" || site == "same-origin" || site == "" && (origin == "" || strings.HasSuffix(origin, s.Addr().String()))
				changes := method == "POST" && ours
				if (reloads > before) != changes || (got.status == 200) != changes {
					t.Errorf("%s /api/v1/reload, Sec-Fetch-Site %q, Origin %q: %d and %d reloads, want one: %t",
						method, site, origin, got.status, reloads-before, changes)
				}
			}
		}
	}
}

func TestReadyTellsWhatIsWrongByName(t *testing.T) { // R101
	var storeErr error
	draining := ErrDraining
	s, client := openAdmin(t, AdminConfig{
		Checks: []Check{
			{"store", func(context.Context) error { return storeErr }},
			{"accepting", func(context.Context) error { return draining }},
		},
		Warnings: func() []Warning { return []Warning{{"action ledger", "gone"}} },
	})
	const warnings = `"warnings":[{"name":"action ledger","detail":"gone"}]`
	check := func(path string, status int, want string) {
		t.Helper()
		got := ask(t, s, client, http.MethodGet, path)
		if got.status != status || strings.TrimSpace(got.text) != want {
			t.Errorf("GET %s: %d %s, want %d %s", path, got.status, got.text, status, want)
		}
	}
	storeErr = errors.New("disk full")
	const problem = `{"type":"about:blank","title":"Service Unavailable","status":503,"error":"not ready","detail":"store: disk full; accepting: draining: no more requests are taken","ready":false`
	check("/readyz", 503, problem+"}")
	check("/readyz?verbose", 503, problem+`,"checks":[{"name":"store","ok":false,"detail":"disk full"},`+
		`{"name":"accepting","ok":false,"detail":"draining: no more requests are taken"}],`+warnings+"}")
	storeErr, draining = nil, nil
	check("/readyz", 200, `{"ready":true}`)
	check("/readyz?verbose", 200, `{"ready":true,"checks":[{"name":"store","ok":true},{"name":"accepting","ok":true}],`+warnings+"}")
	check("/healthz", 200, `{"alive":true}`)
}

func TestReloadAnswersWithTheGenerationOrTheFaults(t *testing.T) { // C15
	faults := []Fault{
		{File: "rules.yaml", Line: 12, Column: 7, Code: "unknown-key", Detail: `unknown key "whne"`, Pointer: "/rules/0/whne"},
		{Detail: "the file is empty"},
	}
	s, client := openAdmin(t, AdminConfig{Reload: func(context.Context) (int64, []Fault) { return 7, faults }})
	got := ask(t, s, client, http.MethodPost, "/api/v1/reload")
	var p problem
	if err := json.Unmarshal([]byte(got.text), &p); err != nil || got.status != http.StatusBadRequest || p.Error != "rules refused" {
		t.Errorf("POST /api/v1/reload of a bad file: %d %s, want 400 rules refused", got.status, got.text)
	}
	if diff := cmp.Diff(faults, p.Errors); diff != "" {
		t.Errorf("faults of a refused reload (-want +got):\n%s", diff)
	}
	faults = nil
	if got := ask(t, s, client, http.MethodPost, "/api/v1/reload"); got.status != 200 || got.text != `{"generation":7}`+"\n" {
		t.Errorf("POST /api/v1/reload: %d %s, want 200 and generation 7", got.status, got.text)
	}
}

func TestMetricsShowWhatTheRegistryHolds(t *testing.T) { // R102
	registry := prometheus.NewRegistry()
	s, client := openAdmin(t, AdminConfig{Metrics: registry})
	if _, err := newMetrics(registry); err != nil {
		t.Fatalf("newMetrics: %v", err)
	}
	got := ask(t, s, client, http.MethodGet, "/metrics")
	if got.status != 200 || !strings.Contains(got.text, `peanuts_router_events_received_total{outcome="bad_signature"} 0`) {
		t.Errorf("GET /metrics: %d %s, want every outcome from the start", got.status, got.text)
	}
	if _, err := newMetrics(registry); err == nil {
		t.Error("newMetrics twice on one registry: nil, want an error")
	}
}

func TestWhatIsNotConfiguredOrUnknownIsNotThere(t *testing.T) {
	s, client := openAdmin(t, AdminConfig{})
	for _, path := range []string{"/", "/metrics", "/api/v1/reload", "/webhook", "//healthz", "/%68ealthz", "/api/v1/../../healthz"} {
		if got := ask(t, s, client, http.MethodGet, path); got.status != http.StatusNotFound {
			t.Errorf("GET %s: %d, want 404", path, got.status)
		}
	}
	if got := ask(t, s, client, http.MethodPost, "/readyz"); got.status != 405 || got.header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST /readyz: %d, Allow %q, want 405 and GET, HEAD", got.status, got.header.Get("Allow"))
	}
}

// FuzzOnlyLoopbackIsLocal holds A28 against whatever comes as a Host.
func FuzzOnlyLoopbackIsLocal(f *testing.F) {
	for _, host := range []string{"localhost:1", "127.0.0.1", "[::1]:3001", "[::1%lo]", "evil.example", "[::ffff:127.0.0.1]", "", "]", "[", ":", "[]"} {
		f.Add(host)
	}
	f.Fuzz(func(t *testing.T, host string) {
		if !isLocal(host) {
			return
		}
		u, err := url.Parse("http://" + host + "/")
		if err != nil {
			t.Fatalf("isLocal(%q) = true, but it is no host: %v", host, err)
		}
		address, err := netip.ParseAddr(u.Hostname())
		if !strings.EqualFold(u.Hostname(), "localhost") && (err != nil || !address.Unmap().IsLoopback()) {
			t.Errorf("isLocal(%q) = true, but a browser would go to %q", host, u.Hostname())
		}
	})
}
