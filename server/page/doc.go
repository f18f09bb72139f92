// Package page is what a person looks at in a browser: how the month stands, what came last and what became of it, and
// what was given up.
//
// It is one page, written by the server: it reads well without JavaScript, on a phone and in the dark. The script beside it
// draws the days of a month as a chart, from numbers that the page holds as text, too.
//
// # Promises
//
//   - Whatever an event, a rule or a target says is shown as text: templates escape by context, and a Content-Security-Policy
//     lets nothing run but the page's own two scripts (A23).
//   - Everything is embedded: a browser that shows the page asks nobody but this router.
//   - A page is of one moment and is not kept by the browser. Nothing on it changes anything.
package page
