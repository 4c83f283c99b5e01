// Package dom draws a tree of Vugu components into the browser's page.
//
// Vugu comes with a renderer of its own, which this package takes the place of,
// for three reasons. That one calls eval at start, which a strict
// Content-Security-Policy forbids. It writes every node anew at each rendering,
// so a page that draws ten times a second can't be selected or copied from. And
// it cuts off at texts of 16 kB, which a model's answer can reach. This one
// keeps the last tree and touches the page only where the new one differs.
//
//	r, err := dom.New("#app", &ui.Page{App: app}, changed)
//	r.Render()   // once, and after each change of the App
//
// Text is always a text node. vugugen turns static markup into one string of
// HTML at generation; only such a string (it holds a "<", which Vugu escapes in
// all other text) is ever parsed as HTML.
package dom
