package data

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
)

func utf16Bytes(s string, order binary.AppendByteOrder, mark bool) []byte {
	var b []byte
	if mark {
		b = order.AppendUint16(b, 0xfeff)
	}
	for _, u := range utf16.Encode([]rune(s)) {
		b = order.AppendUint16(b, u)
	}
	return b
}

// line writes an example as "line:prompt→completion".
func line(e Example) string {
	if e.Shape == Messages {
		var b strings.Builder
		fmt.Fprintf(&b, "%d:", e.Line)
		for _, m := range e.Messages {
			fmt.Fprintf(&b, "[%s %s]", m.Role, m.Content)
		}
		return b.String()
	}
	return fmt.Sprintf("%d:%s→%s", e.Line, e.Prompt, e.Completion)
}

const good = `{"prompt":"a","completion":"b"}`

func TestParse(t *testing.T) {
	tests := []struct {
		name    string
		in      string
		want    []string // examples
		errors  []string // parts of them, in order
		notes   []string // parts of them, in order
		noNotes bool
	}{
		{name: "lines", in: good + "\n" + `{"prompt":"c","completion":"d"}` + "\n", want: []string{"1:a→b", "2:c→d"}, noNotes: true},
		{name: "text", in: `{"text":"all of it"}`, want: []string{"1:→all of it"}, noNotes: true},
		{name: "text and label", in: `{"text":"fine","label":"pos"}`, want: []string{"1:fine\nLabel:→ pos"}, noNotes: true},
		{name: "label first", in: `{"label":"pos","text":"fine"}`, want: []string{"1:fine\nLabel:→ pos"}},
		{name: "source and target", in: `{"source":"Haus","target":"house"}`, want: []string{"1:Haus\n→house"}, noNotes: true},
		{name: "instruction", in: `{"instruction":"Add","input":"1 2","output":"3"}`, want: []string{"1:Add\n\n1 2\n→3"}, noNotes: true},
		{name: "instruction without input", in: `{"instruction":"Hi","input":null,"output":"yo"}` + "\n" + `{"instruction":"Hi","output":"yo"}`, want: []string{"1:Hi\n→yo", "2:Hi\n→yo"}, noNotes: true},
		{name: "tokens and tags", in: `{"tokens":["EU","rejects","German","call"],"tags":["B-ORG","O","B-MISC","O"]}` + "\n" + `{"tokens":["so"],"tags":["O"]}`,
			want: []string{"1:EU rejects German call\nEntities:→ EU | ORG ; German | MISC", "2:so\nEntities:→ none"}},
		{name: "messages", in: `{"messages":[{"role":"system","content":"s"},{"role":"user","content":"u"},{"role":"assistant","content":"a"}]}`,
			want: []string{"1:[system s][user u][assistant a]"}, noNotes: true},
		{name: "prompt and completion as messages", in: `{"prompt":[{"role":"user","content":"u"}],"completion":[{"role":"assistant","content":"a"}]}`,
			want: []string{"1:[user u][assistant a]"}, noNotes: true},

		{name: "byte-order mark", in: "\ufeff" + good, want: []string{"1:a→b"}, noNotes: true},
		{name: "joined files with marks", in: good + "\n\ufeff" + good, want: []string{"1:a→b", "2:a→b"}},
		{name: "crlf", in: good + "\r\n\r\n" + good + "\r\n" + "x", want: []string{"1:a→b", "3:a→b"}, errors: []string{"line 4: is not a JSON object"}},
		{name: "lone cr", in: good + "\r" + good + "\rx", want: []string{"1:a→b", "2:a→b"}, errors: []string{"line 3: is not"}},
		{name: "line separators inside a text", in: "{\"prompt\":\"a\u2028b\u2029c\",\"completion\":\"d\u0085e\"}\n" + good, want: []string{"1:a\u2028b\u2029c→d\u0085e", "2:a→b"}},
		{name: "blank lines", in: "\n \t\n" + good + "\n\n\n", want: []string{"3:a→b"}},
		{name: "list", in: "[" + good + ",\n" + good + "]", want: []string{"1:a→b", "2:a→b"}, noNotes: true},
		{name: "pretty list", in: "[\n  {\n    \"prompt\": \"a\",\n    \"completion\": \"b\"\n  },\n  {\n    \"prompt\": \"c\",\n    \"completion\": \"d\"\n  }\n]\n", want: []string{"2:a→b", "6:c→d"}, noNotes: true},
		{name: "pretty objects", in: "{\n \"prompt\": \"a\",\n \"completion\": \"b\"\n}\n{\n \"prompt\": \"c\",\n \"completion\": \"d\"\n}", want: []string{"1:a→b", "5:c→d"}, noNotes: true},
		{name: "commas after lines", in: good + ",\n" + good + ",\n", want: []string{"1:a→b", "2:a→b"}},
		{name: "two on a line", in: good + good, want: []string{"1:a→b", "1:a→b"}},
		{name: "a bad item of a list on one line", in: `[` + good + `,{"prompt":"c" "completion":"d"},null,3,` + good + `]`, want: []string{"1:a→b", "1:a→b"},
			errors: []string{`line 1: is not valid JSON: want a comma or "}", found '"'`, "an item of the list is null", "an item of the list is a number"}},
		{name: "a bad pretty object", in: "{\n  \"prompt\": \"a\"\n  \"completion\": \"b\"\n}\n" + good, want: []string{"5:a→b"},
			errors: []string{`line 1: is not valid JSON: want a comma or "}", found '"' (in line 3)`}},

		{name: "a bad pretty object with another inside", in: "[\n  {\n    \"prompt\" \"a\",\n    \"more\":\n    {\n      \"text\": \"b\"\n    }\n  },\n  {\n    \"text\": \"c\"\n  }\n]", want: []string{"9:→c"},
			errors: []string{`line 2: is not valid JSON: want a colon after "prompt", found '"' (in line 3)`}},

		{name: "numbers with signs", in: `{"text":-0.5,"label":1e-5}` + "\n" + `{"text":2E+3,"label":0}`, want: []string{"1:-0.5\nLabel:→ 1e-5", "2:2E+3\nLabel:→ 0"}},
		{name: "bad numbers", in: `{"text":01}` + "\n" + `{"text":1.}` + "\n" + `{"text":-}` + "\n" + `{"text":1e}`, errors: []string{`found '1'`, "want a digit", "want a digit", "want a digit"}},
		{name: "number and boolean", in: `{"text":1.50,"label":true}` + "\n" + `{"text":12345678901234567890,"label":1e5}`, want: []string{"1:1.50\nLabel:→ true", "2:12345678901234567890\nLabel:→ 1e5"},
			notes: []string{`"text" is a number and was taken as text (lines 1, 2)`, `"label" is a boolean`, `"label" is a number`}},
		{name: "null", in: `{"prompt":"a","completion":null}`, errors: []string{`line 1: "completion" is null, want text`}},
		{name: "list for text", in: `{"prompt":["a"],"completion":"b"}`, errors: []string{`"prompt" is a list, want text`}},
		{name: "missing key", in: strings.Repeat(good+"\n", 16) + `{"prompt":"a"}`, want: slices.Collect(func(yield func(string) bool) {
			for i := range 16 {
				if !yield(fmt.Sprintf("%d:a→b", i+1)) {
					return
				}
			}
		}), errors: []string{`line 17: "completion" is missing`}},
		{name: "empty completion", in: `{"prompt":"a","completion":" "}`, errors: []string{`"completion" is empty: there is nothing to learn`}},
		{name: "empty label", in: `{"text":"a","label":""}`, errors: []string{`"label" is empty`}},
		{name: "empty prompt", in: `{"prompt":"","completion":"b"}`, want: []string{"1:→b"}},
		{name: "unknown keys", in: `{"riddle":"a","reply":"b"}`, errors: []string{`its keys are "riddle", "reply"; want those of one of {"prompt","completion"} {"prompt","chosen","rejected"} {"messages"}`}},
		{name: "examples in a wrapper", in: `{"data":[` + good + `]}`, errors: []string{`the list under "data" holds the examples`}},
		{name: "single message", in: `{"role":"user","content":"a"}`, errors: []string{`is a single message`}},
		{name: "empty object", in: `{}`, errors: []string{`is an empty object`}},
		{name: "unused key", in: `{"id":7,"prompt":"a","completion":"b"}`, want: []string{"1:a→b"}, notes: []string{`the key "id" is not used (line 1)`}},
		{name: "duplicate key", in: `{"prompt":"a","prompt":"c","completion":"b"}`, errors: []string{`the key "prompt" is there twice`}},
		{name: "mixed shapes", in: good + "\n" + `{"text":"t"}` + "\n" + good, want: []string{"1:a→b", "2:→t", "3:a→b"},
			notes: []string{`the file mixes formats: 2 × {"prompt","completion"}, 1 × {"text"}`}},

		{name: "no JSON", in: "hello there\n" + good, want: []string{"2:a→b"}, errors: []string{`line 1: is not a JSON object: it starts with "hello there"`}},
		{name: "a list a line", in: `["a","b"]` + "\n" + good, want: []string{"2:a→b"}, errors: []string{`line 1: is a list, not an object`}},
		{name: "single quotes", in: `{'prompt': 'a'}`, errors: []string{"JSON wants double quotes"}},
		{name: "trailing comma", in: `{"prompt":"a","completion":"b",}` + "\n" + good, want: []string{"2:a→b"}, errors: []string{`want a key in double quotes, found '}'`}},
		{name: "line break in a text", in: "{\"prompt\":\"a\",\"completion\":\"b\nc\"}\n" + good, want: []string{"3:a→b"},
			errors: []string{`line 1: is not valid JSON: a text in quotes is not closed at the end of its line`, `line 2: is not a JSON object`}},
		{name: "bad escape", in: `{"prompt":"C:\dir","completion":"b"}`, errors: []string{`"\\d" is no escape of JSON`}},
		{name: "text after the object", in: good + " and more\n" + good, want: []string{"1:a→b", "2:a→b"}, errors: []string{`line 1: is not a JSON object: it starts with "and more"`}},
		{name: "cut off in a text", in: good + "\n" + `{"prompt":"a","comple`, want: []string{"1:a→b"}, errors: []string{"line 2: the file ends in the middle of this example: it was cut off"}},
		{name: "cut off after a comma", in: good + "\n" + `{"prompt":"a",` + "\n", want: []string{"1:a→b"}, errors: []string{"line 2: the file ends in the middle"}},
		{name: "cut off pretty object", in: "[\n  {\n    \"prompt\": \"a\",\n    \"com", errors: []string{"line 2: the file ends in the middle", "line 4: the file ends before the list that opens in line 1 is closed"}},
		{name: "cut off list", in: "[" + good + ",\n" + good + ",\n", want: []string{"1:a→b", "2:a→b"}, errors: []string{"the file ends before the list that opens in line 1 is closed"}},
		{name: "cut off in the middle", in: `{"prompt":"a"` + "\n" + good, want: []string{"2:a→b"}, errors: []string{"line 1: is not valid JSON: want a comma"}},

		{name: "nul", in: `{"prompt":"a\u0000","completion":"b"}`, want: []string{"1:a\x00→b"}, notes: []string{"a NUL character was kept (line 1)"}},
		{name: "raw control characters", in: "{\"prompt\":\"a\tb\x00\",\"completion\":\"c\"}", want: []string{"1:a\tb\x00→c"}, notes: []string{"a control character inside a text was kept (line 1)", "a NUL"}},
		{name: "surrogate pair", in: `{"prompt":"\ud83d\ude00","completion":"b"}`, want: []string{"1:😀→b"}, noNotes: true},
		{name: "lone surrogates", in: `{"prompt":"\ud83d!\ude00","completion":"b"}`, want: []string{"1:�!�→b"}, notes: []string{"half a character (a lone surrogate) became � (line 1)"}},
		{name: "escapes", in: `{"prompt":"\"\\\/\b\f\n\r\t\u00e9","completion":"b"}`, want: []string{"1:\"\\/\b\f\n\r\té→b"}, noNotes: true},
		{name: "invalid UTF-8", in: good + "\n{\"prompt\":\"é\xff\",\"completion\":\"b\"}", want: []string{"1:a→b", "2:é�→b"}, notes: []string{"1 byte not valid in UTF-8 became � (line 2)"}},
		{name: "Windows-1252", in: "{\"prompt\":\"caf\xe9 \x80\",\"completion\":\"b\"}", want: []string{"1:café €→b"}, notes: []string{"read as Windows-1252"}},
		{name: "deep", in: strings.Repeat(`{"a":`, 10000) + "\n" + good, want: []string{"2:a→b"}, errors: []string{"line 1: is not valid JSON: nested more than 64 levels deep"}},

		{name: "content as parts", in: `{"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"},"c"]},{"role":"assistant","content":"d"}]}`, want: []string{"1:[user abc][assistant d]"}, noNotes: true},
		{name: "picture as part", in: `{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{}}]},{"role":"assistant","content":"d"}]}`, errors: []string{`message 1 has a part of "content" that is no text (image_url)`}},
		{name: "null content", in: `{"messages":[{"role":"user","content":"u"},{"role":"assistant","content":null,"tool_calls":[]},{"role":"tool","content":4},{"role":"assistant","content":"d"}]}`,
			want: []string{"1:[user u][assistant ][tool 4][assistant d]"}, notes: []string{`a message's key "tool_calls" is not used`, `"content" is null was taken as empty`, `"content" is a number`, "of several answers"}},
		{name: "no answer", in: `{"messages":[{"role":"user","content":"u"}]}`, errors: []string{`the last message is from "user"`}},
		{name: "empty answer", in: `{"messages":[{"role":"assistant","content":null}]}`, errors: []string{`the last message is empty`}},
		{name: "no messages", in: `{"messages":[]}`, errors: []string{`"messages" is empty`}},
		{name: "messages as text", in: `{"messages":"hi"}`, errors: []string{`"messages" is text, want a list`}},
		{name: "message without role", in: `{"messages":[{"content":"u"}]}`, errors: []string{`message 1 has no "role"`}},
		{name: "message without content", in: `{"messages":[{"role":"user"}]}`, errors: []string{`message 1 has no "content"`}},
		{name: "message as text", in: `{"messages":["u"]}`, errors: []string{`message 1 is text`}},
		{name: "content as object", in: `{"messages":[{"role":"user","content":{}}]}`, errors: []string{`message 1 is wrong: "content" is an object`}},

		{name: "uneven tags", in: `{"tokens":["a","b"],"tags":["O"]}`, errors: []string{`"tokens" has 2 items and "tags" 1`}},
		{name: "tags as numbers", in: `{"tokens":["a"],"tags":[0]}`, errors: []string{`item 1 of "tags" is a number, want a tag's name`}},
		{name: "tokens as text", in: `{"tokens":"a","tags":["O"]}`, errors: []string{`"tokens" is text, want a list`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			set, err := Parse("x.jsonl", []byte(test.in), Options{})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range set.Examples {
				got = append(got, line(e))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("examples\n%q, want\n%q", got, test.want)
			}
			var errs []string
			for _, e := range set.Errors {
				errs = append(errs, e.Error())
			}
			checkParts(t, "errors", errs, test.errors)
			if test.notes != nil || test.noNotes {
				checkParts(t, "notes", set.Notes, test.notes)
			}
		})
	}
}

func checkParts(t *testing.T, what string, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s %q, want %q", what, got, want)
		return
	}
	for i := range got {
		if !strings.Contains(got[i], want[i]) {
			t.Errorf("%s[%d] is %q, want %q in it", what, i, got[i], want[i])
		}
	}
}

func TestParseRefuses(t *testing.T) {
	random := make([]byte, 4096)
	for i := range random {
		random[i] = byte(i*i*31>>3 ^ i*7)
	}
	tests := []struct {
		name, file, in, want string
	}{
		{"empty", "x.jsonl", "", `data: "x.jsonl" is empty`},
		{"blank", "x.jsonl", "\ufeff \r\n\n", "is empty"},
		{"binary", "x.jsonl", string(random), "is no text"},
		{"zip", "x.jsonl", "PK\x03\x04rest", "zip archive"},
		{"gzip", "x.jsonl", "\x1f\x8b\x08", "gzip"},
		{"pdf", "x.txt", "%PDF-1.7", "PDF"},
		{"parquet", "x", "PAR1\x00", "Parquet"},
		{"UTF-32", "x.jsonl", "\xff\xfe\x00\x00{\x00\x00\x00", "UTF-32"},
		{"csv", "x.csv", "name,age\na,b\n", `is a table with the columns {name}, {age}: say which of them holds the prompt`},
		{"csv by another name", "x.jsonl", "prompt;x;prompt\na;b;c\n", `names the column "prompt" twice`},
		{"too large", "x.jsonl", strings.Repeat(good+"\n", 10), `has 320 bytes, and at most 300 bytes are read`},
		{"too many errors", "x.jsonl", strings.Repeat("x\n", 60), `has more than 50 bad lines; the first is line 1: is not a JSON object`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			opts := Options{MaxErrors: 50}
			if test.name == "too large" {
				opts.MaxBytes = 300
			}
			_, err := Parse(test.file, []byte(test.in), opts)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q in it", err, test.want)
			}
		})
	}
}

// Files that are slow to read if any step looks at the rest of the file each time.
func TestParseTakesLinearTime(t *testing.T) {
	if testing.Short() {
		t.Skip("reads up to 1 MB a case")
	}
	n := 1 << 20
	if runtime.GOARCH == "wasm" {
		n /= 4 // one thread, and slower
	}
	fill := func(s string) string { return strings.Repeat(s, n/len(s)) }
	for name, in := range map[string]string{
		"bad objects on one line":       fill(`{"a" }`),
		"bad items of a list":           "[{}" + fill(`,null`),
		"bad items on one line":         "[{}" + fill(`,{"a" }`),
		"opening braces":                fill("{"),
		"opening braces on lines":       fill("{\n"),
		"indented braces":               fill("  {\n {\n{\n"),
		"objects that never close":      fill(`{"a":[{},` + "\n"),
		"brackets":                      fill("["),
		"an open text":                  `{"text":"` + fill("a"),
		"other keys in every record":    keyed(n),
		"a record with a great many":    `{"text":"a"` + fill(`,"b":1`) + "}",
		"records with as many as go":    fill(`{"text":"a",` + keys(maxKeys-1) + "}\n"),
		"backslashes":                   `{"text":"` + fill(`\\`),
		"carriage returns":              fill("\r" + good),
		"lines without anything":        good + fill("\n"),
		"one number":                    `{"text":` + fill("1") + "}",
		"one list":                      `{"messages":[` + fill("1,") + "1]}",
		"unpaired surrogates in UTF-16": string(utf16Bytes(good, binary.LittleEndian, true)) + fill("\x00\xd8"),
	} {
		start := time.Now()
		_, err := Parse("x.jsonl", []byte(in), Options{})
		if took := time.Since(start); took > 10*time.Second { // a hundred times what it takes
			t.Errorf("%s: %v (%v)", name, took, err)
		}
	}
}

func TestParseBounds(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"values", `{"messages":[` + strings.Repeat("1,", maxValues) + "1]}", "one object with more than 524288 values"},
		{"keys", "{" + keys(maxKeys+1) + "}", "an object with more than 256 keys"},
	} {
		set, err := Parse("x.jsonl", []byte(test.in), Options{})
		if err != nil || len(set.Errors) != 1 || !strings.Contains(set.Errors[0].Message, test.want) {
			t.Errorf("%s: %v, errors %v, want %q", test.name, err, set.Errors, test.want)
		}
	}
	set, err := Parse("x.jsonl", []byte(keyed(1<<14)), Options{})
	if err != nil || len(set.Notes) != maxNotes+1 || !strings.HasPrefix(set.Notes[maxNotes], "more was changed") {
		t.Errorf("%v, %d notes %q", err, len(set.Notes), set.Notes[len(set.Notes)-1])
	}
}

func keys(n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"%x":0`, i)
	}
	return b.String()
}

func keyed(size int) string {
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, "{\"text\":\"a\",\"%d\":0}\n", i)
	}
	return b.String()
}

func BenchmarkParse(b *testing.B) {
	record := `{"prompt": "name : The Wrestlers | customer rating : 3 out of 5", "completion": "Come eat at the \"Wrestlers\" ."}` + "\n"
	content := []byte(strings.Repeat(record, 10000))
	b.SetBytes(int64(len(content)))
	for b.Loop() {
		if _, err := Parse("x.jsonl", content, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func TestParseHundredMegabytes(t *testing.T) {
	_, err := Parse("big.jsonl", make([]byte, 100<<20), Options{})
	if err == nil || !strings.Contains(err.Error(), "has 100 MiB, and at most 64 MiB are read") {
		t.Errorf("error %v", err)
	}
}

func TestParseUTF16(t *testing.T) {
	text := `{"prompt":"Grüße, 世界 😀","completion":"b"}` + "\r\n" + good
	want := []string{"1:Grüße, 世界 😀→b", "2:a→b"}
	chinese := `{"text":"` + strings.Repeat("世界人民", 200) + `"}`
	for _, test := range []struct {
		name string
		in   []byte
		want []string
		note string
	}{
		{"little endian, mark", utf16Bytes(text, binary.LittleEndian, true), want, "UTF-16"},
		{"big endian, mark", utf16Bytes(text, binary.BigEndian, true), want, "UTF-16"},
		{"little endian", utf16Bytes(text, binary.LittleEndian, false), want, "UTF-16"},
		{"big endian", utf16Bytes(text, binary.BigEndian, false), want, "UTF-16"},
		{"hardly any ASCII", utf16Bytes(chinese, binary.LittleEndian, false), []string{"1:→" + strings.Repeat("世界人民", 200)}, "UTF-16"},
		{"half a unit", append(utf16Bytes(text, binary.LittleEndian, true), '!'), want, "half a character: it was cut off"},
		{"lone surrogate", append(utf16Bytes(text+"\n"+`{"text":"`, binary.BigEndian, true), "\xd8\x00\x00\"\x00}"...), append(slices.Clone(want), "3:→�"), "1 half character (lone surrogates) became �"},
	} {
		t.Run(test.name, func(t *testing.T) {
			set, err := Parse("x.jsonl", test.in, Options{})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range set.Examples {
				got = append(got, line(e))
			}
			if !slices.Equal(got, test.want) || len(set.Errors) > 0 {
				t.Errorf("%q %v, want %q", got, set.Errors, test.want)
			}
			if !strings.Contains(strings.Join(set.Notes, "\n"), test.note) {
				t.Errorf("notes %q, want %q in them", set.Notes, test.note)
			}
		})
	}
}

func TestParseDocument(t *testing.T) {
	for _, test := range []struct {
		name, file, in string
		want           string
		shape          Shape
	}{
		{"text", "notes.txt", "One.\r\nTwo.\rThree.", "One.\nTwo.\nThree.", Document},
		{"markdown", "README.MD", "# Title\n", "# Title\n", Document},
		{"text that starts with a brace", "x.txt", "{sic} they said", "{sic} they said", Document},
		{"UTF-16 text", "x.txt", string(utf16Bytes("Plain words in a row.", binary.LittleEndian, false)), "Plain words in a row.", Document},
		{"records named as text", "x.txt", good + "\n", "", PromptCompletion},
	} {
		t.Run(test.name, func(t *testing.T) {
			set, err := Parse(test.file, []byte(test.in), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if set.Document != test.want || set.Shape != test.shape {
				t.Errorf("%q %q, want %q %q", set.Shape, set.Document, test.shape, test.want)
			}
		})
	}
}

// FuzzParse: nothing panics, and every line that is not blank belongs to an example
// or to an error (brackets and commas of a list excepted).
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		good + "\n" + good, "[" + good + "," + good + "]", "{\n\"text\": \"a\"\n}\n{\n\"text\" 1\n}\n",
		`{"messages":[{"role":"user","content":[{"type":"text","text":"a"}]},{"role":"assistant","content":"b"}]}`,
		`{"tokens":["a","b"],"tags":["B-X","I-X"]}`, "[{},null,[1],\n{\"a\":", "\ufeff,{}\r]\r\n{\"text\":\"\\ud800\"}",
		"\xff\xfe{\x00}\x00", "{\"text\":\"\xff\"}", "[[{", "x\n[\n{", "{\n{\n{",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		set, err := Parse("x.jsonl", content, Options{})
		if err != nil {
			return
		}
		covered := map[int]bool{}
		cover := func(from, to int) {
			if from < 1 || to < from {
				t.Fatalf("lines %d to %d", from, to)
			}
			for i := from; i <= to; i++ {
				covered[i] = true
			}
		}
		for _, e := range set.Examples {
			cover(e.Line, e.last)
			if e.Shape == Messages && len(e.Messages) == 0 || e.Shape != Messages && e.Completion == "" {
				t.Fatalf("an example with nothing to learn: %+v", e)
			}
		}
		for _, e := range set.Errors {
			if e.Message == "" {
				t.Fatal("an error without a message")
			}
			cover(e.Line, e.Last)
		}
		text, _, _ := decode(content)
		text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
		for i, l := range strings.Split(text, "\n") {
			if !covered[i+1] && strings.Trim(l, gap+"[],") != "" {
				t.Fatalf("line %d, %q, is neither example nor error", i+1, l)
			}
		}
	})
}
