package dom

import (
	"strings"
	"sync"

	"github.com/vugu/vugu"
	"github.com/vugu/vugu/js"
)

// Renderer keeps one element of the page equal to a component's tree.
type Renderer struct {
	root     vugu.Builder
	mount    js.Value
	document js.Value
	env      *vugu.BuildEnv
	events   vugu.EventEnv
	handler  js.Func
	handlers map[int]*node
	lastID   int
	tree     []*node
	touched  bool     // a person has done something since the last drawing
	resting  js.Value // the control that was disabled while it had the focus
	left     js.Value // stands where the control with the focus has left the page
	after    func(event string)
}

// New returns a renderer of root into the element that selector finds; what the
// element holds is replaced at the first Render. After each handled event, changed is
// called with its type.
func New(selector string, root vugu.Builder, changed func(event string)) (*Renderer, error) {
	document := js.Global().Get("document")
	r := &Renderer{root: root, document: document, mount: document.Call("querySelector", selector), handlers: map[int]*node{}, after: changed}
	// Everything runs on the page's one thread: the lock never waits.
	r.events = vugu.NewEventEnvImpl(&sync.RWMutex{}, nil)
	env, err := vugu.NewBuildEnv(r.events)
	if err != nil {
		return nil, err
	}
	r.env = env
	r.handler = js.FuncOf(r.handle)
	touch := js.FuncOf(func(js.Value, []js.Value) any { r.touched = true; return nil })
	for _, kind := range []string{"input", "change", "focusout", "click"} {
		document.Call("addEventListener", kind, touch, true)
	}
	return r, nil
}

// Render builds the components and changes the page where it differs.
func (r *Renderer) Render() {
	built := r.env.RunBuild(r.root)
	var tree []*node
	for _, n := range built.Out.Out {
		tree = flatten(tree, n, built)
	}
	if r.tree == nil {
		r.mount.Set("textContent", "")
	}
	r.patchChildren(r.mount, r.tree, tree)
	r.tree, r.touched = tree, false
	r.succeed()
}

// handle is the one function that all elements call.
func (r *Renderer) handle(this js.Value, args []js.Value) any {
	e := event{at: this, raw: args[0], env: r.events}
	n := r.handlers[this.Get(idKey).Int()]
	if n == nil {
		return nil
	}
	kind := e.PropString("type")
	for _, h := range n.events {
		if h.EventType == kind {
			h.Func(e)
		}
	}
	r.after(kind)
	return nil
}

// idKey is the property under which an element knows its node's id.
const idKey = "preludeNode"

func (r *Renderer) patchChildren(parent js.Value, old, new []*node) {
	pairs := pair(old, new)
	kept := map[*node]bool{}
	for _, o := range pairs {
		if o != nil {
			kept[o] = true
		}
	}
	for _, o := range old {
		if !kept[o] {
			r.forget(o)
			r.mark(o)
			parent.Call("removeChild", o.el)
		}
	}
	before := js.Null()
	for i := len(new) - 1; i >= 0; i-- {
		if o := pairs[i]; o != nil {
			r.patch(o, new[i])
		} else {
			r.create(new[i])
			parent.Call("insertBefore", new[i].el, before)
		}
		before = new[i].el
	}
}

// forget drops the handlers of a subtree that leaves the page.
func (r *Renderer) forget(n *node) {
	delete(r.handlers, n.id)
	for _, c := range n.children {
		r.forget(c)
	}
}

func (r *Renderer) create(n *node) {
	switch {
	case n.tag == "":
		n.el = r.document.Call("createTextNode", n.text)
		return
	case n.ns != "":
		n.el = r.document.Call("createElementNS", n.ns, n.tag)
	default:
		n.el = r.document.Call("createElement", n.tag)
	}
	r.patch(&node{tag: n.tag, el: n.el}, n)
}

// patch makes the element of an old node that of a new one.
func (r *Renderer) patch(old, new *node) {
	new.el, new.id = old.el, old.id
	if new.tag == "" {
		setText(new.el, old.text, new.text)
		return
	}
	was, is := old.has("disabled"), new.has("disabled")
	if is && !was {
		r.rest(new.el, true)
	}
	patchAttrs(new.el, old.attrs, new.attrs)
	if was && !is {
		r.rest(new.el, false)
	}
	r.patchEvents(old, new)
	if new.markup != "" {
		if old.markup != new.markup {
			setMarkup(new.el, new.markup)
		}
	} else {
		r.patchChildren(new.el, old.children, new.children)
	}
	r.patchProps(old, new) // last: a select's value needs its options
}

// setMarkup gives an element a template's markup: by preludeMarkup where the page has it,
// since its policy demands a mark on such text (Trusted Types).
func setMarkup(el js.Value, markup string) {
	if page := js.Global(); page.Get("preludeMarkup").Truthy() {
		page.Call("preludeMarkup", el, markup)
		return
	}
	el.Set("innerHTML", markup)
}

// setText changes a text node, by appending where the text has only grown, so
// that what is selected in a streaming answer stays selected.
func setText(el js.Value, old, new string) {
	if rest, grown := strings.CutPrefix(new, old); !grown {
		el.Set("data", new)
	} else if rest != "" {
		el.Call("appendData", rest)
	}
}

func patchAttrs(el js.Value, old, new []attr) {
	before := map[string]string{}
	for _, a := range old {
		before[a.key] = a.value
	}
	for _, a := range new {
		if v, ok := before[a.key]; !ok || v != a.value {
			el.Call("setAttribute", a.key, a.value)
		}
		delete(before, a.key)
	}
	for key := range before {
		el.Call("removeAttribute", key)
	}
}

// patchProps sets properties. A box's value is left alone while the person is
// in it, unless the page's own state has changed; a mark always follows the state. Only a
// person makes a box differ from the state, so that the page is asked what stands in its
// boxes after they did something, and not at every drawing; a select's value may have waited
// for its options.
func (r *Renderer) patchProps(old, new *node) {
	for i, p := range new.props {
		same := i < len(old.props) && old.props[i] == p
		switch {
		case same && !r.touched && new.tag != "select":
		case p.key == "checked":
			same = new.el.Get(p.key).Bool() == p.value
		case p.key == "value" && (!same || !new.el.Call("matches", ":focus").Bool()):
			same = new.el.Get(p.key).String() == p.value
		}
		if !same {
			new.el.Set(p.key, p.value)
		}
	}
}

func (r *Renderer) patchEvents(old, new *node) {
	if len(new.events) > 0 && new.id == 0 {
		r.lastID++
		new.id = r.lastID
		new.el.Set(idKey, new.id)
	}
	had := map[string]bool{}
	for _, e := range old.events {
		had[e.EventType] = true
	}
	for _, e := range new.events {
		if !had[e.EventType] {
			new.el.Call("addEventListener", e.EventType, r.handler)
		}
		delete(had, e.EventType)
	}
	for kind := range had {
		new.el.Call("removeEventListener", kind, r.handler)
	}
	if new.id != 0 {
		r.handlers[new.id] = new
	}
}
