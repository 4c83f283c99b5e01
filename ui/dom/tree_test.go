package dom

import (
	"strings"
	"testing"

	"github.com/vugu/vugu"
)

// list reads a short notation of children: "p#a p#b.x text".
func list(s string) (out []*node) {
	for _, word := range strings.Fields(s) {
		n := &node{}
		rest, class, _ := strings.Cut(word, ".")
		tag, id, _ := strings.Cut(rest, "#")
		if tag != "text" {
			n.tag = tag
			n.attrs = []attr{{"id", id}, {"class", class}}
		}
		out = append(out, n)
	}
	return out
}

func TestPair(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"nothing changed", "p#a div text", "p#a div text", "0 1 2"},
		{"one came in front", "p#a p#b", "p#n p#a p#b", "- 0 1"},
		{"one came between", "div.x p", "div.x div.notice p", "0 - 1"},
		{"one went", "p#a div.notice p#b", "p#a p#b", "0 2"},
		{"all others", "p#a p#b", "div span", "- -"},
		{"a list grew", "li li", "li li li", "0 1 -"},
		{"a list shrank", "li li li", "li", "0"},
		{"exchanged", "p#a div", "div p#a", "- 0"},
		{"by class", "div.file-row div.working", "div.working", "1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			old := list(c.old)
			var got []string
			for _, o := range pair(old, list(c.new)) {
				word := "-"
				for i := range old {
					if old[i] == o {
						word = string(rune('0' + i))
					}
				}
				got = append(got, word)
			}
			if s := strings.Join(got, " "); s != c.want {
				t.Errorf("%s, want %s", s, c.want)
			}
		})
	}
}

// tree builds what a component's Build would give.
type tree struct{ out *vugu.VGNode }

func (c *tree) Build(*vugu.BuildIn) *vugu.BuildOut {
	return &vugu.BuildOut{Out: []*vugu.VGNode{c.out}}
}

func TestFlattenTextIsText(t *testing.T) {
	const evil = `<img src=x onerror="alert(1)"> & "more"`
	top := &vugu.VGNode{Type: vugu.ElementNode, Data: "div"}
	said := &vugu.VGNode{Type: vugu.ElementNode, Data: "p"}
	said.AppendChild(&vugu.VGNode{Type: vugu.TextNode, Data: evil})
	static := &vugu.VGNode{Type: vugu.ElementNode, Data: "p"}
	static.SetInnerHTML(vugu.HTML("<b>ours</b>"))
	template := &vugu.VGNode{Type: vugu.ElementNode}
	template.AppendChild(&vugu.VGNode{Type: vugu.TextNode, Data: "inside"})
	for _, n := range []*vugu.VGNode{said, static, template, {Type: vugu.CommentNode, Data: "c"}} {
		top.AppendChild(n)
	}
	env, err := vugu.NewBuildEnv()
	if err != nil {
		t.Fatal(err)
	}
	built := env.RunBuild(&tree{top})
	got := flatten(nil, built.Out.Out[0], built)
	if len(got) != 1 || len(got[0].children) != 3 {
		t.Fatalf("%d nodes with %d children, want one with three", len(got), len(got[0].children))
	}
	p := got[0].children
	if p[0].markup != "" || len(p[0].children) != 1 || p[0].children[0].tag != "" || p[0].children[0].text != evil {
		t.Errorf("a person's text became %+v", p[0])
	}
	if p[1].markup != "<b>ours</b>" {
		t.Errorf("static markup became %+v", p[1])
	}
	if p[2].text != "inside" {
		t.Errorf("a template's child became %+v", p[2])
	}
}
