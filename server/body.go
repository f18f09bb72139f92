package server

import (
	"errors"
	"io"
	"net/http"

	"github.com/peanuts-router/peanuts-router/peanuts"
)

// freeBody is what a body may hold without drawing on the budget: no more than its connection's own buffers, so that
// many slow senders of little cannot spend what honest ones need. Doubled eight times it holds the largest body and the
// one byte more that shows a larger one.
const freeBody = 4<<10 + 1

// errCrowded says that too many bytes are held for requests under way.
var errCrowded = errors.New("too many bytes under way")

// readBody reads a body of at most peanuts.MaxBody bytes. It holds no more than twice what really arrived, whatever length was
// promised, and draws that from held; the caller gives back drawn, also after an error.
// Errors: *http.MaxBytesError, errCrowded, or whatever reading met.
func readBody(w http.ResponseWriter, r *http.Request, held *budget) (body []byte, drawn int64, err error) {
	from := http.MaxBytesReader(w, r.Body, peanuts.MaxBody)
	// One byte more than is allowed, so that from gets to say that there was more.
	full := peanuts.MaxBody + 1
	if r.ContentLength >= 0 {
		full = int(r.ContentLength)
	}
	body = make([]byte, 0, min(full, freeBody))
	for len(body) < full {
		if len(body) == cap(body) {
			grown := min(full, 2*cap(body))
			more := int64(grown - cap(body))
			if !held.take(more) {
				return nil, drawn, errCrowded
			}
			drawn += more
			body = append(make([]byte, 0, grown), body...)
		}
		n, err := from.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, drawn, err
		}
	}
	return body, drawn, nil
}
