package chat

import "strings"

// An expr is an expression that has a value.
type expr interface {
	value(*run) (any, error)
}

type (
	literal struct{ v any }
	name    struct{ name string }
	// blockText is the text that the filters of a block begin with.
	blockText struct{}
	listOf    struct{ items []expr }
	dictOf    struct{ keys, values []expr }
	choice    struct{ test, yes, no expr } // no may be nil
	logic     struct {
		or          bool
		left, right expr
	}
	not    struct{ of expr }
	minus  struct{ of expr }
	binary struct {
		op          string
		left, right expr
	}
	compare struct { // a < b <= c
		first expr
		ops   []string
		rest  []expr
	}
	index struct {
		of, key expr
		dot     bool // of.key rather than of['key']
	}
	slice  struct{ of, from, to, step expr } // bounds may be nil
	filter struct {
		name string
		of   expr
		args arguments
	}
	test struct {
		name    string
		of      expr
		args    arguments
		negated bool
	}
	call struct {
		of   expr
		args arguments
	}
	arguments struct {
		values []expr
		names  []string // of keyword arguments
		named  []expr
	}
)

// expression reads a value with its condition: a if b else c.
func (p *parser) expression() (expr, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	for p.acceptName("if") {
		c := choice{yes: e}
		if c.test, err = p.or(); err != nil {
			return nil, err
		}
		if p.acceptName("else") {
			if c.no, err = p.expression(); err != nil {
				return nil, err
			}
		}
		e = c
	}
	return e, nil
}

func (p *parser) or() (expr, error) {
	left, err := p.and()
	for err == nil && p.acceptName("or") {
		var right expr
		right, err = p.and()
		left = logic{true, left, right}
	}
	return left, err
}

func (p *parser) and() (expr, error) {
	left, err := p.not()
	for err == nil && p.acceptName("and") {
		var right expr
		right, err = p.not()
		left = logic{false, left, right}
	}
	return left, err
}

func (p *parser) not() (expr, error) {
	if !p.acceptName("not") {
		return p.compare()
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	e, err := p.not()
	return not{e}, err
}

func (p *parser) compare() (expr, error) {
	first, err := p.sum()
	c := compare{first: first}
	for err == nil {
		op := ""
		switch t := p.peek(); {
		case t.kind == operatorToken && (t.text == "==" || t.text == "!=" || t.text == "<" || t.text == "<=" || t.text == ">" || t.text == ">="), t.is(nameToken, "in"):
			op = p.next().text
		case t.is(nameToken, "not") && len(p.tokens) > 1 && p.tokens[1].is(nameToken, "in"):
			p.next()
			p.next()
			op = "not in"
		}
		if op == "" {
			break
		}
		var right expr
		right, err = p.sum()
		c.ops, c.rest = append(c.ops, op), append(c.rest, right)
	}
	if len(c.ops) == 0 {
		return first, err
	}
	return c, err
}

// The binary operators by precedence, loosest first.
var levels = [][]string{{"+", "-"}, {"~"}, {"*", "/", "//", "%"}}

func (p *parser) sum() (expr, error) { return p.level(0) }

func (p *parser) level(n int) (expr, error) {
	if n == len(levels) {
		return p.unary(true)
	}
	left, err := p.level(n + 1)
	for err == nil {
		op := ""
		for _, o := range levels[n] {
			if p.accept(o) {
				op = o
				break
			}
		}
		if op == "" {
			break
		}
		var right expr
		right, err = p.level(n + 1)
		left = binary{op, left, right}
	}
	return left, err
}

// unary reads a value with its sign; filters apply to the signed value.
func (p *parser) unary(filtered bool) (expr, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	var e expr
	var err error
	switch {
	case p.accept("-"):
		e, err = p.unary(false)
		e = minus{e}
	case p.accept("+"):
		e, err = p.unary(false)
	default:
		e, err = p.primary()
	}
	if err != nil {
		return nil, err
	}
	if e, err = p.postfix(e); err != nil {
		return nil, err
	}
	if p.peek().is(operatorToken, "**") {
		return nil, p.errorf("operator ** is not supported")
	}
	if filtered {
		return p.filters(e)
	}
	return e, nil
}

func (p *parser) primary() (expr, error) {
	t := p.next()
	switch t.kind {
	case literalToken:
		s, ok := t.value.(string)
		if !ok {
			return literal{t.value}, nil
		}
		var all strings.Builder // strings side by side are one
		all.WriteString(s)
		for {
			more, ok := p.peek().value.(string)
			if !ok {
				return literal{all.String()}, nil
			}
			all.WriteString(more)
			p.next()
		}
	case nameToken:
		switch t.text {
		case "true", "True":
			return literal{true}, nil
		case "false", "False":
			return literal{false}, nil
		case "none", "None":
			return literal{nil}, nil
		}
		return name{t.text}, nil
	case operatorToken:
		switch t.text {
		case "(":
			items, comma, err := p.items(")")
			if err != nil {
				return nil, err
			}
			if len(items) == 1 && !comma {
				return items[0], nil
			}
			return listOf{items}, nil
		case "[":
			items, _, err := p.items("]")
			return listOf{items}, err
		case "{":
			return p.dict()
		}
	}
	return nil, p.errorf("found %v, want a value", t)
}

// items reads values up to a closing bracket; comma tells whether any stood
// there.
func (p *parser) items(closing string) (items []expr, comma bool, err error) {
	for !p.accept(closing) {
		if len(items) > 0 {
			if err := p.expect(","); err != nil {
				return nil, false, err
			}
			comma = true
			if p.accept(closing) {
				break
			}
		}
		e, err := p.expression()
		if err != nil {
			return nil, false, err
		}
		items = append(items, e)
	}
	return items, comma, nil
}

func (p *parser) dict() (expr, error) {
	var d dictOf
	for !p.accept("}") {
		if len(d.keys) > 0 {
			if err := p.expect(","); err != nil {
				return nil, err
			}
			if p.accept("}") {
				break
			}
		}
		k, err := p.expression()
		if err != nil {
			return nil, err
		}
		if err := p.expect(":"); err != nil {
			return nil, err
		}
		v, err := p.expression()
		if err != nil {
			return nil, err
		}
		d.keys, d.values = append(d.keys, k), append(d.values, v)
	}
	return d, nil
}

// postfix reads what follows a value: .name, [key], [a:b], (arguments).
func (p *parser) postfix(e expr) (expr, error) {
	for {
		switch {
		case p.accept("."):
			t := p.next()
			if n, ok := t.value.(int64); ok && t.kind == literalToken {
				e = index{e, literal{n}, true}
				continue
			}
			if t.kind != nameToken {
				return nil, p.errorf("found %v, want a name", t)
			}
			e = index{e, literal{t.text}, true}
		case p.accept("["):
			var err error
			if e, err = p.subscript(e); err != nil {
				return nil, err
			}
		case p.accept("("):
			args, err := p.arguments()
			if err != nil {
				return nil, err
			}
			if err := p.knownCall(e); err != nil {
				return nil, err
			}
			e = call{e, args}
		default:
			return e, nil
		}
	}
}

func (p *parser) subscript(of expr) (expr, error) {
	var bounds [3]expr
	n := 0
	for {
		if t := p.peek(); !t.is(operatorToken, ":") && !t.is(operatorToken, "]") {
			e, err := p.expression()
			if err != nil {
				return nil, err
			}
			bounds[n] = e
		}
		if n == 2 || !p.accept(":") {
			break
		}
		n++
	}
	if err := p.expect("]"); err != nil {
		return nil, err
	}
	if n > 0 {
		return slice{of, bounds[0], bounds[1], bounds[2]}, nil
	}
	if bounds[0] == nil {
		return nil, p.errorf("[] without a key")
	}
	return index{of, bounds[0], false}, nil
}

func (p *parser) arguments() (arguments, error) {
	var a arguments
	for !p.accept(")") {
		if len(a.values)+len(a.named) > 0 {
			if err := p.expect(","); err != nil {
				return a, err
			}
			if p.accept(")") {
				break
			}
		}
		keyword := ""
		if len(p.tokens) > 1 && p.tokens[0].kind == nameToken && p.tokens[1].is(operatorToken, "=") {
			keyword = p.next().text
			p.next()
		}
		e, err := p.expression()
		if err != nil {
			return a, err
		}
		if keyword == "" {
			a.values = append(a.values, e)
		} else {
			a.names, a.named = append(a.names, keyword), append(a.named, e)
		}
	}
	return a, nil
}

// filters reads | name(arguments) and is [not] name(arguments).
func (p *parser) filters(e expr) (expr, error) {
	for {
		switch {
		case p.accept("|"):
			name, err := p.name()
			if err != nil {
				return nil, err
			}
			if filters[name] == nil && p.branches == 0 {
				return nil, p.errorf("%w", unknownFilter(name))
			}
			f := filter{name: name, of: e}
			if p.accept("(") {
				if f.args, err = p.arguments(); err != nil {
					return nil, err
				}
			}
			e = f
		case p.acceptName("is"):
			t := test{of: e, negated: p.acceptName("not")}
			var err error
			if t.name, err = p.name(); err != nil {
				return nil, err
			}
			if tests[t.name] == nil {
				return nil, p.errorf("test %q is not supported; supported are %s", t.name, names(tests))
			}
			if p.accept("(") {
				if t.args, err = p.arguments(); err != nil {
					return nil, err
				}
			} else if next := p.peek(); next.kind == literalToken || next.kind == nameToken && !reserved[next.text] || next.is(operatorToken, "[") || next.is(operatorToken, "{") {
				arg, err := p.primary() // is divisibleby 3
				if err != nil {
					return nil, err
				}
				if arg, err = p.postfix(arg); err != nil {
					return nil, err
				}
				t.args.values = []expr{arg}
			}
			e = t
		default:
			return e, nil
		}
	}
}

// reserved names end a test without an argument.
var reserved = map[string]bool{"and": true, "or": true, "not": true, "if": true, "else": true, "is": true, "in": true}

// knownCall refuses calls of functions and methods that aren't there.
func (p *parser) knownCall(of expr) error {
	switch f := of.(type) {
	case name:
		if !globalNames[f.name] && !p.macros[f.name] {
			return p.errorf("function %q is not supported; supported are %s", f.name, strings.Join(sortedNames(globalNames), ", "))
		}
	case index:
		if key, ok := f.key.(literal); ok && f.dot {
			if method, ok := key.v.(string); ok && !methodNames[method] {
				return p.errorf("method %q is not supported; supported are %s", method, strings.Join(sortedNames(methodNames), ", "))
			}
		}
	default:
		return p.errorf("only functions and methods can be called")
	}
	return nil
}
