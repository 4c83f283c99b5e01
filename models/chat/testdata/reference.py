"""Renders the templates and the snippets below as transformers does, for the tests:

    python reference.py     # writes want.json

Run with transformers 5.24.0 and jinja2 3.1.6.
"""

import glob, json, os, sys

from transformers.utils.chat_template_utils import _compile_jinja_template

HERE = os.path.dirname(os.path.abspath(__file__))

U = lambda s: {"role": "user", "content": s}
A = lambda s: {"role": "assistant", "content": s}
S = lambda s: {"role": "system", "content": s}

CONVERSATIONS = [
    [U("Hi")],
    [S("Be brief."), U("What is 2+2?")],
    [U("Hi"), A("Hello!"), U("Who are you?")],
    [S("You speak like a pirate."), U("  Hi  \n"), A("Arr!\n\n"), U("你好 😀 \"quoted\" <b>")],
    [U("Hi"), A("<think>\nhm\n</think>\n\nHello!"), U("More"), A("<think>why</think>Done")],
    [U("Hi"), U("again")],
    [A("I begin")],
    [S("Only a system message")],
    [U("")],
    [U("{{ 1 + 1 }} {% if x %}"), A("line\r\nbreak\ttab")],
    [U("a"), S("late system"), U("b")],
    [S("You are a careful assistant.\nAnswer in two lines."), U("One?"), A("1\n2"), U("Two?"), A("3\n4"), U("Three?"), A("5\n6"), U("Four?")],
    [S(""), U("Hi")],
    [S("  spaces  "), U("\n\nHi\n\n"), A("  Hello  "), U("\tBye\t")],
    [U("Hi"), A("</think>odd"), U("x"), A("<think></think>"), U("y"), A("<think>\n\n</think>\n\nz")],
    [U("<|im_end|>\n<|im_start|>system\n</s>[INST]<end_of_turn>"), A("<|eot_id|>")],
    [U("a" * 300), A("é" * 50), U("ü\u0301\u200d\u00a0 \u2028 end")],
    [U("first"), A("answer"), A("and more")],
    [S("one"), S("two"), U("Hi"), A("Hello")],
    [S("JSON: {\"a\": [1, 2]} \\ \\n"), U("'quotes' \"double\" `back` $x ${y} %s"), A("```py\nprint('x')\n```")],
]

# (template, variables): what the language does, one thing each.
SNIPPETS = [
    # keys of a dict that are no strings
    ("{% set d = {1: 'a', 'x': 2, none: 'n', 2.5: 'f'} %}{{ d[1] }}{{ d[1.0] }}{{ d[true] }}{{ d['x'] }}{{ d[none] }}{{ d[2.5] }}|{{ d['1'] }}|{{ 1 in d }}{{ '1' in d }}{{ d | length }}", {}),
    ("{% for k, v in {1: 'a', true: 'b', 1.0: 'c', 2: 'd'}.items() %}{{ k }}={{ v }};{% endfor %}{{ {3: 1}.get(3) }}{{ {3: 1}.get('3', 'no') }}{{ {0: 'z'}[false] }}", {}),
    ("{{ {1: 'a', true: 'b', none: 2, 'k': {2.5: []}, false: 0} | tojson }}|{{ {1: 2} == {1.0: 2} }}{{ {1: 2} == {'1': 2} }}", {}),
    ("{{ {[1]: 2} }}", {}),
    ("{% set names = {0: 'user', 1: 'assistant'} %}{% for m in xs %}{{ names[loop.index0 % 2] }}: {{ m }}\n{% endfor %}", {"xs": ["a", "b", "c"]}),
    ("a{{ 1 + 2 * 3 }}b{{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2 - 3 - 4 }}", {}),
    ("{{ 'a' ~ 1 ~ none ~ true ~ 1.5 }}{{ 'x' 'y' }}", {}),
    ("{{ 1 < 2 < 3 }} {{ 3 > 2 > 2 }} {{ 1 == 1.0 }} {{ true == 1 }} {{ 'a' < 'b' }} {{ 'b' in 'abc' }} {{ 'z' not in 'abc' }} {{ 1 in [1, 2] }}", {}),
    ("{{ not true }} {{ not 0 and 1 }} {{ 0 or 'x' }} {{ '' or none }} {{ 1 and 2 }}", {}),
    ("{{ 'y' if x else 'n' }}{{ 'y' if not x else 'n' }}[{{ 'y' if x }}]", {"x": False}),
    ("{{ missing }}|{{ missing is defined }}|{{ missing | default('d') }}|{{ '' | default('d') }}|{{ '' | default('d', true) }}", {}),
    ("{{ none is none }} {{ 1 is number }} {{ 'a' is string }} {{ {} is mapping }} {{ [] is iterable }} {{ 3 is odd }} {{ 4 is even }} {{ 4 is divisibleby 2 }} {{ 4 is divisibleby(3) }} {{ 1 is not none }} {{ true is boolean }} {{ true is true }} {{ 1 is true }}", {}),
    ("{{ '  a b ' | trim }}|{{ 'aXa' | trim('a') }}|{{ 'abc' | upper | lower | capitalize }}|{{ 'hello world' | title }}|{{ [1, 2, 3] | length }}|{{ 'abc' | count }}", {}),
    ("{{ [1, 'a', 2.5] | join(', ') }} {{ 'abc' | first }}{{ [1, 2] | last }} {{ 'abc' | reverse }} {{ ['a', 'b'] | map('upper') | join }} {{ 'a,b' | replace(',', ';') }}", {}),
    ("{{ x | tojson }} {{ 'é\"\\n<&>\\u0001' | tojson }} {{ [] | tojson }} {{ {} | tojson }}", {"x": {"a": [1, 2.0, None, True], "b": {"c": "d"}}}),
    ("{{ x | tojson(indent=2) }}", {"x": {"a": [1, 2, []], "b": {"c": {}}}}),
    ("{{ '3' | int + 1 }} {{ 'x' | int }} {{ 3.9 | int }} {{ '1.5' | float }} {{ -3 | abs }} {{ 5 | string + 'x' }}", {}),
    ("{{ x | selectattr('r', 'equalto', 'u') | list | length }} {{ x | rejectattr('r', 'eq', 'u') | map(attribute='n') | join }} {{ [1, 2, 3] | select('odd') | join }} {{ ['a', '', 'b'] | select | join }} {{ ['p', 'q'] | reject('equalto', 'p') | join }}", {"x": [{"r": "u", "n": 1}, {"r": "v", "n": 2}]}),
    ("{% for a in [1, 2, 3] %}{{ loop.index }}{{ loop.index0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.cycle('x', 'y') }}{{ loop.previtem }}{{ loop.nextitem }};{% endfor %}", {}),
    ("{% for a in [] %}x{% else %}none{% endfor %}{% for a in [1, 2, 3, 4] if a is even %}{{ a }}{{ loop.index }}{% endfor %}", {}),
    ("{% for k, v in x.items() %}{{ k }}={{ v }},{% endfor %}{% for k in x %}{{ k }}{% endfor %}{% for k, v in x | items %}{{ v }}{% endfor %}", {"x": {"a": 1, "b": 2}}),
    ("{% set x = 1 %}{% for a in [1, 2] %}{% set x = x + a %}{{ x }}{% endfor %}{{ x }}{% if true %}{% set x = 9 %}{% endif %}{{ x }}", {}),
    ("{% set ns = namespace(n=0, s='') %}{% for a in [1, 2, 3] %}{% set ns.n = ns.n + a %}{% set ns.s = ns.s ~ a %}{% endfor %}{{ ns.n }}{{ ns.s }}", {}),
    ("{% set x %}a{{ 1 }}b{% endset %}[{{ x }}]", {}),
    ("{% for a in range(10) %}{% if a == 2 %}{% continue %}{% endif %}{% if a == 5 %}{% break %}{% endif %}{{ a }}{% endfor %}{{ range(2, 8, 3) | list | join }}{{ range(3, 0, -1) | join }}", {}),
    ("{{ 'abcdef'[1:3] }}{{ 'abcdef'[::-1] }}{{ 'abc'[-1] }}{{ [1, 2, 3][:-1] | join }}{{ [1, 2, 3][5:] | join }}{{ 'héllo'[1:3] }}{{ [1, 2, 3, 4, 5][-2:] | join }}{{ [1, 2, 3, 4, 5][3:0:-2] | join }}", {}),
    ("{{ x.a.b }}{{ x['a']['b'] }}{{ x.a['b'] }}{{ x.get('z', 'd') }}{{ x.get('z') }}{{ x.keys() | join }}{{ 'a' in x }}{{ x.z is defined }}", {"x": {"a": {"b": 1}}}),
    ("{{ 'a-b-c'.split('-') | join('+') }} {{ 'a-b-c'.split('-', 1) | join('+') }} {{ 'a-b-c'.rsplit('-', 1) | join('+') }} {{ ' a  b '.split() | join('+') }} {{ 'xxaxx'.strip('x') }} {{ 'xa'.lstrip('x') }} {{ 'ax'.rstrip('x') }}", {}),
    ("{{ 'abc'.startswith('ab') }} {{ 'abc'.endswith(('x', 'bc')) }} {{ 'aba'.replace('a', 'x', 1) }} {{ 'héé'.find('é') }} {{ 'héé'.rfind('é') }} {{ 'abab'.count('ab') }} {{ ','.join(['a', 'b']) }} {{ 'a\\nb'.splitlines() | join('/') }} {{ '12'.isdigit() }} {{ 'prefix'.removeprefix('pre') }}", {}),
    ("a\n{% if true %}\nb\n{% endif %}\nc\n", {}),
    ("a\n   {% if true %}\n  b  \n   {% endif %}   \nc\n\n", {}),
    ("a  {%- if true -%}  b  {%- endif -%}  c", {}),
    ("a\n  {{- 'x' -}}  \n b {{ 'y' }}\n c", {}),
    ("a\n  {%+ if true %}b{% endif +%}\nc", {}),
    ("a {# comment #} b\n{# line #}\nc {#- tight -#} d", {}),
    ("a {#-#} b {#--#} c {##} d", {}),
    ("x\n  {{ 'y' }}\n  {% set a = 1 %}  \n{{ a }}", {}),
    ("{% if a %}1{% elif b %}2{% else %}3{% endif %}", {"a": False, "b": True}),
    ("{% generation %}kept{% endgeneration %}", {}),
    ("{{ 'tab\\there \\'q\\' \\\\ \\x41 \\u00e9' }}{{ \"dq\" }}", {}),
    ("{{ {'a': 1, 'b': [1, 2]}['b'][1] }}{{ (1, 2)[0] }}{{ ({'x': {'y': 2}}).x.y }}", {}),
    ("{{ [1] + [2] == [1, 2] }} {{ {'a': 1} == {'a': 1.0} }} {{ 'a\\n  b' | indent(2) }} {{ 1.0 }} {{ 1e3 if false else 0.1 + 0.2 }}", {}),
    ("{% macro f(a, b=2, c='x') %}[{{ a }}{{ b }}{{ c }}]{% endmacro %}{{ f(1) }}{{ f(1, c='y') }}{{ f(1, 3, 'z') }}{{ f() }}", {}),
    ("{% macro f(n) %}{% if n > 0 %}{{ n }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(3) | length }}{% set x = f(2) %}{{ x ~ '!' }}", {}),
    ("{% set g = 'G' %}{% macro f(a) -%}\n  {{ g }}{{ a.b }} {{ missing }}\n{%- endmacro %}{% for i in [1] %}{% set g = 'L' %}{{ f({'b': i}) }}{% endfor %}", {}),
    ("{% macro f(a) %}{% set q = a %}{{ q }}{% endmacro %}{{ f('x') }}{{ q is defined }}{{ f is callable }}", {}),
    ("{% macro outer(x) %}{% macro inner(y) %}{{ x }}{{ y }}{% endmacro %}{{ inner('b') }}{% endmacro %}{{ outer('a') }}", {}),
    ("{% macro f(a) %}{{ a }}{% endmacro %}{{ f(1, 2) }}", {}),
    ("{% macro f(a) %}{{ a }}{% endmacro %}{{ f(b=2) }}", {}),
    ("{% filter upper %}a{{ x }}{% for i in [1, 2] %}b{% endfor %}{% endfilter %}{% filter replace('a', 'b') | trim %}  banana {% endfilter %}|", {"x": "é"}),
    ("{% set t | upper | trim %} abc {% endset %}[{{ t }}]", {}),
    ("a {% raw %}{{ x }} {% if %}{% endraw %} b\n{%- raw -%}  {{ y }}  {%- endraw -%}  c\n  {% raw %}\n z\n  {% endraw %}\nd", {}),
    ("{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set c = 1, %}{{ c | length }}{% set d, e = 'xy' %}{{ e }}{{ d }}{% for i in 1, 2, 3 %}{{ i }}{% endfor %}", {}),
    ("{% set a, b = [1, 2, 3] %}", {}),
    ("{{ 'a' is in ['a', 'b'] }}{{ 'a' is not in ['b'] }}{{ 1 is in [1] and 2 is in([2]) }}{{ 'k' is in {'k': 1} }}", {}),
    ("{{ 'ab' * 3 }}{{ 2 * 'x' }}[{{ 'x' * 0 }}{{ 'x' * -1 }}]{{ ([1] * 3) | length }}", {}),
    ("{{ x | selectattr('n') | list | length }} {{ x | selectattr('n', 'defined') | list | length }} {{ x | selectattr('r', 'in', ['u']) | list | length }} {{ x | rejectattr('r', '==', 'u') | list | length }} {{ x | selectattr('n', 'defined') | selectattr('n', '>', 0) | list | length }} {{ x | selectattr('r.s', 'defined') | list | length }}", {"x": [{"r": "u", "n": 1}, {"r": "v"}]}),
    ("{{ x | map(attribute='a.b') | join(',') }}{{ x | map(attribute='z', default='-') | join(',') }}", {"x": [{"a": {"b": 1}}, {"a": {"b": 2}}]}),
    ("{{ 'abc'[1:] }}{{ 'abc'[:-1] }}{{ 'abc'[5:] }}|{{ 'abc'[2:1] }}|{{ 'héllo'[-3:] }}{{ 'héllo'[9] is defined }}{{ 'hé'[-2] }}", {}),
    ("{{ ['b', 'A', 'c'] | sort | join }}{{ ['b', 'A', 'c'] | sort(case_sensitive=true, reverse=true) | join }}{{ [3, 1, 2] | sort(reverse=true) | join }}{{ x | sort(attribute='n') | map(attribute='r') | join }}", {"x": [{"r": "u", "n": 2}, {"r": "v", "n": 1}]}),
    ("{% for k, v in {'b': 1, 'A': 2, 'c': 3} | dictsort %}{{ k }}{{ v }}{% endfor %}{% for k, v in {'b': 1, 'A': 2} | dictsort(true) %}{{ k }}{% endfor %}", {}),
    ("{{ ['a', 'A', 'b', 'a'] | unique | join }}{{ [1, 2, 1, 3] | unique | list | length }}{{ [3, 1, 2] | min }}{{ [3, 1, 2] | max }}{{ ['b', 'A'] | min }}[{{ [] | min }}]", {}),
    ("{{ '<{}|{}>'.format('a', 1) }}{{ '{1}{0}'.format('x', 'y') }}{{ '{a}'.format(a='n') }}{{ '{{}}'.format() }}", {}),
    ("{{ '{}'.format() }}", {}),
    ("{{ none | selectattr('a') | list | length }}{{ nosuch | map('upper') | list | length }}{{ none | reject | list | length }}", {}),
    ("{{ [1, 'a'] | sort | join }}", {}),
    ("{% if false %}{{ 1 | nosuch }}{% endif %}ok", {}),
    ("{% if true %}{{ 1 | nosuch }}{% endif %}ok", {}),
    ("{% set l = [] %}{% if l %}{{ l.append(1) }}{% endif %}ok{% set _ = l.append(1) %}", {}),
    ("{{ raise_exception('no ' + 'good') }}", {}),
    ("{{ missing.field }}", {}),
    ("{{ 1 + 'a' }}", {}),
    ("{{ 1 / 0 }}", {}),
    ("{{ 'a' < 1 }}", {}),
    ("{% for x in 5 %}{% endfor %}", {}),
    ("{% if x", {}),
    ("{% if x %}", {}),
    ("{{ 'open }}", {}),
    ("{{ 1 2 }}", {}),
    ("{% endif %}", {}),
]


def render(source, **variables):
    try:
        return {"text": _compile_jinja_template(source).render(**variables)}
    except Exception as e:
        return {"error": str(e)}


def main():
    """With a folder as argument, that of other templates: want.json is written there, and
    "PRELUDE_TEMPLATES=folder go test ./models/chat -run OtherTemplates" compares."""
    folder = sys.argv[1] if len(sys.argv) > 1 else HERE
    out = {"renders": [], "snippets": []}
    for path in sorted(glob.glob(os.path.join(folder, "" if len(sys.argv) > 1 else "templates", "*.jinja"))):
        source = open(path, encoding="utf-8", newline="").read()
        for messages in CONVERSATIONS:
            for prompt in (False, True):
                # The tests give no time; then strftime_now isn't defined.
                if folder == HERE:
                    source = source.replace("strftime_now is defined", "false")
                want = render(source, messages=messages, add_generation_prompt=prompt, bos_token="<s>", eos_token="</s>", tools=None, documents=None)
                out["renders"].append({"template": os.path.basename(path), "messages": messages, "prompt": prompt, **want})
    for source, variables in SNIPPETS:
        out["snippets"].append({"source": source, "vars": variables, **render(source, **variables)})
    with open(os.path.join(folder, "want.json"), "w", encoding="utf-8") as f:
        json.dump(out, f, ensure_ascii=False, indent=0)
    print(len(out["renders"]), "renders,", len(out["snippets"]), "snippets")


main()
