package main

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"

	"github.com/peanuts-router/peanuts-router/peanuts"
)

// secret signs the events of a run. It guards nothing.
const secret = "the secret of a load that nobody else sends"

// asItIs serves a listener by net/http alone.
func asItIs(l net.Listener) net.Listener { return l }

// serveUntilEnd serves on a free port, tells the address, and returns when in ends. before stands before the handler.
func serveUntilEnd(handler http.Handler, before func(net.Listener) net.Listener, in io.Reader, out io.Writer) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	listener = before(listener)
	server := &http.Server{Handler: handler}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	if err := json.NewEncoder(out).Encode(listener.Addr().String()); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, in)
	err = errors.Join(err, server.Close())
	if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}

// newBare is the bare handler: it reads a body, checks its signature, and answers as the router does.
func newBare() (http.Handler, error) {
	verifier, err := peanuts.NewVerifier(secret)
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, peanuts.MaxBody))
		if err != nil || verifier.Verify(r.Header, body) != nil {
			http.Error(w, "invalid signature", http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"processed":true,"id":"00000000-0000-7000-8000-000000000000","duplicate":false}`)
	}), nil
}
