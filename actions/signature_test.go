package actions

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/peanuts-router/peanuts-router/engine"
)

const (
	plainSecret   = "a-plain-text-without-blanks"
	encodedSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	otherSecret   = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
)

// The official library takes what is signed with any of the secrets, and nothing else.
func TestTheOfficialLibraryTakesTheSignature(t *testing.T) {
	var header http.Header
	var body []byte
	target := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		header = r.Header
		body, _ = io.ReadAll(r.Body)
	}))
	defer target.Close()
	for _, c := range []struct {
		name, message, method string
		secrets, taken        []string
	}{
		{"one in base64", `{"json":{"amount":612.50}}`, "POST", []string{encodedSecret}, []string{encodedSecret}},
		{"plain text", `{"body":"ä text"}`, "PUT", []string{plainSecret}, []string{plainSecret}},
		{"two, while they are rotated", `{"json":{"a":1}}`, "POST", []string{otherSecret, encodedSecret}, []string{encodedSecret, otherSecret}},
		{"the event as received", `{}`, "POST", []string{encodedSecret}, []string{encodedSecret}},
		{"no body", `{"json":{"a":1}}`, "GET", []string{encodedSecret}, []string{encodedSecret}},
		{"headers of the step's own", `{"json":1,"headers":{"Webhook-Id":"mine","Webhook-Signature":"v1,mine","Webhook-Timestamp":"1"}}`, "POST", []string{encodedSecret}, []string{encodedSecret}},
		{"none", `{"json":1}`, "POST", nil, nil},
	} {
		settings := toURL(target.URL)
		settings.Method = c.method
		for _, secret := range c.secrets {
			settings.SigningSecrets = append(settings.SigningSecrets, engine.NewSecret(secret))
		}
		if got := send(t, settings, Config{}, c.message, time.Second); got.Verdict != engine.VerdictDelivered {
			t.Fatalf("%s: %+v", c.name, got)
		}
		for _, secret := range []string{encodedSecret, otherSecret, plainSecret} {
			wanted := strings.Contains(fmt.Sprint(c.taken), secret)
			if err := verifier(t, secret).Verify(body, header); (err == nil) != wanted {
				t.Errorf("%s: the library says %v of a request signed with %q, by %q; taken is %t", c.name, err, c.secrets, secret, wanted)
			}
			if err := verifier(t, secret).Verify(append(body, ' '), header); err == nil {
				t.Errorf("%s: the library takes another body", c.name)
			}
		}
		if len(c.secrets) > 0 && header.Get("webhook-id") != shipment("").ID.Key() {
			t.Errorf("%s: webhook-id is %q, want the delivery's key", c.name, header.Get("webhook-id"))
		}
	}
}

func verifier(t *testing.T, secret string) *standardwebhooks.Webhook {
	t.Helper()
	if !strings.HasPrefix(secret, "whsec_") {
		secret = base64.StdEncoding.EncodeToString([]byte(secret))
	}
	webhook, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	return webhook
}

// Each attempt is dated anew, so that a late one is not taken for a replay.
func TestEachAttemptIsSignedAnew(t *testing.T) {
	var header http.Header
	target := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { header = r.Header }))
	defer target.Close()
	settings := toURL(target.URL)
	settings.SigningSecrets = []engine.Secret{engine.NewSecret(encodedSecret)}
	now := time.Unix(1_674_087_231, 999_000_000)
	for range 2 {
		send(t, settings, Config{Now: func() time.Time { return now }}, `{"body":"x"}`, time.Second)
		want, err := verifier(t, encodedSecret).Sign(shipment("").ID.Key(), now, []byte("x"))
		if err != nil || header.Get("webhook-signature") != want || header.Get("webhook-timestamp") != fmt.Sprint(now.Unix()) {
			t.Errorf("signed %q at %q; want %q, %v", header.Get("webhook-signature"), header.Get("webhook-timestamp"), want, err)
		}
		now = now.Add(time.Hour)
	}
}
