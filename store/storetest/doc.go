// Package storetest holds any store to the promises of the memory: Run is the same for SQLite and whatever comes beside
// it.
//
// Whatever a test has done, the books of its store balance in the end.
//
// It looks at a store through its methods only. A store under test runs by the real clock, so what it dates itself is
// always due by the times that are used here, which lie an hour ahead.
package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/store"
)

// Store is what is tested. Each method has the contract of its namesake in package store.
type Store interface {
	Accept(ctx context.Context, a *engine.Acceptance) (engine.Receipt, error)
	Lease(ctx context.Context, action engine.ActionName, n int, now, until time.Time) ([]engine.Lease, error)
	Settle(ctx context.Context, s engine.Settlement) (engine.Recorded, error)
	Due(ctx context.Context, now time.Time) ([]engine.ActionName, error)
	ReleaseExpired(ctx context.Context, now time.Time) (int, error)
	FollowClock(ctx context.Context, by time.Duration, follow func()) error
	HoldAction(ctx context.Context, hold engine.Hold) error
	LiftHold(ctx context.Context, action engine.ActionName, reason engine.Held) error
	Holds(ctx context.Context) ([]engine.Hold, error)
	Replay(ctx context.Context, id engine.DeliveryID) error
	ReplayEvent(ctx context.Context, r *engine.Rejudging) (n int, err error)
	CountDead(ctx context.Context, filter store.Filter) (int, error)
	ReplayDead(ctx context.Context, filter store.Filter) (int, error)
	DiscardDead(ctx context.Context, filter store.Filter) (int, error)
	Discard(ctx context.Context, id engine.DeliveryID) error
	DiscardOpen(ctx context.Context, id engine.DeliveryID) error
	EachDead(ctx context.Context, filter store.Filter, each func(d engine.Delivery, body []byte) error) error
	Event(ctx context.Context, id engine.EventID) (engine.EventRecord, error)
	Events(ctx context.Context, page store.Page) ([]engine.EventRecord, string, error)
	Payloads(ctx context.Context, page store.Page) ([][]byte, string, error)
	FindEvent(ctx context.Context, prefix string) (engine.EventID, error)
	Delivery(ctx context.Context, id engine.DeliveryID) (engine.Delivery, []engine.Attempt, error)
	Deliveries(ctx context.Context, filter store.Filter, page store.Page) ([]engine.Delivery, string, error)
	Counts(ctx context.Context) (map[engine.State]int, error)
	Moves() store.Moves
	Untold(ctx context.Context) ([]engine.Untold, error)
	DeadLetters(ctx context.Context) (map[engine.ActionName]int, error)
	Alerts(ctx context.Context) ([]engine.Alert, error)
	Writable(ctx context.Context) error
	DefineStats(ctx context.Context, stats []engine.Stat, again bool) error
	Rebuild(ctx context.Context, by store.Contributor) (done bool, err error)
	Stats(ctx context.Context) ([]engine.StatHead, error)
	Report(ctx context.Context, stat engine.StatName, filter engine.StatFilter) (engine.StatReport, error)
	Days(ctx context.Context, stat engine.StatName, user, from, to string) ([]engine.DayTotal, error)
	Check(ctx context.Context) (store.Audit, error)
	KeepRules(ctx context.Context, files []engine.RulesFile) error
	KeptRules(ctx context.Context) (files []engine.RulesFile, at time.Time, err error)
	Prune(ctx context.Context, before time.Time) (int, error)
	Close() error
}

// Run holds the stores that open makes to the promises. Each is new and empty, and is closed by Run. Several are
// open at a time.
func Run(t *testing.T, open func(t *testing.T) Store) {
	for _, test := range []struct {
		name string
		run  func(suite, *testing.T)
	}{
		{"an event reads back as it came", suite.readsBack},
		{"hostile text comes back unchanged (A29)", suite.keepsHostileText},
		{"the same bytes are one event (C9, F45)", suite.knowsDuplicates},
		{"other bytes are another event (C9)", suite.tellsEventsApart},
		{"what is owed is pending, leased or dead at once (C1, C21)", suite.owes},
		{"leases go to the oldest that is due", suite.leasesOldestFirst},
		{"one delivery is leased by one holder (C18)", suite.leasesOnce},
		{"a result is recorded once (C13, C18)", suite.settles},
		{"a stale result changes nothing (C18, F21)", suite.refusesStaleResults},
		{"expired leases are taken over (C18, F43)", suite.takesOver},
		{"reminders that are taken over wait for their instant (F24)", suite.takesOverReminders},
		{"what loses three leases in a row is dead (F42)", suite.buriesWhatIsAlwaysLost},
		{"what may have taken the router down is tried alone (F42)", suite.triesSuspectsAlone},
		{"due actions are named", suite.namesDueActions},
		{"what waits follows a jump of the clock (F24)", suite.followsTheClock},
		{"what is not committed is not followed (F24)", suite.followsNothingInVain},
		{"what holds actions is kept, shown and lifted (C12)", suite.keepsHolds},
		{"what is not due waits for its time only", suite.holdsOnlyWhatWaitsLonger},
		{"a dead letter is replayed with its key and history (C10, C13)", suite.replays},
		{"only dead letters are mended (C13)", suite.mendsOnlyTheDead},
		{"all dead letters are replayed once (F48)", suite.replaysAll},
		{"the dead letters of a filter are replayed or discarded, and no others (C13)", suite.mendsByFilter},
		{"what waits is discarded, and what is being sent is not", suite.discardsWhatWaits},
		{"the dead letters of a filter are told whole, the oldest first", suite.exports},
		{"each death is counted once, however it comes", suite.countsDeaths},
		{"the router's own events are told from others and remembered, and their dead raise none", suite.remembersAlerts},
		{"lists are walked by cursor", suite.walksLists},
		{"payloads are listed as they came, the newest first", suite.listsPayloads},
		{"an event is found by how its id begins", suite.findsEvents},
		{"a reminder moves with its entry and dies with it (R44, R45)", suite.movesReminders},
		{"a reminder is sent once (P28, F46)", suite.remindsOnce},
		{"rules know what was before (P19)", suite.knowsWhatWasBefore},
		{"syncs of an entry go one after the other, the newest last (C16, R55)", suite.syncsInLine},
		{"of one value of order_by one delivery is sent at a time, in the order of creation", suite.sendsInLine},
		{"what waits in a line hides nothing (F43)", suite.hidesNothing},
		{"whatever leaves its line lets the next one go", suite.movesUp},
		{"a reminder joins its line when it is due, a replay when it is replayed", suite.joinsWhenDue},
		{"any order of calls keeps the lines, and leaves nobody waiting for ever", suite.keepsLines},
		{"every order of versions ends the same (R56, P19)", suite.endsTheSame},
		{"a rule fires once for a value, however many events come at once", suite.firesOnce},
		{"values of other types, rules and none are other claims", suite.tellsClaimsApart},
		{"a claim that nothing is left of is released, and made anew by the version that released it", suite.releasesClaims},
		{"what is being sent, was sent, is dead or discarded keeps its claim", suite.keepsClaims},
		{"what a claim has suppressed does not cancel the claim's own", suite.keepsWhatSuppressed},
		{"any order of events leaves one firing for a value", suite.firesOnceInAnyOrder},
		{"a rule on trial leaves a record and no trace", suite.recordsTrials},
		{"a stat counts each entry once, in its day and group (R60-R72)", suite.keepsStats},
		{"any order of events makes the same stats, and so does making them anew (R67, R68, R75)", suite.addsUpTheSame},
		{"a stat that is defined anew covers the past (R75)", suite.definesStats},
		{"what nothing needs any more is pruned, and nothing else (F49)", suite.prunes},
		{"no judgement, delivery or stat tells a store that was pruned from one that was not (F49)", suite.prunesUnnoticed},
		{"an event is judged once more, with keys of its own, and nothing else is touched (C10)", suite.replaysEvents},
		{"a replay obeys once_per unless it is told not to", suite.replaysOncePerValue},
		{"what a replay finds claimed is noted nowhere else", suite.replaysNoSuppression},
		{"what cannot be replayed leaves nothing", suite.refusesReplays},
		{"a replay is pruned with its event (F49)", suite.prunesReplays},
		{"the newest rules are kept as they were read (C15)", suite.keepsRules},
		{"any order of calls leaves each delivery in one state", suite.followsTheModel},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel() // each waits for the flushes of its own store
			test.run(suite{open}, t)
		})
	}
}

type suite struct{ open func(*testing.T) Store }

// new is an empty store that is closed with the test. Whatever the test does, its books balance then.
func (s suite) new(t *testing.T) Store {
	t.Helper()
	opened := s.unaudited(t)
	t.Cleanup(func() { balances(t, opened) })
	return opened
}

// unaudited is an empty store that is closed with the test, whatever stands in it.
func (s suite) unaudited(t *testing.T) Store {
	t.Helper()
	opened := s.open(t)
	t.Cleanup(func() {
		if err := opened.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	})
	return opened
}
