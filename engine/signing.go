package engine

import (
	"strings"

	"github.com/peanuts-router/peanuts-router/engine/rulefile"
)

// signingSecrets are those that stand in a setting, one after the other while they are rotated.
func signingSecrets(from rulefile.Text) (secrets []Secret) {
	for _, secret := range strings.Fields(from.Value) {
		secrets = append(secrets, NewSecret(secret))
	}
	return secrets
}

// SigningKeys are what the secrets sign with.
func (h *HTTPSettings) SigningKeys() (keys [][]byte) {
	for _, secret := range h.SigningSecrets {
		if key, err := rulefile.SigningKey(secret.Reveal()); err == nil { // others were refused with their rules
			keys = append(keys, key)
		}
	}
	return keys
}
