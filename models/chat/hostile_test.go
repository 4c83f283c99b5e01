package chat

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"prelude/models/hostile"
)

// grown is a template that lets a text, or a list, double n times.
func grown(start, step string, n int) string {
	return fmt.Sprintf("{%% set ns = namespace(s=%s) %%}{%% for a in range(%d) %%}{%% set ns.s = %s %%}{%% endfor %%}", start, n, step)
}

// full repeats a piece up to nearly the longest template that is read.
func full(piece string) string { return strings.Repeat(piece, (maxTemplate-1000)/len(piece)) }

const many = "{% set l = range(100000) %}{% for i in range(100000) %}"

// kinds are templates that ask for all the time or memory there is, by kind.
var kinds = map[string]string{
	"nested loops":            "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
	"endless range":           "{{ range(1000000000000) | length }}",
	"range past the largest":  "{{ range(9223372036854775000, 9223372036854775807, 800) | length }}{{ range(-9223372036854775000, -9223372036854775808, -800) | length }}",
	"text added":              grown("'x'", "ns.s + ns.s", 1000),
	"text joined by ~":        grown("'x'", "ns.s ~ ns.s", 1000),
	"text times a number":     "{{ 'x' * 1000000000000 }}",
	"number times a text":     grown("'x'", "1000 * ns.s", 1000),
	"list times a number":     "{{ [1] * 1000000000000 }}",
	"format":                  grown("'x'", "'{}{}'.format(ns.s, ns.s)", 1000),
	"format of braces":        grown("'{{}}'", "ns.s.format() + ns.s + ns.s", 1000),
	"sorted many times":       many + "{% set s = l | sort %}{% endfor %}",
	"unique":                  "{{ range(100000) | unique | list | length }}",
	"dictsort":                grown("{'a': 1, 'b': 2}", "{'a': ns.s, 'b': ns.s}", 30) + many + "{% set s = ns.s | dictsort %}{% endfor %}",
	"list added":              grown("['x']", "ns.s + ns.s", 1000),
	"replace":                 grown("'x'", "ns.s.replace('x', 'xx')", 1000),
	"replace of nothing":      grown("'x'", "ns.s.replace('', 'xx')", 1000),
	"filter replace":          grown("'x'", "ns.s | replace('x', 'xx')", 1000),
	"tojson of a tree":        grown("['x']", "[ns.s, ns.s]", 100) + "{{ ns.s | tojson }}",
	"tojson of a tower":       grown("['x']", "[ns.s]", 100000) + "{{ ns.s | tojson }}",
	"tojson indented":         grown("['x']", "[ns.s, ns.s]", 90) + "{{ ns.s | tojson(indent=100) }}",
	"tojson many times":       grown("'\"'", "ns.s | tojson", 1000),
	"dicts in dicts":          grown("{'a': 1}", "{'a': ns.s, 'b': ns.s}", 100) + "{{ ns.s | tojson }}",
	"equal trees":             "{% set ns = namespace(a=1, b=1) %}{% for i in range(100) %}{% set ns.a = [ns.a, ns.a] %}{% set ns.b = [ns.b, ns.b] %}{% endfor %}{{ ns.a == ns.b }}",
	"equal towers":            "{% set ns = namespace(a=1, b=1) %}{% for i in range(50000) %}{% set ns.a = [ns.a] %}{% set ns.b = [ns.b] %}{% endfor %}{{ ns.a == ns.b }}",
	"block set":               "{% set x %}{% for a in range(100000) %}{{ '" + strings.Repeat("a", 2000) + "' }}{% endfor %}{% endset %}{{ x }}",
	"block sets inside":       "{% for a in range(100000) %}{% set x %}{{ x }}{{ 'aaaaaaaaaaaaaaaa' }}{% endset %}{% endfor %}",
	"printed loops":           "{% for a in range(100000) %}{% for b in range(100000) %}" + strings.Repeat("text ", 1000) + "{% endfor %}{% endfor %}",
	"reverse":                 many + "{% set x = l|reverse %}{% endfor %}",
	"reverse of a text":       grown("'x'", "(ns.s + ns.s) | reverse", 1000),
	"length of a text":        grown("'x'", "ns.s + ns.s", 18) + "{% for i in range(100000) %}{{ ns.s | length }}{% endfor %}",
	"list":                    many + "{% set x = l|list %}{% endfor %}",
	"in a list":               many + "{{ -1 in l }}{% endfor %}",
	"in a text":               grown("'x'", "ns.s + ns.s", 18) + "{% for i in range(100000) %}{{ 'y' in ns.s }}{% endfor %}",
	"split":                   grown("'x,'", "ns.s + ns.s", 17) + "{% for i in range(100000) %}{% set x = ns.s.split(',') %}{% endfor %}",
	"split at white space":    grown("'x '", "ns.s + ns.s", 20) + "{% for i in range(100000) %}{% set x = ns.s.split() %}{% endfor %}",
	"rsplit":                  grown("'x,'", "ns.s + ns.s", 17) + "{% for i in range(100000) %}{% set x = ns.s.rsplit(',', 1) %}{% endfor %}",
	"splitlines":              grown("'\\n'", "ns.s + ns.s", 20) + "{{ ns.s.splitlines() | length }}{{ ns.s | indent(1000) }}",
	"strip of many":           grown("'x'", "ns.s + ns.s", 18) + "{% for i in range(100000) %}{% set x = ns.s.strip(ns.s) %}{% endfor %}",
	"find and count":          grown("'x'", "ns.s + ns.s", 18) + "{% for i in range(100000) %}{{ ns.s.find('y') }}{{ ns.s.count('xxxx') }}{% endfor %}",
	"startswith many":         grown("['x']", "ns.s + ns.s", 15) + "{% for i in range(100000) %}{{ 'y'.startswith(ns.s) }}{% endfor %}",
	"upper and title":         grown("'x'", "(ns.s + ns.s) | title | upper", 1000),
	"equal texts":             grown("'x'", "ns.s + ns.s", 18) + "{% set t = ns.s + 'y' %}{% set u = ns.s + 'z' %}{% for i in range(100000) %}{{ t == u }}{{ t < u }}{% endfor %}",
	"items and keys":          "{% set d = dict() %}{% for i in range(100000) %}{% set x = messages[0].items() %}{% set x = messages[0].keys() %}{% endfor %}",
	"map":                     many + "{% set x = l|map('string')|list %}{% endfor %}",
	"map with a filter":       grown("['xx']", "ns.s + ns.s", 10) + "{% for i in range(100000) %}{% set x = ns.s | map('indent', 1000, true) | join %}{% endfor %}",
	"select":                  many + "{% set x = l|select('in', l)|list %}{% endfor %}",
	"selectattr":              many + "{% set x = messages|selectattr('role', 'in', l)|list %}{% endfor %}",
	"attribute path":          grown("'a.'", "ns.s + ns.s", 16) + many + "{% set x = messages|map(attribute=ns.s)|list %}{% endfor %}{% endfor %}",
	"join":                    grown("'x'", "[ns.s, ns.s] | join(ns.s)", 1000),
	"slices":                  many + "{% set x = l[1:] %}{% endfor %}",
	"slices of a text":        grown("'x'", "ns.s + ns.s", 18) + "{% for i in range(100000) %}{% set x = ns.s[1:] %}{% set y = ns.s[::-1] %}{% endfor %}",
	"a character of a text":   grown("'x'", "ns.s + ns.s", 18) + "{% for i in range(100000) %}{% set x = ns.s[-1] %}{% endfor %}",
	"loop over a text":        grown("'x'", "ns.s + ns.s", 22) + "{% for c in ns.s %}{% endfor %}",
	"first and last":          grown("'x'", "ns.s + ns.s", 18) + "{% for i in range(100000) %}{{ ns.s|first }}{{ ns.s|last }}{% endfor %}",
	"strings side by side":    "{{ " + full("'a' ") + "}}",
	"long sum":                "{{ 1" + full("+1") + " }}",
	"long or":                 "{{ 0" + full(" or 0") + " }}",
	"long chain of filters":   "{{ 'a'" + full("|list") + " }}",
	"long chain of fields":    "{{ messages" + full("[0]") + " }}",
	"long list":               "{% for i in range(100000) %}{% set x = [" + full("1,") + "] %}{% endfor %}",
	"deep brackets":           "{{ " + full("(") + "1 }}",
	"deep ifs":                full("{% if x %}"),
	"many tags":               full("{{x}}"),
	"many comments":           full("{##}"),
	"open brackets":           full("{"),
	"too long":                strings.Repeat(" ", 1<<21),
	"open strings":            full("{{ '"),
	"macro that calls itself": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
	"macros that double":      "{% macro f(n) %}{% if n > 0 %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}x{% endmacro %}{{ f(40) }}",
	"macros that grow":        "{% macro f(s, n) %}{% if n > 0 %}{{ f(s + s, n - 1) }}{% endif %}{{ s }}{% endmacro %}{{ f('x', 40) }}",
	"filter block":            "{% for i in range(100000) %}{% filter indent(1000, true) %}{% for i in range(1000) %}a\n{% endfor %}{% endfilter %}{% endfor %}",
	"raw blocks":              full("{% raw %}{{{% endraw %}"),
	"raw without end":         full("{% raw %}"),
	"namespaces":              "{% set ns = namespace() %}{% for i in range(1000000) %}{% set x = namespace(ns) %}{% endfor %}",
	"dates":                   "{% for i in range(1000000) %}{{ strftime_now('" + strings.Repeat("%A", 10000) + "') }}{% endfor %}",
	"cut by default":          "{% for i in range(1000000) %}{% if true %}{% if true %}{{ messages }}x{% endif %}{% endif %}{% endfor %}",
}

// TestHostile: each kind ends within 5 s and 500 MB, refused or done, and what was
// refused for its cost costs nothing a second time.
func TestHostile(t *testing.T) {
	if len(kinds) < 60 {
		t.Fatalf("%d kinds, want at least 60", len(kinds))
	}
	if out := os.Getenv("HOSTILE_OUT"); out != "" { // for the page's own test, e2e/engine/hostile.spec.mjs
		text, err := json.Marshal(kinds)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(out, text, 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	for kind, source := range kinds {
		t.Run(kind, func(t *testing.T) {
			hostile.Within(t, 5*time.Second, 500<<20, func() {
				tmpl, err := Parse(source)
				if err != nil {
					return
				}
				in := Input{Messages: []Message{{"system", "s"}, {"user", "u"}, {"assistant", "a"}}, Now: time.Unix(0, 0)}
				_, err = tmpl.Render(in)
				tmpl.DefaultSystem(in)
				if err == nil || !beyond(err) {
					return
				}
				start := time.Now()
				for range 1000 {
					if _, err := tmpl.Render(in); err == nil {
						t.Error("renders after all")
					}
				}
				if took := time.Since(start); took > time.Second { // rendered each time it would take a thousand limits of 2 s
					t.Errorf("refused a thousand times in %v", took)
				}
			})
		})
	}
}
