package main

import (
	"context"

	"github.com/peanuts-router/peanuts-router/dispatch"
	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
	"github.com/peanuts-router/peanuts-router/server"
	"github.com/peanuts-router/peanuts-router/store"
)

// What the planted bugs do, which only builds for torture can have.

// eagerStore says that an event is stored before it is.
type eagerStore struct {
	*store.Store
	judge server.Judge
}

// Accept gives out no leases: nobody would be there to take them.
func (e eagerStore) Accept(ctx context.Context, a *engine.Acceptance) (engine.Receipt, error) {
	later := *a
	later.Judge = func(known engine.Known) engine.Judgement { return e.judge.Judge(a.Event, a.ReceivedAt, known) }
	go e.Store.Accept(context.WithoutCancel(ctx), &later)
	return engine.Receipt{ID: a.ID}, nil
}

// lateSender makes messages when they are sent, by the rules that are in force then.
type lateSender struct {
	dispatch.Sender
	rules *engine.Rules
}

func (l lateSender) Send(ctx context.Context, s engine.Shipment) engine.Outcome {
	event, err := peanuts.Parse(s.Body)
	if err != nil {
		return l.Sender.Send(ctx, s)
	}
	for _, owed := range l.rules.Judge(event, s.ReceivedAt, engine.Known{}).Owed {
		if owed.Rule == s.Rule && owed.Action == s.Action {
			s.Message = owed.Message
		}
	}
	return l.Sender.Send(ctx, s)
}
