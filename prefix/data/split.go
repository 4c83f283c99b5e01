package data

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// MinVal is how many validation examples Split wants at least, small files excepted.
const MinVal = 16

// MaxVal is how many it sets aside at most: a validation measures all of them, again and
// again, and the mean of 1000 losses is known to a few hundredths.
const MaxVal = 1000

// Split sets part of the examples aside for validation: share of them (0 is 0.2),
// at least MinVal, at most MaxVal and a third. Exact duplicates are dropped. Examples with the
// same prompt (up to white space, case and how Unicode composes letters) stay on one side, so
// that validation measures what was not seen, and each label has its share on both: the
// record's own, or the completion where there are few different ones ([FewLabels]). The same
// seed gives the same split.
//
// The notes say what was dropped, and where a split could not be made as asked.
func Split(examples []Example, share float64, seed uint64) (train, val []Example, notes []string) {
	examples, notes = Distinct(examples)
	groups := byKey(examples, promptKey)
	if len(groups) < 3 && len(examples) >= 3 {
		groups = byKey(examples, wholeKey)
		notes = append(notes, "almost all examples have the same prompt, so validation has prompts of training in it")
	}
	if share <= 0 {
		share = 0.2
	}
	most := min(len(examples)/3, MaxVal)
	want := min(most, max(MinVal, int(math.Round(share*float64(len(examples))))))
	inVal := make([]bool, len(examples))
	taken := 0
	for _, g := range interleave(groups, examples, seed) {
		if taken >= want {
			break
		}
		if taken+len(g) > most {
			continue // a prompt with so many answers stays in training
		}
		for _, i := range g {
			inVal[i] = true
		}
		taken += len(g)
	}
	for i, e := range examples {
		if inVal[i] {
			val = append(val, e)
		} else {
			train = append(train, e)
		}
	}
	switch {
	case len(val) == 0:
		notes = append(notes, fmt.Sprintf("%s: too few to set any aside for validation", plural(len(examples), "example")))
	case len(val) < want*3/4:
		notes = append(notes, fmt.Sprintf("only %d of the %d validation examples wanted could be set aside: single prompts have many examples", len(val), want))
	case len(val) < MinVal:
		notes = append(notes, fmt.Sprintf("validation has only %s: its loss is a rough guide", plural(len(val), "example")))
	}
	return train, val, notes
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// promptKey is equal for examples that ask the same. An example without a prompt
// asks for all of its text.
func promptKey(e Example) string {
	if e.Shape == Messages {
		before := slices.Clone(e.Messages[:len(e.Messages)-1])
		for i := range before {
			before[i].Content = spelled(before[i].Content)
		}
		return joinMessages(before)
	}
	if e.Prompt == "" {
		return wholeKey(e)
	}
	return "p" + spelled(e.Prompt)
}

// spelled is a text as it reads: prompts that differ in white space, in case, or in how
// Unicode composes their letters, ask the same.
func spelled(text string) string {
	return norm.NFC.String(strings.ToLower(strings.Join(strings.Fields(text), " ")))
}

// mostLabels is the most different completions that count as labels.
const mostLabels = 30

// FewLabels are the different completions, white space around them left out, in the order in
// which they come, where they are labels: at most 30, of three examples each on average.
// Else nil.
func FewLabels(completions []string) (labels []string) {
	seen := map[string]bool{}
	for _, c := range completions {
		if c = strings.TrimSpace(c); seen[c] {
			continue
		}
		seen[c] = true
		if labels = append(labels, c); len(labels) > mostLabels {
			return nil
		}
	}
	if 3*len(labels) > len(completions) {
		return nil
	}
	return labels
}

// Answer is what is learned: the completion, or a conversation's last turn.
func (e Example) Answer() string {
	if e.Shape == Messages {
		return e.Messages[len(e.Messages)-1].Content
	}
	return e.Completion
}

// WithAnswer is the example with another answer.
func (e Example) WithAnswer(answer string) Example {
	if e.Shape == Messages {
		e.Messages = slices.Clone(e.Messages)
		e.Messages[len(e.Messages)-1].Content = answer
	} else {
		e.Completion = answer
	}
	return e
}

// Answers are what the examples teach.
func Answers(examples []Example) []string {
	all := make([]string, len(examples))
	for i, e := range examples {
		all[i] = e.Answer()
	}
	return all
}

// strata are the labels by which examples are divided: the records' own, else their answers
// where these are labels, else all the same.
func strata(examples []Example) []string {
	all := make([]string, len(examples))
	few := Labels(examples) == nil && FewLabels(Answers(examples)) != nil
	for i, e := range examples {
		all[i] = e.Label
		if few {
			all[i] = strings.TrimSpace(e.Answer())
		}
	}
	return all
}

// Apart takes from train what asks the same as an example of held, which comes from a file
// of its own: what is measured was not seen. The note says how many that were.
func Apart(train, held []Example, what string) (rest []Example, notes []string) {
	asked := map[string]bool{}
	for _, e := range held {
		asked[promptKey(e)] = true
	}
	for _, e := range train {
		if !asked[promptKey(e)] {
			rest = append(rest, e)
		}
	}
	if n := len(train) - len(rest); n > 0 {
		notes = append(notes, fmt.Sprintf("%s left out: the %s file asks the same", plural(n, "example"), what))
	}
	return rest, notes
}

func wholeKey(e Example) string {
	if e.Shape == Messages {
		return joinMessages(e.Messages)
	}
	return fmt.Sprintf("e%q%s", e.Prompt, e.Completion)
}

func joinMessages(ms []Message) string {
	var b strings.Builder
	for _, m := range ms {
		fmt.Fprintf(&b, "m%q%q", m.Role, m.Content)
	}
	return b.String()
}

// Distinct drops exact duplicates; the note says which.
func Distinct(examples []Example) (kept []Example, notes []string) {
	seen := map[string]bool{}
	var dropped []int
	for _, e := range examples {
		key := wholeKey(e)
		if seen[key] {
			dropped = append(dropped, e.Line)
			continue
		}
		seen[key] = true
		kept = append(kept, e)
	}
	if dropped != nil {
		notes = append(notes, fmt.Sprintf("%s dropped (%s)", plural(len(dropped), "exact duplicate"), lineList(dropped, len(dropped))))
	}
	return kept, notes
}

// byKey gathers the indices of examples with equal keys, in order of appearance.
func byKey(examples []Example, key func(Example) string) [][]int {
	at := map[string]int{}
	var groups [][]int
	for i, e := range examples {
		k := key(e)
		g, ok := at[k]
		if !ok {
			g = len(groups)
			at[k] = g
			groups = append(groups, nil)
		}
		groups[g] = append(groups[g], i)
	}
	return groups
}

// interleave shuffles the groups so that every start of the result has each label's
// share: the i-th of a label's m groups gets the place (i + u)/m with one random u
// a label (systematic sampling).
func interleave(groups [][]int, examples []Example, seed uint64) [][]int {
	rng := rand.New(rand.NewPCG(seed, 0x53706c6974)) // a stream of its own: "Split"
	rng.Shuffle(len(groups), func(i, j int) { groups[i], groups[j] = groups[j], groups[i] })
	labels := strata(examples)
	label := func(g []int) string { return labels[g[0]] }
	count := map[string]int{}
	for _, g := range groups {
		count[label(g)]++
	}
	offset := map[string]float64{}
	for _, l := range slices.Sorted(maps.Keys(count)) {
		offset[l] = 0.25 + 0.5*rng.Float64()
	}
	type placed struct {
		at    float64
		group []int
	}
	next := map[string]int{}
	order := make([]placed, len(groups))
	for i, g := range groups {
		l := label(g)
		order[i] = placed{(float64(next[l]) + offset[l]) / float64(count[l]), g}
		if count[l] == 1 && len(count) > 1 {
			order[i].at = 1 // the only one of its label is for training
		}
		next[l]++
	}
	slices.SortStableFunc(order, func(a, b placed) int {
		switch {
		case a.at < b.at:
			return -1
		case a.at > b.at:
			return 1
		}
		return 0
	})
	for i, p := range order {
		groups[i] = p.group
	}
	return groups
}
