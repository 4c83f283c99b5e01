//go:build js && wasm

// Page is the program of the web page: it joins the components of package ui
// with the browser, and starts the worker that holds the engine.
package main

import (
	"time"

	"prelude/ui"
	"prelude/ui/dom"

	"syscall/js"
)

// frame is the least time between two drawings that no person asked for: the
// worker's messages come faster than an eye reads.
const frame = 100 * time.Millisecond

func main() {
	p := &page{window: js.Global(), scrolled: map[string]float64{}}
	host := newBrowser(p.later)
	p.app = ui.New(host)
	host.app = p.app
	r, err := dom.New("#app", &ui.Page{App: p.app}, p.after)
	if err != nil {
		panic(err)
	}
	p.renderer = r
	p.onFrame = js.FuncOf(func(js.Value, []js.Value) any { p.asked = false; p.draw(); return nil })
	p.onTimer = js.FuncOf(func(js.Value, []js.Value) any { p.timed = false; p.draw(); return nil })
	p.window.Call("addEventListener", "resize", js.FuncOf(func(js.Value, []js.Value) any { p.soon(); return nil }))
	p.window.Call("addEventListener", "hashchange", js.FuncOf(func(js.Value, []js.Value) any { p.follow(); return nil }))
	p.watchPresses()
	p.window.Get("history").Set("scrollRestoration", "manual") // follow does it, once the view is there
	p.window.Call("addEventListener", "beforeunload", js.FuncOf(func(_ js.Value, args []js.Value) any {
		if p.app.Leaving() {
			args[0].Call("preventDefault") // the browser asks
		}
		return nil
	}))
	p.window.Call("addEventListener", "preludeupdate", js.FuncOf(func(js.Value, []js.Value) any { p.app.Updated(); p.soon(); return nil }))
	greeted := make(chan struct{})
	p.app.Greet(func() { close(greeted) })
	<-greeted
	p.greeted = true
	p.app.Start()
	p.draw()
	p.reveal()
	select {} // callbacks do the rest
}

// page decides when to draw.
type page struct {
	window           js.Value
	app              *ui.App
	renderer         *dom.Renderer
	onFrame, onTimer js.Func
	asked, timed     bool
	drawing          bool
	press            press
	greeted          bool // the language is known: before that, nothing is drawn
	drawn            time.Time
	scrolled         map[string]float64 // how far down each view was left
}

// after draws what an event has changed before the person can do anything else: what
// they typed into a box meanwhile would be drawn over. Events that come by the dozen
// wait for the browser's next frame.
func (p *page) after(event string) {
	p.app.Changed()
	switch event {
	case "pointermove", "pointerover", "pointerleave", "dragover":
		p.soon()
		return
	}
	if p.drawing {
		p.soon()
		return
	}
	p.draw()
}

// follow goes where the page's address has gone: a view is found as it was left, and the
// focus and the window's title go to its heading.
func (p *page) follow() {
	from := p.app.View()
	p.scrolled[from] = p.window.Get("scrollY").Float()
	p.app.Follow()
	p.press.held = false
	p.draw()
	p.reveal()
	if p.app.View() == from {
		return
	}
	heading := p.window.Get("document").Call("querySelector", "main h1, main h2")
	if heading.Truthy() {
		heading.Set("tabIndex", -1)
		heading.Call("focus", map[string]any{"preventScroll": true})
		p.window.Get("document").Set("title", heading.Get("textContent").String()+" · Prelude")
	}
	p.window.Call("scrollTo", map[string]any{"top": p.scrolled[p.app.View()], "behavior": "instant"})
}

// reveal scrolls the row of links to views, where the window is too narrow for it, until the
// link to the view that is shown stands in its middle. The page itself is not scrolled.
func (p *page) reveal() {
	link := p.window.Get("document").Call("querySelector", ".nav a[aria-current]")
	if !link.Truthy() {
		return // all views are shown
	}
	row := link.Get("parentElement")
	at, room := link.Call("getBoundingClientRect"), row.Call("getBoundingClientRect")
	middle := func(box js.Value) float64 { return box.Get("left").Float() + box.Get("width").Float()/2 }
	row.Call("scrollBy", map[string]any{"left": middle(at) - middle(room), "behavior": "instant"})
}

// soon draws at the browser's next frame.
func (p *page) soon() {
	if !p.asked {
		p.asked = true
		p.window.Call("requestAnimationFrame", p.onFrame)
	}
}

// later draws when a frame's time has passed since the last drawing. A timer
// also runs in a hidden tab, where animation frames stand still.
func (p *page) later() {
	if !p.timed {
		p.timed = true
		wait := max(0, frame-time.Since(p.drawn))
		p.window.Call("setTimeout", p.onTimer, wait.Milliseconds())
	}
}

func (p *page) draw() {
	if !p.greeted {
		return
	}
	if p.press.held {
		p.press.owed = true
		return
	}
	p.drawn, p.drawing = time.Now(), true
	defer func() { p.drawing = false }()
	p.renderer.Render()
	if p.app.Resize(p.width(".chart-area"), p.width("#curve-area")) {
		p.renderer.Render()
	}
}

// width is that of the first element which a selector finds, 0 where there is none.
func (p *page) width(selector string) int {
	if x := p.window.Get("document").Call("querySelector", selector); x.Truthy() {
		return x.Get("clientWidth").Int()
	}
	return 0
}
