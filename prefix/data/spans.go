package data

import (
	"fmt"
	"strings"
)

// A Span is an entity: the tokens Start to End (exclusive) are of that type.
type Span struct {
	Type       string
	Start, End int
}

// Spans reads the entities from BIO tags as the CoNLL-2000 scorer (conlleval) does:
// "B-X" starts one, "I-X" goes on with one of the same type or starts one, "E-X"
// and "L-X" end one, "S-X" and "U-X" are one. A tag without a type, like "B", has
// the type "".
func Spans(tags []string) []Span {
	var out []Span
	open := -1
	before, beforeType := "O", ""
	for i := 0; i <= len(tags); i++ {
		mark, typ := "O", ""
		if i < len(tags) {
			mark, typ = splitTag(tags[i])
		}
		ends := before != "O" && (mark == "O" || mark == "B" || mark == "S" || before == "E" || before == "S" || typ != beforeType)
		if ends && open >= 0 {
			out = append(out, Span{beforeType, open, i})
			open = -1
		}
		if mark != "O" && open < 0 {
			open = i
		}
		before, beforeType = mark, typ
	}
	return out
}

func splitTag(tag string) (mark, typ string) {
	mark, typ, _ = strings.Cut(tag, "-")
	switch mark {
	case "L":
		mark = "E"
	case "U":
		mark = "S"
	case "B", "I", "E", "S":
	case "O", "":
		return "O", ""
	default: // "PER" alone: its neighbours of the same type are one entity
		return "I", tag
	}
	return mark, typ
}

// noEntities stands for an empty list, so that there is something to learn.
const noEntities = "none"

// FormatEntities writes entities as text to learn: "EU | ORG ; German | MISC", or
// "none".
func FormatEntities(tokens []string, spans []Span) string {
	if len(spans) == 0 {
		return noEntities
	}
	var b strings.Builder
	for i, s := range spans {
		if i > 0 {
			b.WriteString(" ; ")
		}
		fmt.Fprintf(&b, "%s | %s", strings.Join(tokens[s.Start:s.End], " "), s.Type)
	}
	return b.String()
}

// An Entity is one "text | TYPE" of a generated answer.
type Entity struct{ Text, Type string }

// ParseEntities reads what FormatEntities writes, as a model writes it: pieces
// that are no "text | TYPE" are left out, and counted in bad.
func ParseEntities(answer string) (entities []Entity, bad int) {
	answer = strings.TrimSpace(answer)
	if answer == "" || strings.EqualFold(answer, noEntities) {
		return nil, 0
	}
	for piece := range strings.SplitSeq(answer, ";") {
		at := strings.LastIndex(piece, "|")
		if at < 0 {
			bad++
			continue
		}
		e := Entity{strings.TrimSpace(piece[:at]), strings.TrimSpace(piece[at+1:])}
		if e.Text == "" || e.Type == "" {
			bad++
			continue
		}
		entities = append(entities, e)
	}
	return entities, bad
}
