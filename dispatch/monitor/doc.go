// Package monitor has failures speak: it watches what becomes of attempts and deliveries, and raises the router's own
// events for rules that ask for them.
//
// Terms:
//
//   - The window is how far back attempts count; it and the rate are those of the rules in force (`monitor:`).
//   - A spike is a time in which an action fails: it begins when enough attempts of the window failed, or when the
//     action's breaker opens, and ends after a whole window in which less than half as many failed, with the breaker
//     closed. A window without attempts says nothing, and ends none.
//   - An alert is one of the router's own events: router.failure_spike and router.failure_recovered, once each for a
//     spike; router.dead_letter, once for an action and window, with the number of those that died; router.reload_failed,
//     once for each refused edit.
//
// The package promises:
//
//   - Each dead letter is told by exactly one alert, however it died, through crashes and restarts: what is told is
//     committed together with the alert that tells it. So is a spike that was told; only the counts of the window are
//     lost with the process.
//   - An alert is an event like others: judged by exactly one generation of rules, and delivered with retries.
//   - Nothing that becomes of an alert's own deliveries raises another: they count in no window, and their deaths are
//     told to nobody but Flags and the metrics.
//   - What goes wrong shows in Flags and in the metrics whatever rules there are: each spike, each action with dead
//     letters, each action through which alerts do not get.
//   - It holds up no delivery: attempts are only counted, and a round a second looks at the counts.
package monitor
