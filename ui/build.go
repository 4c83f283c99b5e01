package ui

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/vugu/vugu"
)

// What the components' generated Build functions call: ui/split puts these in the place of what
// vugugen writes for each node, which was half of the page's program. None is inlined, for the
// same reason.

// apart calls f, and keeps it a function of its own in what is compiled.
//
//go:noinline
func apart(f func()) { f() }

// vgElement appends an element to its parent, if it has one. The spec is its tag, then its
// constant attributes' keys and values, between zeros; a tag may have a namespace before a
// colon, and none is a template.
//
//go:noinline
func vgElement(parent *vugu.VGNode, spec string) *vugu.VGNode {
	n := &vugu.VGNode{Type: vugu.ElementNode}
	tag, rest, _ := strings.Cut(spec, "\x00")
	if space, name, ok := strings.Cut(tag, ":"); ok {
		n.Namespace, tag = space, name
	}
	n.Data = tag
	if rest != "" {
		n.Attr = make([]vugu.VGAttribute, 0, 1+strings.Count(rest, "\x00")/2)
	}
	for rest != "" {
		var key, value string
		key, rest, _ = strings.Cut(rest, "\x00")
		value, rest, _ = strings.Cut(rest, "\x00")
		n.Attr = append(n.Attr, vugu.VGAttribute{Key: key, Val: value})
	}
	if parent != nil {
		parent.AppendChild(n)
	}
	return n
}

// vgText appends a text.
//
//go:noinline
func vgText(parent *vugu.VGNode, text string) {
	parent.AppendChild(&vugu.VGNode{Type: vugu.TextNode, Data: text})
}

// vgInner gives an element its content: a text is one, and vugu.HTML is what the template holds.
//
//go:noinline
func vgInner[T any](n *vugu.VGNode, v T) {
	switch v := any(v).(type) {
	case vugu.HTML:
		n.SetInnerHTML(v)
	case string:
		if v != "" {
			vgText(n, v)
		}
	default:
		vgText(n, fmt.Sprint(v))
	}
}

//go:noinline
func vgAttr[T any](n *vugu.VGNode, key string, v T) { n.AddAttrInterface(key, v) }

// vgProp gives an element a property of a script's.
//
//go:noinline
func vgProp[T any](n *vugu.VGNode, key string, v T) {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // a number that JSON has no word for: the App checks its own
	}
	n.Prop = append(n.Prop, vugu.VGProperty{Key: key, JSONVal: text})
}

//go:noinline
func vgOn(n *vugu.VGNode, event string, f func(vugu.DOMEvent)) {
	n.DOMEventHandlerSpecList = append(n.DOMEventHandlerSpecList, vugu.DOMEventHandlerSpec{EventType: event, Func: f})
}

// vgKey names a component by its place in a template, in the tree, and in a loop.
//
//go:noinline
func vgKey(in *vugu.BuildIn, id uint64, iteration any) vugu.CompKey {
	return vugu.MakeCompKey(id^in.CurrentPositionHash(), iteration)
}

// vgPlace returns a component's place in the tree.
//
//go:noinline
func vgPlace(in *vugu.BuildIn, out *vugu.BuildOut, key vugu.CompKey, c vugu.Builder) *vugu.VGNode {
	in.BuildEnv.UseComponent(key, c)
	out.Components = append(out.Components, c)
	return &vugu.VGNode{Component: c}
}
