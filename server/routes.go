package server

import (
	"fmt"
	"log/slog"
	"net/http"
	"path"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
)

// routes takes a path only as it is spelled: an unclean or encoded variant is another path, which is neither redirected
// nor decoded into a known one. What is not there is answered as a problem.
type routes struct{ mux *http.ServeMux }

func newRoutes() routes {
	mux := http.NewServeMux()
	mux.Handle("/", notFound())
	return routes{mux}
}

func notFound() problem {
	return newProblem(http.StatusNotFound, "not found", "there is nothing at this path")
}

func (r routes) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	// A path without a slash is that of CONNECT or of OPTIONS *.
	if p := req.URL.Path; !strings.HasPrefix(p, "/") || req.URL.EscapedPath() != p || path.Clean(p) != p {
		notFound().ServeHTTP(w, req)
		return
	}
	r.mux.ServeHTTP(w, req)
}

// methods serves one path; GET serves HEAD too.
type methods map[string]http.HandlerFunc

func (m methods) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	handler, ok := m[r.Method]
	if !ok && r.Method == http.MethodHead {
		handler, ok = m[http.MethodGet]
	}
	if !ok {
		refused := newProblem(http.StatusMethodNotAllowed, "method not allowed", "")
		refused.allow = m.allowed()
		refused.ServeHTTP(w, r)
		return
	}
	handler(w, r)
}

func (m methods) allowed() string {
	var names []string
	for name := range m {
		names = append(names, name)
		if name == http.MethodGet {
			names = append(names, http.MethodHead)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// alive answers that the process is.
func alive(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, "application/json", map[string]bool{"alive": true})
}

// surviving turns a panic of next into a 500 and a line in the log; the process lives on.
func surviving(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			fault := recover()
			if fault == nil {
				return
			}
			log.Error("request met a fault of the router", "path", cut(r.URL.Path), "fault", faultText(fault), "stack", string(debug.Stack()))
			newProblem(http.StatusInternalServerError, "internal error", "").ServeHTTP(w, r)
		}()
		next.ServeHTTP(w, r)
	})
}

// faultText is what may be told of a panic: the runtime's own words, else only the type, since the text may quote what
// the handler had in hand.
func faultText(fault any) string {
	if err, ok := fault.(runtime.Error); ok {
		return err.Error()
	}
	return fmt.Sprintf("%T", fault)
}
