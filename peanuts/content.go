package peanuts

import (
	"errors"
	"mime"
	"net/http"
	"strings"
)

// MaxBody is how many bytes of a body are taken.
const MaxBody = 1 << 20

// ErrContentType is said of a body that is not plain JSON.
var ErrContentType = errors.New("content type must be application/json or application/*+json, without a content encoding")

// CheckContentType accepts application/json, application/*+json and no type at all, and no Content-Encoding.
// Everything else is ErrContentType.
func CheckContentType(header http.Header) error {
	if len(header["Content-Encoding"]) > 0 || len(header["Content-Type"]) > 1 {
		return ErrContentType
	}
	given := header.Get("Content-Type")
	if given == "" || given == "application/json" {
		return nil
	}
	media, _, err := mime.ParseMediaType(given)
	if err != nil {
		return ErrContentType
	}
	sub, ok := strings.CutPrefix(media, "application/")
	if !ok || sub != "json" && (!strings.HasSuffix(sub, "+json") || sub == "+json") {
		return ErrContentType
	}
	return nil
}
