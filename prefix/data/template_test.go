package data

import (
	"reflect"
	"strings"
	"testing"
)

func one(t *testing.T, record string) Example {
	t.Helper()
	set, err := Parse("x.jsonl", []byte(record), Options{})
	if err != nil || len(set.Examples) != 1 {
		t.Fatalf("%v %v", err, set.Errors)
	}
	return set.Examples[0]
}

func TestTemplate(t *testing.T) {
	const review = `{"text":"Good.","label":"pos"}`
	tests := []struct {
		name, template, record string
		prompt, completion     string
		soft                   []Soft
	}{
		{"label", "{text}\nSentiment:{label}", review, "Good.\nSentiment:", "pos", nil},
		{"space goes to the completion", "{text}\nSentiment: {label}", review, "Good.\nSentiment:", " pos", nil},
		{"line end stays", "{text}\n{label}", review, "Good.\n", "pos", nil},
		{"literal after the answer", "{text} => {label}!", review, "Good. =>", " pos!", nil},
		{"field after the answer", "Label: {label}\n{text}", review, "Label:", " pos\nGood.", nil},
		{"soft slots", "{prefix:10}{text}{prefix:2} is {label}", review, "Good. is", " pos", []Soft{{0, 0, 10}, {5, 10, 2}}},
		{"braces", "{{{text}}} {label}", review, "{Good.}", " pos", nil},
		{"instruction", "{instruction}|{input}|{output}", `{"instruction":"Do","output":"done"}`, "Do||", "done", nil},
		{"tags", "{tokens}: {tags}", `{"tokens":["a"],"tags":["B-X"]}`, "a:", " a | X", nil},
		{"answer alone", "{completion}", good, "", "b", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tmpl, err := ParseTemplate(test.template)
			if err != nil {
				t.Fatal(err)
			}
			e, err := tmpl.Fill(one(t, test.record))
			if err != nil {
				t.Fatal(err)
			}
			if e.Prompt != test.prompt || e.Completion != test.completion || !reflect.DeepEqual(e.Soft, test.soft) {
				t.Errorf("%q → %q %v, want %q → %q %v", e.Prompt, e.Completion, e.Soft, test.prompt, test.completion, test.soft)
			}
			slots := 0
			for _, s := range test.soft {
				slots += s.Slots
			}
			if tmpl.Slots() != slots {
				t.Errorf("%d slots, want %d", tmpl.Slots(), slots)
			}
		})
	}
}

func TestAsk(t *testing.T) {
	for _, test := range []struct{ template, want string }{
		{"{text}\nSentiment: {label}", "Fine.\nSentiment:"},
		{"Label: {label}\n{text}", "Label:"},
		{"{instruction}\n{input}\n{output}", "Fine.\n\n"},
		{"{text} {text} {label}", "Fine. Fine."},
		{"{completion}", ""},
	} {
		tmpl, err := ParseTemplate(test.template)
		if err != nil {
			t.Fatal(err)
		}
		if e := tmpl.Ask("Fine."); e.Prompt != test.want || e.Completion != "" {
			t.Errorf("%q asks %q → %q, want %q", test.template, e.Prompt, e.Completion, test.want)
		}
	}
}

func TestTemplateErrors(t *testing.T) {
	for template, want := range map[string]string{
		"":                      "has no completion: nothing in it would be learned; add one of {completion}, {chosen}, {answer}, {output}, {target}, {tags}, {label}",
		"{text} only":           "has no completion",
		"{label} {sentiment}":   "{sentiment} is unknown; there are {prompt}, {completion}, {chosen}, {rejected}, {question}, {answer}, {instruction}, {output}, {input}, {source}, {target}, {tokens}, {tags}, {text}, {label} and {prefix:10}",
		"{text":                 "the brace at character 1 is not closed",
		"{text{label}":          "the brace at character 1 is not closed",
		"text} {label}":         "a closing brace without an opening one at character 5",
		"{label}{completion}":   "{completion} is a second completion; it has {label} already",
		"{prefix:0}{label}":     "wants a number of slots from 1 to 4096",
		"{prefix:many}{label}":  "wants a number of slots",
		"{prefix:99999}{label}": "wants a number of slots",
		"{label}{prefix:3}":     "stands after the completion's start",
	} {
		_, err := ParseTemplate(template)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q in it", template, err, want)
		}
	}
}

func TestTemplateWantsOtherRecords(t *testing.T) {
	tmpl, err := ParseTemplate("{text}:{label}")
	if err != nil {
		t.Fatal(err)
	}
	_, err = tmpl.Fill(one(t, "\n\n"+good))
	if want := "line 3: the template wants {text}, and this example has {prompt}, {completion}"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %q", err, want)
	}
	_, err = tmpl.Fill(one(t, `{"messages":[{"role":"assistant","content":"a"}]}`))
	if err == nil || !strings.Contains(err.Error(), "which no template fits") {
		t.Errorf("error %v", err)
	}
}

func TestLabelCandidates(t *testing.T) {
	e := one(t, `{"text":"Good.","label":"pos"}`)
	tmpl, err := ParseTemplate("{text} => {label}.")
	if err != nil {
		t.Fatal(err)
	}
	other, err := tmpl.Fill(e.WithLabel("neg"))
	if err != nil {
		t.Fatal(err)
	}
	if other.Completion != " neg." || other.Label != "neg" {
		t.Errorf("%+v", other)
	}
	if label, _ := e.Field("label"); label != "pos" {
		t.Errorf("the example itself now has the label %q", label)
	}
	if got := e.WithLabel("neg").Completion; got != " neg" {
		t.Errorf("without a template the candidate is %q", got)
	}
	if got := Labels([]Example{other, e, other, {}}); !reflect.DeepEqual(got, []string{"neg", "pos"}) {
		t.Errorf("labels %q", got)
	}
}

func FuzzTemplate(f *testing.F) {
	f.Add("{prefix:10}{text}\nSentiment: {label}")
	f.Add("{{}}{")
	f.Fuzz(func(t *testing.T, s string) {
		tmpl, err := ParseTemplate(s)
		if err != nil {
			return
		}
		if tmpl.answer < 0 || tmpl.answer >= len(tmpl.segments) {
			t.Fatalf("completion starts at segment %d of %d", tmpl.answer, len(tmpl.segments))
		}
		e := Example{Line: 1}
		for _, name := range templateFields() {
			e.fields = append(e.fields, textField{name, "<" + name + ">"})
		}
		e, err = tmpl.Fill(e)
		if err != nil {
			t.Fatal(err)
		}
		for _, soft := range e.Soft {
			if soft.At > len(e.Prompt) {
				t.Fatalf("soft slots at %d of a prompt of %d bytes", soft.At, len(e.Prompt))
			}
		}
	})
}

func TestMissingSpace(t *testing.T) {
	for _, test := range []struct {
		prompt, completion string
		want               bool
	}{
		{"family friendly : yes", "Come eat", true},
		{"Q: Where?\nA:", "Paris", true},
		{"five", "5", true},
		{"yes", " Come", false},
		{"yes\n", "Come", false},
		{"", "Come", false},
		{"你好", "世界", false},
		{"x = foo(", "bar)", false},
		{"yes", ", and", false},
		{"é", "É", true},
	} {
		few := []Example{{Prompt: test.prompt, Completion: test.completion}, {Prompt: "a ", Completion: "b"}}
		if MissingSpace(few) {
			t.Errorf("%q + %q: one of two is most", test.prompt, test.completion)
		}
		examples := []Example{{Prompt: test.prompt, Completion: test.completion}, {Prompt: test.prompt, Completion: test.completion}, {Prompt: "a ", Completion: "b"}}
		if got := MissingSpace(examples); got != test.want {
			t.Errorf("%q + %q: %v", test.prompt, test.completion, got)
		}
		n := AddSpace(examples)
		if want := map[bool]int{true: 2}[test.want]; n != want {
			t.Errorf("%q + %q: %d spaces added, want %d", test.prompt, test.completion, n, want)
		}
		if MissingSpace(examples) {
			t.Errorf("%q + %q: still missing", test.prompt, examples[0].Completion)
		}
	}
}

func TestSpans(t *testing.T) {
	for tags, want := range map[string][]Span{
		"O O":               nil,
		"B-A I-A O B-B":     {{"A", 0, 2}, {"B", 3, 4}},
		"B-A B-A":           {{"A", 0, 1}, {"A", 1, 2}},
		"I-A I-A I-B":       {{"A", 0, 2}, {"B", 2, 3}},
		"B-A I-B I-B":       {{"A", 0, 1}, {"B", 1, 3}},
		"B-A E-A S-B S-B O": {{"A", 0, 2}, {"B", 2, 3}, {"B", 3, 4}},
		"B-A L-A U-B":       {{"A", 0, 2}, {"B", 2, 3}},
		"E-A E-A":           {{"A", 0, 1}, {"A", 1, 2}},
		"PER PER O PER":     {{"PER", 0, 2}, {"PER", 3, 4}},
		"B I O":             {{"", 0, 2}},
		"B-A-B I-A-B":       {{"A-B", 0, 2}},
	} {
		if got := Spans(strings.Fields(tags)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", tags, got, want)
		}
	}
}

func TestEntitiesAsText(t *testing.T) {
	tokens := strings.Fields("New York beats Boston")
	text := FormatEntities(tokens, Spans(strings.Fields("B-LOC I-LOC O B-ORG")))
	if text != "New York | LOC ; Boston | ORG" {
		t.Errorf("%q", text)
	}
	for _, test := range []struct {
		in   string
		want []Entity
		bad  int
	}{
		{text, []Entity{{"New York", "LOC"}, {"Boston", "ORG"}}, 0},
		{" none", nil, 0},
		{"", nil, 0},
		{"a|X;b|;c", []Entity{{"a", "X"}}, 2},
		{"a | b | X", []Entity{{"a | b", "X"}}, 0},
	} {
		if got, bad := ParseEntities(test.in); !reflect.DeepEqual(got, test.want) || bad != test.bad {
			t.Errorf("%q: %v, %d bad", test.in, got, bad)
		}
	}
}
