package main

import (
	"fmt"
	"html"
	"regexp"
	"strconv"
	"strings"
)

// What vugugen writes for each node, attribute and component, as gofmt formats it, and the
// calls of ui/build.go that do the same in a tenth of the compiled code. Text that only lays
// the template out is no node at all.
var (
	quoted = `"(?:[^"\\\n]|\\.)*"`

	textNode    = regexp.MustCompile(`(?m)^(\t*)vgn = &vugu\.VGNode\{Type: vugu\.VGNodeType\(1\), Data: (` + quoted + `)\}\n\t*vgparent\.AppendChild\(vgn\)\n`)
	elementNode = regexp.MustCompile(`(?m)^(\t*)vgn = &vugu\.VGNode\{Type: vugu\.VGNodeType\(3\)(?:, Namespace: (` + quoted + `), Data: (` + quoted + `), Attr: \[\]vugu\.VGAttribute(.*))?\}(?: // <vg-template>)?\n(\t*vgparent\.AppendChild\(vgn\)\n)?`)
	attribute   = regexp.MustCompile(`\{Namespace: "", Key: (` + quoted + `), Val: (` + quoted + `)\}`)
	handler     = regexp.MustCompile(`vgn\.DOMEventHandlerSpecList = append\(vgn\.DOMEventHandlerSpecList, vugu\.DOMEventHandlerSpec\{\n\t*EventType: (` + quoted + `),\n\t*Func: +(func\(event vugu\.DOMEvent\) \{(?s:.*?)\}),\n\t*// TODO[^\n]*\n\t*\}\)`)
	nothing     = regexp.MustCompile(`(?m)^\t*vgn\.SetInnerHTML\(vugu\.HTML\(""\)\)\n`)
	plain       = regexp.MustCompile(`vgn\.SetInnerHTML\(vugu\.HTML\((` + quoted + `)\)\)`)
	inner       = regexp.MustCompile(`(?m)^(\t*)vgn\.SetInnerHTML\((.*)\)$`)
	property    = regexp.MustCompile(`\{\n\t*b, err := vjson\.Marshal\((.*)\)\n\t*if err != nil \{\n\t*panic\(err\)\n\t*\}\n\t*vgn\.Prop = append\(vgn\.Prop, vugu\.VGProperty\{Key: (` + quoted + `), JSONVal: vjson\.RawMessage\(b\)\}\)\n\t*\}`)
	wired       = regexp.MustCompile(`(?m)^\t*vgin\.BuildEnv\.(?:WireComponent\(vgcomp\)|UseComponent\(vgcompKey, vgcomp\).*)\n`)
	compKey     = regexp.MustCompile(`vugu\.MakeCompKey\((0x[0-9A-F]+)\^vgin\.CurrentPositionHash\(\), `)
	component   = regexp.MustCompile(`vgout\.Components = append\(vgout\.Components, vgcomp\)\n\t*vgn = &vugu\.VGNode\{Component: vgcomp\}`)
)

// compact rewrites a file of vugugen.
func compact(text string) (string, error) {
	var wrong error
	text = textNode.ReplaceAllStringFunc(text, func(s string) string {
		m := textNode.FindStringSubmatch(s)
		if data, err := strconv.Unquote(m[2]); err != nil {
			wrong = err
		} else if strings.TrimSpace(data) == "" && strings.Contains(data, "\n") {
			return ""
		}
		return fmt.Sprintf("%svgText(vgparent, %s)\n", m[1], m[2])
	})
	text = elementNode.ReplaceAllStringFunc(text, func(s string) string {
		m := elementNode.FindStringSubmatch(s)
		spec, err := specOf(m[2], m[3], m[4])
		if err != nil {
			wrong = err
		}
		parent := "vgparent"
		if m[5] == "" {
			parent = "nil"
		}
		return fmt.Sprintf("%svgn = vgElement(%s, %s)\n", m[1], parent, strconv.Quote(spec))
	})
	text = handler.ReplaceAllString(text, "vgOn(vgn, $1, $2)")
	text = nothing.ReplaceAllString(text, "")
	text = plain.ReplaceAllStringFunc(text, func(s string) string {
		m := plain.FindStringSubmatch(s)
		markup, err := strconv.Unquote(m[1])
		if err != nil {
			wrong = err
		}
		if strings.Contains(markup, "<") {
			return s
		}
		return fmt.Sprintf("vgText(vgn, %s)", strconv.Quote(html.UnescapeString(markup)))
	})
	text = inner.ReplaceAllString(text, "${1}vgInner(vgn, $2)")
	text = strings.ReplaceAll(text, "vgn.AddAttrInterface(", "vgAttr(vgn, ")
	text = property.ReplaceAllString(text, "vgProp(vgn, $2, $1)")
	text = wired.ReplaceAllString(text, "")
	text = compKey.ReplaceAllString(text, "vgKey(vgin, $1, ")
	text = component.ReplaceAllString(text, "vgn = vgPlace(vgin, vgout, vgcompKey, vgcomp)")
	for _, p := range []string{"fmt", "reflect", "vjson", "js", "log"} {
		if strings.Count(text, p+".") == 1 { // in what keeps an unused import
			text = regexp.MustCompile(`(?m)^(?:var _ `+p+`\..*|import (?:js )?"(?:.*/)?`+p+`")\n`).ReplaceAllString(text, "")
		}
	}
	return text, wrong
}

// specOf puts what is constant about an element into one string, as vgElement reads it: the
// tag, with its namespace and a colon where it has one, then keys and values, all between zeros.
func specOf(namespace, tag, attrs string) (string, error) {
	if tag == "" {
		return "", nil // a template
	}
	var parts []string
	for _, q := range []string{namespace, tag} {
		s, err := strconv.Unquote(q)
		if err != nil {
			return "", err
		}
		parts = append(parts, s)
	}
	if parts[0] != "" {
		parts[1] = parts[0] + ":" + parts[1]
	}
	found := attribute.FindAllStringSubmatch(attrs, -1)
	if strings.Count(attrs, "Key: ") < len(found) || strings.Count(attrs, "Namespace: ") > len(found) {
		return "", fmt.Errorf("attributes in a namespace: %s", attrs)
	}
	for _, m := range found {
		for _, q := range m[1:] {
			s, err := strconv.Unquote(q)
			if err != nil {
				return "", err
			}
			if strings.Contains(s, "\x00") {
				return "", fmt.Errorf("an attribute has a zero: %s", q)
			}
			parts = append(parts, s)
		}
	}
	return strings.Join(parts[1:], "\x00"), nil
}
