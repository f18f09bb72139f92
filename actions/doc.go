// Package actions is the hands: a sender for each kind of action, which takes one message to one target and tells in
// the courier's terms what came of it.
//
// Terms:
//
//   - A sender makes attempts for one action. It keeps connections, and nothing else, from one to the next.
//   - An outcome says whether trying again can help; when is for the courier to decide.
//   - A diversion leads everything to receivers in this process, for the demo and the sandbox.
//
// The package promises:
//
//   - An attempt ends by its deadline, whatever the target does, and never follows a redirect (C11).
//   - The delivery's key goes out with every attempt: Idempotency-Key, Message-ID, Slack's metadata (C10).
//   - A row of a table is replaced by newer versions of its entry only, in one statement, and its values and names are
//     never read as SQL (C16).
//   - What a target answered is kept in part, what it is told is not: no status or reason holds a secret or text of the
//     event (C19). TLS is verified, and mail is never sent in clear unless the settings say so.
package actions
