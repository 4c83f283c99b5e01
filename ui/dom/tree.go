package dom

import (
	"encoding/json"
	"strings"

	"github.com/vugu/vugu"
	"github.com/vugu/vugu/js"
)

// node is one element or text of the page: Vugu's tree with components and
// templates resolved.
type node struct {
	tag      string // "" is a text
	ns       string // namespace URI, "" is HTML
	text     string
	markup   string // static HTML in place of children
	attrs    []attr
	props    []prop
	events   []vugu.DOMEventHandlerSpec
	children []*node

	el js.Value // the element or text in the page
	id int      // names an element that has handlers; 0 where it has none
}

type attr struct{ key, value string }

type prop struct {
	key   string
	value any // string, bool, float64 or nil
}

var namespaces = map[string]string{
	"svg":  "http://www.w3.org/2000/svg",
	"math": "http://www.w3.org/1998/Math/MathML",
}

// flatten resolves what Vugu has built into nodes, and appends them to out.
func flatten(out []*node, n *vugu.VGNode, built *vugu.BuildResults) []*node {
	switch {
	case n.Component != nil:
		for _, top := range built.ResultFor(n.Component).Out {
			out = flatten(out, top, built)
		}
		return out
	case n.IsTemplate():
		return flattenChildren(out, n, built)
	case n.Type == vugu.TextNode:
		return append(out, &node{text: n.Data})
	case n.Type != vugu.ElementNode:
		return out
	}
	e := &node{tag: n.Data, ns: namespaces[n.Namespace], events: n.DOMEventHandlerSpecList}
	for _, a := range n.Attr {
		e.attrs = append(e.attrs, attr{a.Key, a.Val})
	}
	for _, p := range n.Prop {
		e.props = append(e.props, prop{p.Key, decode(p.JSONVal)})
	}
	switch {
	case n.InnerHTML == nil:
		e.children = flattenChildren(nil, n, built)
	default:
		e.markup = *n.InnerHTML // the template's own; texts are children (ui/build.go)
	}
	return append(out, e)
}

func flattenChildren(out []*node, n *vugu.VGNode, built *vugu.BuildResults) []*node {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		out = flatten(out, c, built)
	}
	return out
}

func decode(text []byte) any {
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		panic("dom: a property is not JSON: " + err.Error())
	}
	return v
}

// kin says whether a new node may take over the element of an old one: whether
// they are the same place of the page, as far as can be told.
func kin(a, b *node) bool {
	if a.tag != b.tag || a.ns != b.ns || (a.markup == "") != (b.markup == "") {
		return false
	}
	return a.attr("id") == b.attr("id") && firstWord(a.attr("class")) == firstWord(b.attr("class"))
}

func (n *node) attr(key string) string {
	for _, a := range n.attrs {
		if a.key == key {
			return a.value
		}
	}
	return ""
}

func (n *node) has(key string) bool {
	for _, a := range n.attrs {
		if a.key == key {
			return true
		}
	}
	return false
}

func firstWord(s string) string {
	word, _, _ := strings.Cut(s, " ")
	return word
}

// pair finds for each new child the old one whose element it takes over, in
// order, or nil. It looks ahead where an old child has gone or a new one come.
func pair(old, new []*node) []*node {
	out := make([]*node, len(new))
	at := 0
	for i, n := range new {
		found := -1
		for j := at; j < len(old); j++ {
			if kin(old[j], n) {
				found = j
				break
			}
		}
		if found < 0 || found > at && wanted(old[at], new[i+1:]) {
			continue
		}
		out[i] = old[found]
		at = found + 1
	}
	return out
}

// wanted says whether a later new child is kin to an old one.
func wanted(o *node, later []*node) bool {
	for _, n := range later {
		if kin(o, n) {
			return true
		}
	}
	return false
}
