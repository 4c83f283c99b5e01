package dom

import "github.com/vugu/vugu/js"

// Who moves by keyboard, or hears the page, stands on one control. Where that one leaves the
// page, the control that took its place is next, not the page's beginning.

// controls are what can have the focus.
const controls = "a[href],button,summary,select,input,textarea,[tabindex='0']"

// mark puts a comment where a node with the focus is about to leave.
func (r *Renderer) mark(n *node) {
	if n.tag == "" || r.left.Truthy() {
		return
	}
	at := r.document.Get("activeElement")
	if r.rested() {
		at = r.resting
	}
	if !n.el.Call("contains", at).Bool() {
		return
	}
	r.left = r.document.Call("createComment", "")
	n.el.Call("before", r.left)
}

// A control that is disabled loses the focus at the browser's next frame: resting is the last
// that did. It has it again once it can be used, if nothing else has had it meanwhile.

// rest notes that a control is about to be disabled, or enabled again.
func (r *Renderer) rest(el js.Value, disabled bool) {
	switch {
	case disabled && el.Call("matches", ":focus").Bool():
		r.resting = el
	case !disabled && r.rested() && el.Call("isSameNode", r.resting).Bool():
		el.Call("focus", map[string]any{"preventScroll": true})
		r.resting = js.Null()
	}
}

// rested says whether the control that was disabled would still have the focus.
func (r *Renderer) rested() bool {
	if !r.resting.Truthy() {
		return false
	}
	at := r.document.Get("activeElement")
	return !at.Truthy() || at.Call("isSameNode", r.document.Get("body")).Bool()
}

// succeed gives the focus to the control behind the mark, else to the one before it, in the
// smallest part of the page that has any.
func (r *Renderer) succeed() {
	if !r.left.Truthy() {
		return
	}
	for part := r.left.Get("parentElement"); part.Truthy(); part = part.Get("parentElement") {
		if near := neighbour(part, r.left); near.Truthy() {
			near.Call("focus", map[string]any{"preventScroll": true})
			break
		}
	}
	r.left.Call("remove")
	r.left, r.resting = js.Null(), js.Null()
}

// neighbour is the first usable control of a part behind the mark, else the last before it.
func neighbour(part, mark js.Value) (near js.Value) {
	const follows = 4 // Node.DOCUMENT_POSITION_FOLLOWING
	all := part.Call("querySelectorAll", controls)
	for i := range all.Length() {
		x := all.Index(i)
		if x.Call("matches", ":disabled").Bool() || x.Call("getClientRects").Length() == 0 {
			continue
		}
		if mark.Call("compareDocumentPosition", x).Int()&follows != 0 {
			return x
		}
		near = x
	}
	return near
}
