package server

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// problem is an error answer of RFC 9457.
type problem struct {
	Type   string  `json:"type"`
	Title  string  `json:"title"`
	Status int     `json:"status"`
	Error  string  `json:"error"` // short fixed text, for programs that look at nothing else
	Detail string  `json:"detail,omitempty"`
	Errors []Fault `json:"errors,omitempty"`

	allow      string        // the header of a 405
	retryAfter time.Duration // the header of a 503
}

// Fault is one place where a text, a rules file or a body, is wrong.
type Fault struct {
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`    // from 1
	Column  int    `json:"column,omitempty"`  // from 1
	Offset  int64  `json:"offset,omitempty"`  // in bytes from the start of a body
	Pointer string `json:"pointer,omitempty"` // RFC 6901
	Code    string `json:"code,omitempty"`    // such as "unknown-key"
	Detail  string `json:"detail"`
}

func newProblem(status int, text, detail string) problem {
	// The type about:blank says that the status tells it all; its title is then the status's own text.
	return problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Error: text, Detail: detail}
}

func (p problem) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	if p.allow != "" {
		w.Header().Set("Allow", p.allow)
	}
	if p.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(p.retryAfter.Seconds())))
	}
	writeJSON(w, p.Status, "application/problem+json", p)
}

// writeJSON answers with v. That a client went away meanwhile is nobody's error.
func writeJSON(w http.ResponseWriter, status int, contentType string, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		http.Error(w, `{"error":"internal error"}`, http.StatusInternalServerError)
		return
	}
	header := w.Header()
	header.Set("Content-Type", contentType)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n'))
}
