package webgpu

import (
	"embed"
	"fmt"
	"strconv"
	"strings"

	"prelude/engine"
)

//go:embed wgsl/*.wgsl
var files embed.FS

// kind is the type under which a kernel reads the memory behind a port.
type kind uint8

const (
	floats  kind = iota
	vectors      // floats, mostly read four at a time
	ints
	bits   // words, or the bits of floats, which arithmetic might change
	weight // floats of any stored type
)

// port is an argument of a kernel in memory. A port without memory reads as zero and ignores
// writes.
type port struct {
	name  string
	spans []span
	off   int // elements from the value's beginning
	write bool
	kind  kind
	dtype engine.DType
	scale int // of a weight: word at which the scales begin
}

// element is the type of a binding's array.
type element uint8

const (
	elemF32 element = iota
	elemVec4
	elemU32
)

func (e element) String() string { return [...]string{"f32", "vec4<f32>", "u32"}[e] }

// elementOf is the element type of a binding that these ports share.
func elementOf(ports []*port) element {
	vec := true
	for _, p := range ports {
		if p.spans[0].mem.kind == memArgs || p.kind == bits || p.kind == weight && p.dtype != engine.F32 {
			return elemU32
		}
		vec = vec && (p.kind == vectors || p.kind == weight) && p.off%4 == 0
	}
	if vec {
		return elemVec4
	}
	return elemF32
}

// field is a number of the uniform block P of a kernel.
type field struct {
	name  string
	value any // uint32 or float32
}

// constant is a constant of the shader. Sizes of arrays in private memory must be constants,
// so pipeline overrides would not do.
type constant struct {
	name  string
	value any // uint32, bool or float32
}

// source is a kernel's WGSL: uniform block, bindings, accessor functions of each port, and
// the kernel's file with its loops unrolled.
func (l *launch) source(binding [][]int, elems []element, written []bool) string {
	var s strings.Builder
	for flag, line := range map[string]string{"SUBGROUPS": "enable subgroups", "HALF": "enable f16", "EIGHT": "requires packed_4x8_integer_dot_product"} { // no kernel has two
		if l.is(flag) {
			fmt.Fprintf(&s, "%s;\n", line)
		}
	}
	for _, c := range l.consts {
		switch v := c.value.(type) {
		case bool:
			fmt.Fprintf(&s, "const %s: bool = %v;\n", c.name, v)
		case float32:
			fmt.Fprintf(&s, "const %s: f32 = %s;\n", c.name, float(v))
		default:
			fmt.Fprintf(&s, "const %s: u32 = %vu;\n", c.name, v)
		}
	}
	s.WriteString("struct Params {\n")
	for _, f := range l.fields {
		t := "u32"
		if _, ok := f.value.(float32); ok {
			t = "f32"
		}
		fmt.Fprintf(&s, "  %s: %s,\n", f.name, t)
	}
	s.WriteString("}\n@group(0) @binding(0) var<uniform> P: Params;\n@group(0) @binding(1) var<uniform> live: array<vec4<u32>, 16>;\n")
	for i, e := range elems {
		mode := "read"
		if written[i] {
			mode = "read_write"
		}
		fmt.Fprintf(&s, "@group(0) @binding(%d) var<storage, %s> mem%d: array<%v>;\n", i+2, mode, i, e)
	}
	for _, n := range l.counts {
		fmt.Fprintf(&s, "fn %[1]s() -> u32 { return counted(P.%[1]s_dom, P.%[1]s_per, P.%[1]s_all, P.%[1]s_from, P.%[1]s_max); }\n", n)
	}
	for i := range l.ports {
		if len(binding[i]) == 0 {
			absent(&s, &l.ports[i])
		} else {
			accessors(&s, &l.ports[i], binding[i], elems)
		}
	}
	for _, name := range append(l.shared(), l.file) {
		raw, err := files.ReadFile("wgsl/" + name + ".wgsl")
		if err != nil {
			panic(err) // a kernel without its file never passes a test
		}
		s.WriteString(unroll(string(raw), l.consts))
	}
	return s.String()
}

// shared lists the files that precede the kernel's own.
func (l *launch) shared() []string {
	for _, c := range l.consts {
		if c.name == "LANES" {
			return []string{"common", "reduce"}
		}
	}
	return []string{"common"}
}

// is reports whether a flag is set.
func (l *launch) is(flag string) bool {
	for _, c := range l.consts {
		if c.name == flag {
			return c.value == true
		}
	}
	return false
}

func float(v float32) string {
	t := strconv.FormatFloat(float64(v), 'g', 9, 32)
	if !strings.ContainsAny(t, ".e") {
		t += ".0"
	}
	return t + "f"
}

// absent writes the accessors of a port without memory.
func absent(s *strings.Builder, p *port) {
	t := map[kind]string{ints: "i32", bits: "u32"}[p.kind]
	if t == "" {
		t = "f32"
	}
	fmt.Fprintf(s, "fn %s(i: u32) -> %s { return %s(); }\n", p.name, t, t)
	fmt.Fprintf(s, "fn %s4(i: u32) -> vec4<%s> { return vec4<%s>(); }\n", p.name, t, t)
	if p.write {
		fmt.Fprintf(s, "fn set_%s(i: u32, v: %s) {}\n", p.name, t)
	}
}

// accessors writes name(i), name4(i) for four consecutive elements from i (a
// multiple of four where the memory is read as vectors), and set_name(i, v). The port
// lies in one binding or, span by span, in several.
func accessors(s *strings.Builder, p *port, bindings []int, elems []element) {
	n := p.name
	if p.kind == weight && p.dtype != engine.F32 {
		fmt.Fprintf(s, unpackers[p.dtype], n, fmt.Sprintf("mem%d", bindings[0]))
		return
	}
	want := map[kind]string{ints: "i32", bits: "u32"}[p.kind]
	if want == "" {
		want = "f32"
	}
	cast := func(to, from, x string) string {
		if to == from {
			return x
		}
		return fmt.Sprintf("bitcast<%s>(%s)", to, x)
	}
	have := func(b int) string {
		if elems[b] == elemU32 {
			return "u32"
		}
		return "f32"
	}
	at := func(b int, j string) string {
		if elems[b] == elemVec4 {
			return fmt.Sprintf("mem%d[(%s) >> 2u][(%s) & 3u]", b, j, j)
		}
		return cast(want, have(b), fmt.Sprintf("mem%d[%s]", b, j))
	}
	// choose is do's code for the binding of element j.
	choose := func(do func(b int, j string) string) string {
		last := len(bindings) - 1
		if last == 0 {
			return do(bindings[0], "j")
		}
		var t strings.Builder
		for k := range last {
			fmt.Fprintf(&t, "if (j < P.%s_c%d) { %s } else ", n, k+1, do(bindings[k], fmt.Sprintf("j + P.%s_d%d", n, k)))
		}
		fmt.Fprintf(&t, "{ %s }", do(bindings[last], fmt.Sprintf("j + P.%s_d%d", n, last)))
		return t.String()
	}
	fmt.Fprintf(s, "fn %s(i: u32) -> %s { let j = P.%s_o + i; %s }\n", n, want, n,
		choose(func(b int, j string) string { return "return " + at(b, j) + ";" }))
	switch b := bindings[0]; {
	case len(bindings) > 1:
		fmt.Fprintf(s, "fn %[1]s4(i: u32) -> vec4<%[2]s> { return vec4<%[2]s>(%[1]s(i), %[1]s(i + 1u), %[1]s(i + 2u), %[1]s(i + 3u)); }\n", n, want)
	case elems[b] == elemVec4:
		fmt.Fprintf(s, "fn %s4(i: u32) -> vec4<f32> { return mem%d[(P.%s_o + i) >> 2u]; }\n", n, b, n)
	default:
		fmt.Fprintf(s, "fn %s4(i: u32) -> vec4<%s> { let j = P.%s_o + i; return vec4<%s>(%s, %s, %s, %s); }\n", n, want, n, want,
			at(b, "j"), at(b, "j + 1u"), at(b, "j + 2u"), at(b, "j + 3u"))
	}
	if p.write {
		fmt.Fprintf(s, "fn set_%s(i: u32, v: %s) { let j = P.%s_o + i; %s }\n", n, want, n, choose(func(b int, j string) string {
			if elems[b] == elemVec4 {
				return at(b, j) + " = v;"
			}
			return fmt.Sprintf("mem%d[%s] = %s;", b, j, cast(have(b), want, "v"))
		}))
	}
}

// unroll repeats the lines between "//@for i N" and "//@end" with $i = 0 … N−1, N a
// number or a constant, and keeps the lines between "//@if FLAG" (or "!FLAG"),
// "//@else" and "//@end" or leaves them out: what never runs is never compiled.
func unroll(text string, consts []constant) string {
	out, rest := unrollLines(strings.SplitAfter(text, "\n"), consts)
	if len(rest) != 0 {
		panic("webgpu: //@end or //@else without a beginning")
	}
	return out
}

func unrollLines(lines []string, consts []constant) (string, []string) {
	var s strings.Builder
	for len(lines) > 0 {
		line := strings.TrimSpace(lines[0])
		if line == "//@end" || line == "//@else" {
			return s.String(), lines
		}
		word, what, _ := strings.Cut(line, " ")
		switch word {
		case "//@for":
			v, bound, _ := strings.Cut(what, " ")
			body, rest := unrollLines(lines[1:], consts)
			for i := range numberOf(bound, consts) {
				s.WriteString(strings.ReplaceAll(body, "$"+v, strconv.Itoa(i)))
			}
			lines = rest[1:]
		case "//@if":
			name, not := strings.CutPrefix(what, "!")
			yes, rest := unrollLines(lines[1:], consts)
			no := ""
			if strings.TrimSpace(rest[0]) == "//@else" {
				no, rest = unrollLines(rest[1:], consts)
			}
			if (numberOf(name, consts) != 0) != not {
				s.WriteString(yes)
			} else {
				s.WriteString(no)
			}
			lines = rest[1:]
		default:
			s.WriteString(lines[0])
			lines = lines[1:]
		}
	}
	return s.String(), nil
}

// numberOf is a number, or the value of a constant; a flag is 0 or 1.
func numberOf(name string, consts []constant) int {
	for _, c := range consts {
		if c.name == name {
			switch v := c.value.(type) {
			case uint32:
				return int(v)
			case bool:
				return b2i(v)
			}
		}
	}
	n, err := strconv.Atoi(name)
	if err != nil {
		panic("webgpu: unknown constant " + name)
	}
	return n
}
