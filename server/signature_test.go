package server

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/peanuts-router/peanuts-router/peanuts"
)

func mac(of func() hash.Hash, key, body string) []byte {
	m := hmac.New(of, []byte(key))
	m.Write([]byte(body))
	return m.Sum(nil)
}

// forgeries are lines of a head that sign flight wrongly.
func forgeries() map[string]string {
	right := peanuts.Sign(secret, []byte(flight))
	plain := sha256.Sum256([]byte(flight))
	line := func(value string) string { return "X-Peanuts-Signature: " + value + "\r\n" }
	table := map[string]string{
		"no line":                 "",
		"wrong key":               line(peanuts.Sign("wrong", []byte(flight))),
		"empty key":               line(hex.EncodeToString(mac(sha256.New, "", flight))),
		"plain SHA-256":           line(hex.EncodeToString(plain[:])),
		"HMAC-MD5":                line(hex.EncodeToString(mac(md5.New, secret, flight))),
		"HMAC-SHA-1":              line("sha1=" + hex.EncodeToString(mac(sha1.New, secret, flight))),
		"HMAC-SHA-512":            line(hex.EncodeToString(mac(sha512.New, secret, flight))),
		"base64":                  line(base64.StdEncoding.EncodeToString(mac(sha256.New, secret, flight))),
		"of another body":         line(peanuts.Sign(secret, []byte(flight+" "))),
		"too long":                line(right + "00"),
		"one digit more":          line(right + "0"),
		"inner blank":             line(right[:32] + " " + right[32:]),
		"inner tab":               line(right[:32] + "\t" + right[32:]),
		"blank after prefix":      line("sha256= " + right),
		"upper-case prefix":       line("SHA256=" + right),
		"prefix twice":            line("sha256=sha256=" + right),
		"full-width digits":       line(strings.Repeat("０", 64)),
		"not hex":                 line(right[:63] + "g"),
		"0x":                      line("0x" + right[2:]),
		"quoted":                  line(`"` + right + `"`),
		"two lines, both right":   line(right) + line(right),
		"two lines, first right":  line(right) + line("00"),
		"two lines, second right": line("00") + line(right),
		"two spellings":           line(right) + "x-PEANUTS-signature: " + right + "\r\n",
		"list":                    line(right + "," + right),
		"list with blank":         line("v0=0, sha256=" + right),
		"folded":                  line(right[:32] + "\r\n " + right[32:]),
		"folded list":             line(right + "\r\n , " + right),
		"underscore name":         "X_Peanuts_Signature: " + right + "\r\n",
		"other name":              "X-Hub-Signature-256: sha256=" + right + "\r\n",
		"blank value":             line(" "),
	}
	for n := range 64 {
		table["the first digits, "+right[:n]] = line(right[:n])
		table["prefix and the first digits, "+right[:n]] = line("sha256=" + right[:n])
	}
	return table
}

func TestEveryForgedSignatureIsOneFixed401(t *testing.T) { // C2, R17, R20, A1, A2, A3, A7
	d := openDoor(t)
	var answers strings.Builder
	for name, lines := range forgeries() {
		text := d.raw(t, rawPost(lines, flight))
		answers.WriteString(text)
		if got := status(t, text); got != http.StatusUnauthorized {
			t.Errorf("signature with %s: %d, want 401", name, got)
		}
		if body := text[strings.Index(text, "\r\n\r\n")+4:]; body != forgedAnswer {
			t.Errorf("signature with %s: answer %q, want %q", name, body, forgedAnswer)
		}
	}
	if got := len(d.store.stored()); got != 0 {
		t.Errorf("%d events stored, want 0", got)
	}
	if got, want := d.received(t, badSignature), float64(len(forgeries())); got != want {
		t.Errorf("events received with outcome bad_signature: %v, want %v", got, want)
	}
	if lines := d.log.lines(t, "signature refused"); len(lines) != 1 {
		t.Errorf("log of %d forgeries in a moment: %d lines, want 1", len(forgeries()), len(lines))
	}
	for _, hidden := range []string{secret, peanuts.Sign(secret, []byte(flight))[:16], "payload-text"} {
		if strings.Contains(strings.ToLower(answers.String()+d.log.String()), hidden) {
			t.Errorf("answers or log hold %q", hidden)
		}
	}
}

const forgedAnswer = `{"type":"about:blank","title":"Unauthorized","status":401,"error":"invalid signature"}` + "\n"

func TestASignatureHoldsInEitherCaseWithOrWithoutItsPrefix(t *testing.T) { // C2, R16, R20
	d := openDoor(t)
	right := peanuts.Sign(secret, []byte(flight))
	for _, value := range []string{right, "sha256=" + right, strings.ToUpper(right), "sha256=" + strings.ToUpper(right)} {
		if got := d.post(t, "/webhook", []byte(flight), peanuts.SignatureHeader, value); got.status != http.StatusOK {
			t.Errorf("signature %q: %d %s, want 200", value, got.status, got.text)
		}
	}
}

func TestEitherOfTwoSecretsHoldsDuringARotation(t *testing.T) { // C3, R22
	verifier, err := peanuts.NewVerifier("new", "old")
	if err != nil {
		t.Fatalf("NewVerifier: %v", err)
	}
	d := openDoor(t, func(c *Config) { c.Verifier = verifier })
	for key, want := range map[string]int{"new": 200, "old": 200, "newold": 401, secret: 401} {
		if got := d.post(t, "/webhook", []byte(flight), peanuts.SignatureHeader, peanuts.Sign(key, []byte(flight))); got.status != want {
			t.Errorf("signed with %q: %d, want %d", key, got.status, want)
		}
	}
}

func TestEveryChangeOfASignedBodyIsA401(t *testing.T) { // A4, R18
	d := openDoor(t)
	right := peanuts.Sign(secret, []byte(flight))
	refused := func(name string, body []byte) {
		t.Helper()
		if got := d.post(t, "/webhook", body, peanuts.SignatureHeader, right); got.status != http.StatusUnauthorized {
			t.Errorf("%s: %d %s, want 401", name, got.status, got.text)
		}
	}
	for bit := range 8 * len(flight) {
		body := []byte(flight)
		body[bit/8] ^= 1 << (bit % 8)
		refused("bit "+strconv.Itoa(bit)+" turned", body)
	}
	refused("a blank after", []byte(flight+" "))
	refused("a newline after", []byte(flight+"\n"))
	refused("a byte less", []byte(flight[:len(flight)-1]))
	refused("another order of keys", []byte(`{"helper":{"command":"/expenses"},"event":"entry.created","entry":{"id":"entry-101","data":{"amount":612.50,"note":"payload-text"}}}`))
	refused("another spelling of the number", []byte(strings.Replace(flight, "612.50", "612.5", 1)))
	refused("nothing", nil)
	if got := len(d.store.stored()); got != 0 {
		t.Errorf("%d events stored, want 0", got)
	}
}

func TestASignatureInATrailerIsNone(t *testing.T) { // A3
	d := openDoor(t)
	text := d.raw(t, "POST /webhook HTTP/1.1\r\nHost: router\r\nTrailer: X-Peanuts-Signature\r\nTransfer-Encoding: chunked\r\n\r\n"+
		hex.EncodeToString([]byte{byte(len(flight))})+"\r\n"+flight+"\r\n0\r\nX-Peanuts-Signature: "+peanuts.Sign(secret, []byte(flight))+"\r\n\r\n")
	if got := status(t, text); got != http.StatusUnauthorized {
		t.Errorf("a signature in a trailer: %d, want 401", got)
	}
}

func TestUnsignedEventsAreTakenOnlyOnLoopback(t *testing.T) { // C2, R23
	d := openDoor(t, func(c *Config) { c.Verifier = nil })
	if got := d.post(t, "/webhook", []byte(flight), peanuts.SignatureHeader, "none"); got.status != http.StatusOK {
		t.Errorf("POST without a signature to an unsigned listener: %d %s, want 200", got.status, got.text)
	}
	for _, address := range []string{"0.0.0.0:0", "[::]:0", ":0"} {
		c := Config{Listener: listen(t, address), Judge: judgeFunc(nothingOwed), Store: newMemory()}
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), "unsigned") {
			t.Errorf("New without a verifier on %s: %v, want an error that says unsigned", address, err)
		}
		if c.Verifier, _ = peanuts.NewVerifier(secret); c.Verifier == nil {
			t.Fatal("no verifier")
		}
		if _, err := New(c); err != nil {
			t.Errorf("New with a verifier on %s: %v, want none", address, err)
		}
	}
}
