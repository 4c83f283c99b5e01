package ui

import (
	"slices"

	"prelude/ui/wire"
)

// The answers that a run gave while it learned are kept with it: the slider over its steps is
// there again when the run is shown.

// liveRecord is the prompts of a run with the bare model's answers and those of each round;
// "" is one that was not asked.
type liveRecord struct {
	Prompts []wire.Example `json:"prompts"`
	Base    []string       `json:"base"`
	Rounds  []roundRecord  `json:"rounds"`
}

// roundRecord is the answers after a number of steps, by prompt.
type roundRecord struct {
	Step    int      `json:"step"`
	Answers []string `json:"answers"`
}

// mostRounds is how many rounds are kept of a run: of a longer one, rounds as far apart as
// that takes, and the last.
const mostRounds = 60

// record is nil before the first round is whole.
func (l *live) record() *liveRecord {
	rounds := slices.DeleteFunc(slices.Clone(l.rounds), func(r round) bool { return !r.done })
	if len(rounds) == 0 {
		return nil
	}
	texts := func(all []*answer) (list []string) {
		for _, w := range all {
			text := ""
			if w != nil && w.done {
				text = w.text.String()
			}
			list = append(list, text)
		}
		return list
	}
	x := &liveRecord{Prompts: slices.Clone(l.prompts), Base: texts(l.base)}
	apart := (len(rounds) + mostRounds - 1) / mostRounds
	for i, r := range rounds {
		if i%apart == 0 || i == len(rounds)-1 {
			x.Rounds = append(x.Rounds, roundRecord{r.step, texts(r.answers)})
		}
	}
	return x
}

// whole says whether every list is as long as it has to be.
func (x *liveRecord) whole() bool {
	n := len(x.Prompts)
	return n > 0 && n <= wire.LivePrompts && len(x.Base) == n && !slices.ContainsFunc(x.Rounds, func(r roundRecord) bool { return len(r.Answers) != n })
}

// recallLive shows the answers of the run that stands on the page, where its examples are in
// place and none is under way; a run without any has the page's prompts, not yet asked.
func (a *App) recallLive() {
	l := &a.live
	if a.run.active() || a.data.set == nil || len(l.prompts) == 0 {
		return
	}
	l.restart()
	x := a.run.live
	if x == nil || !x.whole() || a.run.hash != a.data.set.Hash {
		return
	}
	kept := func(text string) *answer {
		if text == "" {
			return nil
		}
		w := &answer{asked: true, done: true}
		w.text.WriteString(text)
		return w
	}
	base := make([]*answer, len(x.Prompts))
	for i, p := range x.Prompts {
		if base[i] = kept(x.Base[i]); base[i] != nil {
			continue
		}
		if at := slices.IndexFunc(l.prompts, func(q wire.Example) bool { return q.Prompt == p.Prompt }); at >= 0 {
			base[i] = l.base[at]
		}
	}
	l.prompts, l.base = slices.Clone(x.Prompts), base
	for _, r := range x.Rounds {
		all := round{step: r.Step, done: true}
		for _, text := range r.Answers {
			all.answers = append(all.answers, kept(text))
		}
		l.rounds = append(l.rounds, all)
	}
}
