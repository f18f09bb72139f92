package actions

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The headers of a signed request, as Standard Webhooks name them.
const (
	signedID        = "Webhook-Id"
	signedTimestamp = "Webhook-Timestamp"
	signedBy        = "Webhook-Signature"
)

// sign puts the headers of Standard Webhooks: who holds one of the keys can tell that the request is ours, that its body is
// whole, and when it was made.
func sign(header http.Header, keys [][]byte, id string, at time.Time, content string) {
	if len(keys) == 0 {
		return
	}
	seconds := strconv.FormatInt(at.Unix(), 10)
	var signatures []string
	for _, key := range keys {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + seconds + "." + content))
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	header.Set(signedID, id)
	header.Set(signedTimestamp, seconds)
	header.Set(signedBy, strings.Join(signatures, " "))
}
