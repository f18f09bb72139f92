package receiver

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/peanuts-router/peanuts-router/engine"
)

// divertedScheme is the header in which a diversion tells the scheme that was asked for.
const divertedScheme = "X-Diverted-Scheme"

func (r *Receiver) serveHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := readAll(request.Body)
	if err != nil {
		return // the caller is gone
	}
	call := callOf(request, body)
	answer := r.caught(call)
	if answer.Status == 0 {
		answer.Status = http.StatusOK
		if call.Kind == engine.KindSlack {
			answer.Body = `{"ok":true,"channel":"C0DEMO","ts":"1700000000.000100"}`
		}
	}
	for name, values := range answer.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Status)
	_, _ = io.WriteString(w, answer.Body)
}

// callOf tells a call of Slack from any other.
func callOf(request *http.Request, body string) Call {
	switch {
	case strings.HasSuffix(request.URL.Path, "/chat.postMessage") && request.Header.Get("Idempotency-Key") == "":
		return botCall(body)
	case isWebhook(request):
		return webhookCall(body)
	}
	header := request.Header.Clone()
	scheme := header.Get(divertedScheme)
	if scheme == "" {
		scheme = "http"
	}
	header.Del(divertedScheme)
	return Call{
		Kind: engine.KindHTTP, Key: header.Get("Idempotency-Key"), Method: request.Method,
		URL: scheme + "://" + request.Host + request.URL.RequestURI(), Header: header, Body: body,
	}
}

// isWebhook tells a post to an incoming webhook, also to one of a stand-in for Slack: no HTTP action goes without a key.
func isWebhook(request *http.Request) bool {
	return request.Host == "hooks.slack.com" ||
		strings.HasPrefix(request.URL.Path, "/services/") && request.Header.Get("Idempotency-Key") == ""
}

// metadata is where a message to Slack carries its key.
type metadata struct {
	Payload struct {
		Key string `json:"key"`
	} `json:"event_payload"`
}

// botCall reads a call of chat.postMessage, which is a form.
func botCall(body string) Call {
	form, _ := url.ParseQuery(body) // what cannot be read is empty
	var metadata metadata
	_ = json.Unmarshal([]byte(form.Get("metadata")), &metadata)
	return Call{
		Kind: engine.KindSlack, Key: metadata.Payload.Key, Channel: form.Get("channel"),
		Text: form.Get("text"), Blocks: form.Get("blocks"),
	}
}

func webhookCall(body string) Call {
	var post struct {
		Text     string          `json:"text"`
		Blocks   json.RawMessage `json:"blocks"`
		Metadata metadata        `json:"metadata"`
	}
	_ = json.Unmarshal([]byte(body), &post) // what cannot be read is empty
	return Call{Kind: engine.KindSlack, Key: post.Metadata.Payload.Key, Text: post.Text, Blocks: string(post.Blocks)}
}
