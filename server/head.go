package server

import (
	"net/http"

	"github.com/peanuts-router/peanuts-router/peanuts"
)

// checkHead looks at what the head of a request tells, in the order of C20, and gives the refusal when there is one.
func checkHead(r *http.Request) (refused reply, ok bool) {
	if r.Method != http.MethodPost {
		p := newProblem(http.StatusMethodNotAllowed, "method not allowed", "events come by POST")
		p.allow = http.MethodPost
		return reply{outcome: badMethod, problem: p}, false
	}
	if err := peanuts.CheckContentType(r.Header); err != nil {
		return reply{outcome: badType, problem: newProblem(http.StatusUnsupportedMediaType, "unsupported content type", err.Error())}, false
	}
	if r.ContentLength > peanuts.MaxBody {
		return bodyTooLarge(), false
	}
	return reply{}, true
}

func bodyTooLarge() reply {
	return reply{outcome: tooLarge, problem: newProblem(http.StatusRequestEntityTooLarge, "body too large", "a body holds at most 1 MiB")}
}
