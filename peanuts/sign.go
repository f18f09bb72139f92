package peanuts

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"net/http"
	"strings"
	"sync"
)

// SignatureHeader carries the signature of a body: HMAC-SHA256 with the shared secret, in hex.
const SignatureHeader = "X-Peanuts-Signature"

// ErrInvalidSignature is all that is ever said of a signature that does not hold.
var ErrInvalidSignature = errors.New("invalid signature")

// Sign returns the signature of a body in lower-case hex.
func Sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// Verifier checks signatures against one or more secrets, so that a secret can be rotated. It does not print its
// secrets. It is safe for concurrent use.
type Verifier struct{ keys []*sync.Pool } // of hash.Hash, keyed with one secret each

// NewVerifier makes a Verifier. No secret, or an empty one, is an error.
func NewVerifier(secrets ...string) (*Verifier, error) {
	if len(secrets) == 0 {
		return nil, errors.New("verifying signatures: no secret given")
	}
	v := &Verifier{}
	for i, secret := range secrets {
		if strings.TrimSpace(secret) == "" {
			return nil, fmt.Errorf("verifying signatures: secret %d of %d is empty", i+1, len(secrets))
		}
		v.keys = append(v.keys, &sync.Pool{New: func() any { return hmac.New(sha256.New, []byte(secret)) }})
	}
	return v, nil
}

// String hides the secrets.
func (v *Verifier) String() string { return fmt.Sprintf("verifier of %d secrets", len(v.keys)) }

// GoString hides the secrets.
func (v *Verifier) GoString() string { return v.String() }

// Verify checks the body, as received, against its header: exactly one X-Peanuts-Signature line, an optional "sha256="
// and 64 hex digits. Every other outcome is ErrInvalidSignature. All secrets are tried, whichever fits.
func (v *Verifier) Verify(header http.Header, body []byte) error {
	claimed, ok := claimedDigest(header[SignatureHeader])
	if !ok {
		return ErrInvalidSignature
	}
	valid := false
	for _, key := range v.keys {
		if holds(key, body, claimed[:]) {
			valid = true
		}
	}
	if !valid {
		return ErrInvalidSignature
	}
	return nil
}

func claimedDigest(lines []string) (digest [sha256.Size]byte, ok bool) {
	if len(lines) != 1 {
		return digest, false
	}
	digits := strings.TrimPrefix(lines[0], "sha256=")
	if len(digits) != hex.EncodedLen(sha256.Size) {
		return digest, false
	}
	_, err := hex.Decode(digest[:], []byte(digits))
	return digest, err == nil
}

func holds(key *sync.Pool, body, claimed []byte) bool {
	mac := key.Get().(hash.Hash)
	defer key.Put(mac)
	mac.Reset()
	mac.Write(body)
	var digest [sha256.Size]byte
	return hmac.Equal(mac.Sum(digest[:0]), claimed)
}
