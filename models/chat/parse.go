package chat

import (
	"fmt"
	"slices"
	"strings"
)

// A node is a part of a template that runs.
type node interface {
	run(*run) error
}

type (
	textNode  struct{ text string }
	printNode struct{ value expr }
	ifNode    struct {
		tests  []expr // one for each branch but the else
		bodies [][]node
	}
	forNode struct {
		names      []string
		over, test expr // test may be nil
		body, none []node
	}
	setNode struct {
		targets []target
		value   expr
		body    []node // {% set x %}…{% endset %}, where value is nil
		filters expr   // of that block, or nil
	}
	filterNode struct { // {% filter upper %}…{% endfilter %}
		filters expr
		body    []node
	}
	macroNode struct {
		name     string
		args     []string
		defaults []expr // nil where an argument has none
		body     []node
	}
	jumpNode struct{ err error } // break or continue
)

// A target is what set gives a value: a name, or a field of a namespace.
type target struct{ name, field string }

// A parser reads statements from segments and expressions from the tokens of the
// current one.
type parser struct {
	segments []segment
	tokens   []token
	line     int
	depth    int
	macros   map[string]bool // of the whole template
	branches int             // of ifs, in which an unknown filter is an error when it is met, as in Jinja
}

// Deeper nesting than this is refused; people's templates have about ten.
const maxDepth = 100

func (p *parser) errorf(format string, args ...any) error {
	return fmt.Errorf("chat: line %d: "+format, append([]any{p.line}, args...)...)
}

// enter guards recursion: defer p.leave().
func (p *parser) enter() error {
	if p.depth++; p.depth > maxDepth {
		return p.errorf("nested deeper than %d", maxDepth)
	}
	return nil
}

func (p *parser) leave() { p.depth-- }

// body reads nodes up to a tag with one of the given names, which it returns,
// its name taken off. No names: up to the end.
func (p *parser) body(until ...string) ([]node, string, error) {
	if err := p.enter(); err != nil {
		return nil, "", err
	}
	defer p.leave()
	var nodes []node
	for len(p.segments) > 0 {
		s := p.segments[0]
		p.segments = p.segments[1:]
		p.line, p.tokens = s.line, s.tokens
		switch s.kind {
		case textSegment:
			nodes = append(nodes, textNode{s.text})
		case printSegment:
			e, err := p.whole()
			if err != nil {
				return nil, "", err
			}
			nodes = append(nodes, printNode{e})
		case tagSegment:
			name := p.peek()
			if name.kind != nameToken {
				return nil, "", p.errorf("{%% %%} without a tag's name")
			}
			p.next()
			if slices.Contains(until, name.text) {
				return nodes, name.text, nil
			}
			some, err := p.tag(name.text)
			if err != nil {
				return nil, "", err
			}
			nodes = append(nodes, some...)
		}
	}
	if len(until) > 0 {
		return nil, "", p.errorf("the template ends where {%% %s %%} is expected", strings.Join(until, " or "))
	}
	return nodes, "", nil
}

func (p *parser) tag(name string) ([]node, error) {
	switch name {
	case "if":
		return p.ifTag()
	case "for":
		return p.forTag()
	case "set":
		return p.setTag()
	case "break":
		return []node{jumpNode{errBreak}}, p.end()
	case "continue":
		return []node{jumpNode{errContinue}}, p.end()
	case "filter":
		filters, err := p.blockFilters()
		if err != nil {
			return nil, err
		}
		body, _, err := p.body("endfilter")
		if err != nil {
			return nil, err
		}
		return []node{filterNode{filters, body}}, p.end()
	case "macro":
		return p.macroTag()
	case "generation": // marks the text that carries loss; prints what it holds
		if err := p.end(); err != nil {
			return nil, err
		}
		nodes, _, err := p.body("endgeneration")
		return nodes, err
	}
	return nil, p.errorf("tag %q is not supported; supported are if, for, set, macro, filter, raw, break, continue, generation", name)
}

func (p *parser) ifTag() ([]node, error) {
	var n ifNode
	for name := "if"; name != "endif"; {
		if name != "else" {
			test, err := p.whole()
			if err != nil {
				return nil, err
			}
			n.tests = append(n.tests, test)
		} else if err := p.end(); err != nil {
			return nil, err
		}
		until := []string{"elif", "else", "endif"}
		if name == "else" {
			until = until[2:]
		}
		p.branches++
		body, next, err := p.body(until...)
		p.branches--
		if err != nil {
			return nil, err
		}
		n.bodies = append(n.bodies, body)
		name = next
	}
	return []node{n}, p.end()
}

func (p *parser) forTag() ([]node, error) {
	var n forNode
	for {
		name, err := p.name()
		if err != nil {
			return nil, err
		}
		n.names = append(n.names, name)
		if !p.accept(",") {
			break
		}
	}
	if !p.acceptName("in") {
		return nil, p.errorf("for without in")
	}
	var err error
	if n.over, err = p.tuple(p.or); err != nil { // no condition: its if belongs to the loop
		return nil, err
	}
	if p.acceptName("if") {
		if n.test, err = p.expression(); err != nil {
			return nil, err
		}
	}
	if p.acceptName("recursive") {
		return nil, p.errorf("recursive loops are not supported")
	}
	if err := p.end(); err != nil {
		return nil, err
	}
	body, next, err := p.body("else", "endfor")
	if err != nil {
		return nil, err
	}
	n.body = body
	if next == "else" {
		if err := p.end(); err != nil {
			return nil, err
		}
		if n.none, _, err = p.body("endfor"); err != nil {
			return nil, err
		}
	}
	return []node{n}, p.end()
}

func (p *parser) setTag() ([]node, error) {
	var n setNode
	var err error
	for {
		var to target
		if to.name, err = p.name(); err != nil {
			return nil, err
		}
		if p.accept(".") {
			if to.field, err = p.name(); err != nil {
				return nil, err
			}
		}
		n.targets = append(n.targets, to)
		if !p.accept(",") {
			break
		}
	}
	if p.accept("=") {
		if n.value, err = p.tuple(p.expression); err != nil {
			return nil, err
		}
		return []node{n}, p.end()
	}
	if p.peek().is(operatorToken, "|") {
		if n.filters, err = p.filters(blockText{}); err != nil {
			return nil, err
		}
	}
	if err := p.end(); err != nil {
		return nil, err
	}
	if n.body, _, err = p.body("endset"); err != nil {
		return nil, err
	}
	return []node{n}, p.end()
}

// blockFilters reads the filters of a filter block, the first without its bar.
func (p *parser) blockFilters() (expr, error) {
	p.tokens = append([]token{{kind: operatorToken, text: "|"}}, p.tokens...)
	filters, err := p.filters(blockText{})
	if err != nil {
		return nil, err
	}
	return filters, p.end()
}

func (p *parser) macroTag() ([]node, error) {
	var n macroNode
	var err error
	if n.name, err = p.name(); err != nil {
		return nil, err
	}
	if err := p.expect("("); err != nil {
		return nil, err
	}
	for !p.accept(")") {
		if len(n.args) > 0 {
			if err := p.expect(","); err != nil {
				return nil, err
			}
			if p.accept(")") {
				break
			}
		}
		name, err := p.name()
		if err != nil {
			return nil, err
		}
		var value expr
		if p.accept("=") {
			if value, err = p.expression(); err != nil {
				return nil, err
			}
		}
		n.args, n.defaults = append(n.args, name), append(n.defaults, value)
	}
	if err := p.end(); err != nil {
		return nil, err
	}
	if n.body, _, err = p.body("endmacro"); err != nil {
		return nil, err
	}
	p.acceptName(n.name)
	return []node{n}, p.end()
}

// tuple reads values with commas between them, as one list.
func (p *parser) tuple(value func() (expr, error)) (expr, error) {
	e, err := value()
	if err != nil || !p.peek().is(operatorToken, ",") {
		return e, err
	}
	list := listOf{[]expr{e}}
	for p.accept(",") {
		if p.peek().kind == endToken {
			break
		}
		if e, err = value(); err != nil {
			return nil, err
		}
		list.items = append(list.items, e)
	}
	return list, nil
}

// Tokens.

func (p *parser) peek() token {
	if len(p.tokens) == 0 {
		return token{}
	}
	return p.tokens[0]
}

func (p *parser) next() token {
	t := p.peek()
	if len(p.tokens) > 0 {
		p.tokens = p.tokens[1:]
	}
	return t
}

func (t token) is(kind tokenKind, text string) bool { return t.kind == kind && t.text == text }

func (t token) String() string {
	switch t.kind {
	case endToken:
		return "the end"
	case literalToken:
		return fmt.Sprintf("%#v", t.value)
	}
	return t.text
}

func (p *parser) accept(operator string) bool {
	ok := p.peek().is(operatorToken, operator)
	if ok {
		p.next()
	}
	return ok
}

func (p *parser) acceptName(name string) bool {
	ok := p.peek().is(nameToken, name)
	if ok {
		p.next()
	}
	return ok
}

func (p *parser) expect(operator string) error {
	if !p.accept(operator) {
		return p.errorf("found %v, want %s", p.peek(), operator)
	}
	return nil
}

func (p *parser) name() (string, error) {
	if t := p.peek(); t.kind != nameToken {
		return "", p.errorf("found %v, want a name", t)
	}
	return p.next().text, nil
}

func (p *parser) end() error {
	if len(p.tokens) > 0 {
		return p.errorf("unexpected %v", p.peek())
	}
	return nil
}

// whole reads an expression that fills its segment.
func (p *parser) whole() (expr, error) {
	e, err := p.expression()
	if err != nil {
		return nil, err
	}
	return e, p.end()
}
