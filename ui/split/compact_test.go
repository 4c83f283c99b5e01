package main

import (
	"go/format"
	"strings"
	"testing"
)

// Each form that vugugen writes becomes its call; what is none stays as it is.
func TestCompact(t *testing.T) {
	const before = `package p

import "fmt"
import "log"
import "reflect"
import js "github.com/vugu/vugu/js"

func (c *X) Build(vgin *vugu.BuildIn) (vgout *vugu.BuildOut) {
	vgn = &vugu.VGNode{Type: vugu.VGNodeType(3), Namespace: "", Data: "section", Attr: []vugu.VGAttribute{{Namespace: "", Key: "class", Val: "a \"b\" {c}"}, vugu.VGAttribute{Namespace: "", Key: "id", Val: ""}}}
	vgout.Out = append(vgout.Out, vgn) // root for output
	{
		vgparent := vgn
		_ = vgparent
		vgn = &vugu.VGNode{Type: vugu.VGNodeType(1), Data: "\n  "}
		vgparent.AppendChild(vgn)
		vgn = &vugu.VGNode{Type: vugu.VGNodeType(1), Data: " "}
		vgparent.AppendChild(vgn)
		vgn = &vugu.VGNode{Type: vugu.VGNodeType(3), Namespace: "svg", Data: "rect", Attr: []vugu.VGAttribute(nil)}
		vgparent.AppendChild(vgn)
		vgn.AddAttrInterface("width", c.width())
		vgn.SetInnerHTML(vugu.HTML(""))
		vgn = &vugu.VGNode{Type: vugu.VGNodeType(3)} // <vg-template>
		vgparent.AppendChild(vgn)
		vgn.SetInnerHTML(vugu.HTML("a \x3Cb\x3E"))
		vgn.SetInnerHTML(vugu.HTML("a &amp; b"))
		vgn.SetInnerHTML(fmt.Sprint(c.n))
		{
			b, err := vjson.Marshal(c.at(f(x)))
			if err != nil {
				panic(err)
			}
			vgn.Prop = append(vgn.Prop, vugu.VGProperty{Key: "value", JSONVal: vjson.RawMessage(b)})
		}
		vgn.DOMEventHandlerSpecList = append(vgn.DOMEventHandlerSpecList, vugu.DOMEventHandlerSpec{
			EventType: "click",
			Func:      func(event vugu.DOMEvent) { c.x = []int{1} },
			// TODO: implement capture, etc. mostly need to decide syntax
		})
		{
			vgcompKey := vugu.MakeCompKey(0xAB^vgin.CurrentPositionHash(), vgiterkey)
			vgcomp, _ := vgin.BuildEnv.CachedComponent(vgcompKey).(*Y)
			if vgcomp == nil {
				vgcomp = new(Y)
				vgin.BuildEnv.WireComponent(vgcomp)
			}
			vgin.BuildEnv.UseComponent(vgcompKey, vgcomp) // ensure we can use this in the cache next time around
			vgcomp.App = c.App
			vgout.Components = append(vgout.Components, vgcomp)
			vgn = &vugu.VGNode{Component: vgcomp}
			vgparent.AppendChild(vgn)
		}
	}
	return vgout
}

// 'fix' unused imports
var _ fmt.Stringer
var _ reflect.Type
var _ js.Value
var _ log.Logger
`
	const after = `package p

import "fmt"

func (c *X) Build(vgin *vugu.BuildIn) (vgout *vugu.BuildOut) {
	vgn = vgElement(nil, "section\x00class\x00a \"b\" {c}\x00id\x00")
	vgout.Out = append(vgout.Out, vgn) // root for output
	{
		vgparent := vgn
		_ = vgparent
		vgText(vgparent, " ")
		vgn = vgElement(vgparent, "svg:rect")
		vgAttr(vgn, "width", c.width())
		vgn = vgElement(vgparent, "")
		vgInner(vgn, vugu.HTML("a \x3Cb\x3E"))
		vgText(vgn, "a & b")
		vgInner(vgn, fmt.Sprint(c.n))
		vgProp(vgn, "value", c.at(f(x)))
		vgOn(vgn, "click", func(event vugu.DOMEvent) { c.x = []int{1} })
		{
			vgcompKey := vgKey(vgin, 0xAB, vgiterkey)
			vgcomp, _ := vgin.BuildEnv.CachedComponent(vgcompKey).(*Y)
			if vgcomp == nil {
				vgcomp = new(Y)
			}
			vgcomp.App = c.App
			vgn = vgPlace(vgin, vgout, vgcompKey, vgcomp)
			vgparent.AppendChild(vgn)
		}
	}
	return vgout
}

// 'fix' unused imports
var _ fmt.Stringer
`
	got, err := compact(before)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := format.Source([]byte(got)); err != nil || string(text) != after {
		t.Errorf("(%v)\n%s\nwant\n%s", err, text, after)
	}
	if twice, err := compact(after); err != nil || twice != after {
		t.Errorf("again (%v):\n%s", err, twice)
	}
	for _, bad := range []string{`Namespace: "xlink", Key: "href", Val: "a"`, `Namespace: "", Key: "a", Val: "\x00"`} {
		text := strings.Replace(before, `Namespace: "", Key: "id", Val: ""`, bad, 1)
		if _, err := compact(text); err == nil {
			t.Errorf("%s: no error", bad)
		}
	}
}
