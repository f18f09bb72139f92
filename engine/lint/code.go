package lint

// The codes of findings.
const (
	NeverFires    = "never-fires"
	AlwaysFires   = "always-fires"
	EventNotInOn  = "event-not-in-on"
	RouterEvent   = "unknown-router-event"
	UpsertNoEntry = "upsert-without-entry"
	AtNoUpdate    = "at-without-updated"
	DuplicateRule = "duplicate-rule"
	TextNumber    = "text-number"
	HelperTypo    = "helper-typo"
	EventTypo     = "event-typo"
	NoOwner       = "no-owner"
	UnusedAction  = "unused-action"
	AbsentSamples = "absent-in-samples"
	FailsSamples  = "fails-with-samples"
	UnknownField  = "unknown-field"
	IgnoreReason  = "lint-ignore-reason"
	IgnoreUnused  = "lint-ignore-unused"
	IgnoreUnknown = "lint-ignore-unknown"
)

// Codes are all codes of findings.
func Codes() []string {
	return []string{
		NeverFires, AlwaysFires, EventNotInOn, RouterEvent, UpsertNoEntry, AtNoUpdate, DuplicateRule, TextNumber, HelperTypo, EventTypo, NoOwner, UnusedAction,
		AbsentSamples, FailsSamples, UnknownField, IgnoreReason, IgnoreUnused, IgnoreUnknown,
	}
}
