//go:build js && wasm

package main

import (
	"time"

	"syscall/js"
)

// A press is a pointer going down and up again in one place. Where the page moves or the control is
// exchanged in between, the browser finds two places and makes no click: what was pressed hits nothing.
// So nothing is drawn from a press on a control to its click.

// controls are what is pressed, sliders apart, which are drawn as they are dragged.
const controls = "a,button,summary,label,select,textarea,input"

const (
	longestPress = 3 * time.Second // what is held longer, or let go where the page can't see it, waits no more
	clickAfter   = 100 * time.Millisecond
)

// press is the one under way, if any.
type press struct {
	held, owed bool // owed is a drawing
	n          int  // of which number
}

func (p *page) watchPresses() {
	element := p.window.Get("Element")
	on := func(event string, do func(target js.Value)) {
		p.window.Call("addEventListener", event, js.FuncOf(func(_ js.Value, args []js.Value) any {
			if target := args[0].Get("target"); target.InstanceOf(element) {
				do(target)
			}
			return nil
		}), true)
	}
	on("pointerdown", func(target js.Value) {
		if control := target.Call("closest", controls); control.Truthy() && !control.Call("matches", "[type=range]").Bool() {
			p.press.held = true
			p.press.n++
			p.releaseIn(longestPress)
		}
	})
	on("pointerup", func(js.Value) {
		if p.press.held {
			p.releaseIn(clickAfter) // where no click follows
		}
	})
	on("pointercancel", func(js.Value) { p.release() })
	on("click", func(target js.Value) {
		if target.Call("matches", "input").Bool() {
			p.releaseIn(0) // its mark has changed already, and is read after the click: not drawn over now
			return
		}
		p.release() // what hears the click is as the page is now
	})
}

// releaseIn ends the press under way after a time, if it hasn't ended by then.
func (p *page) releaseIn(wait time.Duration) {
	n := p.press.n
	time.AfterFunc(wait, func() {
		if n == p.press.n {
			p.release()
		}
	})
}

// release ends the press, and draws what had to wait for it.
func (p *page) release() {
	p.press.held = false
	if p.press.owed {
		p.press.owed = false
		p.draw()
	}
}
