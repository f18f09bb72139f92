// Package lint finds what a rules file says that its author cannot have meant, although it can be used.
//
// Terms:
//
//   - A finding is a warning, with a code, its place and what to do. docs/lint.md tells of every code.
//   - What was seen are events that were kept: sample payloads, or those of a store. Field names are learned from them,
//     and samples are judged by the rules.
//   - An ignore is a comment, `# lint:ignore CODE reason`, in the line of a finding, in the line above, or above a rule.
//
// The package promises:
//
//   - A finding is certain, but for two codes that say so in their words: helper-typo and event-typo compare spellings.
//   - What is said of fields is said of what was seen, and of nothing where nothing was.
//   - An ignore needs a reason, and one that hides nothing is a finding itself: what is hidden stays explained.
//
// It takes files without errors only. It reads and judges; it sends nothing and keeps nothing.
package lint
