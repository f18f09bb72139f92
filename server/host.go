package server

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// localOnly serves requests that were meant for this machine. A page of another site whose name was made to resolve to a
// loopback address still sends its own name as Host (A28).
func localOnly(next http.Handler) http.Handler {
	refused := newProblem(http.StatusMisdirectedRequest, "unknown host", "the admin listener answers to localhost and loopback addresses only")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLocal(r.Host) {
			refused.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isLocal tells whether a Host names localhost or a loopback address, with or without a port. Only IPv6 stands in
// brackets, and it never stands without.
func isLocal(host string) bool {
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		// Without a port; with one added, the same reading serves both.
		name, port, err = net.SplitHostPort(host + ":0")
	}
	bracketed := strings.HasPrefix(host, "[")
	if err != nil || !isPort(port) {
		return false
	}
	if strings.EqualFold(name, "localhost") {
		return !bracketed
	}
	address, err := netip.ParseAddr(name)
	return err == nil && bracketed == address.Is6() && address.Zone() == "" && address.Unmap().IsLoopback()
}

func isPort(port string) bool {
	for _, c := range port {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
