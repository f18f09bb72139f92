package rulefile

import (
	"encoding/base64"
	"fmt"
	"net/textproto"
	"strings"
)

// signingPrefix stands before a secret that is written in base64, as Standard Webhooks have it.
const signingPrefix = "whsec_"

// shortSigningKey is how many bytes a key must have not to be warned of.
const shortSigningKey = 16

// SigningKey is what a secret signs with: the bytes that whsec_ is followed by in base64, or those of the text itself. Its
// error does not tell the secret.
func SigningKey(secret string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(secret, signingPrefix)
	if !ok {
		return []byte(secret), nil
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(key) == 0 {
		return nil, fmt.Errorf("what follows %s must be base64", signingPrefix)
	}
	return key, nil
}

// signedHeaders are set by the router where requests are signed.
func signedHeaders() []string {
	return []string{"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"}
}

// signing checks the secrets that requests are signed with, and that nobody else speaks for the signature. It tells
// none of them.
func (c *checker) signing(h *HTTP) {
	if !h.SigningSecret.IsSet() {
		return
	}
	secrets := strings.Fields(h.SigningSecret.Value)
	if len(secrets) == 0 {
		c.at(h.SigningSecret.anchored, "bad-value", "signing_secret is empty; leave it out when nothing is signed")
	}
	for _, secret := range secrets {
		key, err := SigningKey(secret)
		switch {
		case isVariable(secret):
		case err != nil:
			c.at(h.SigningSecret.anchored, "bad-value", "signing_secret: "+err.Error())
		case len(key) < shortSigningKey:
			c.warn(h.SigningSecret.anchored, "short-secret", fmt.Sprintf("a secret of less than %d bytes can be guessed; make one with: openssl rand -base64 32", shortSigningKey))
		}
	}
	for _, header := range h.Headers {
		if name := textproto.CanonicalMIMEHeaderKey(header.Name.Value); contains(signedHeaders(), name) {
			c.at(header.Name.anchored, "bad-header", name+" is set by the router itself where signing_secret is")
		}
	}
}
