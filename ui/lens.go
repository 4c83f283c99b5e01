package ui

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"prelude/ui/wire"

	"github.com/vugu/vugu"
)

// lens is the section that shows what a prefix changed in an answer, and where it acts.
type lens struct {
	id     int // the request under way, else 0
	key    string
	prompt string
	answer string
	end    bool        // the answer ended by itself
	before []wire.Turn // the conversation that the answer belongs to

	inspecting int // the request for what the prefix is made of, else 0
	made       *wire.Inspected
	beside     int // how many prefixes were on the shelf then

	found *wire.Looked
	at    int  // the token that is chosen
	over  int  // the token under the pointer and 1, 0 where it is elsewhere
	whole bool // slots are ranked by what the whole answer gave them
	all   bool // every slot is listed
}

func (l *lens) stop() { l.id, l.inspecting = 0, 0 }

// now is the token that is looked at: the one under the pointer, else the chosen one.
func (l *lens) now() int {
	if l.over > 0 {
		return l.over - 1
	}
	return l.at
}

func (l *lens) token() *wire.LookedToken {
	if l.found == nil || l.now() >= len(l.found.Tokens) {
		return nil
	}
	return &l.found.Tokens[l.now()]
}

// see fills the lens with an answer and looks at it.
func (a *App) see(key int, prompt string, w *answer, before []wire.Turn) {
	l := &a.lens
	if key != 0 {
		l.key = itoa(key)
	}
	l.prompt, l.answer, l.end, l.before = prompt, w.text.String(), w.end, before
	a.lookInto()
}

// seeLive looks at an answer that was given while it learned.
func (a *App) seeLive(prompt string, w *answer) {
	key := 0
	if r := a.live.shownRound(); r != nil {
		key = r.key
	}
	a.see(key, prompt, w, nil)
}

// lensKey is the prefix that is looked at: the one in use where none was chosen.
func (a *App) lensKey() int {
	if key, err := strconv.Atoi(a.lens.key); err == nil && a.shelf.item(key) != nil {
		return key
	}
	if x := a.inUse(); x != nil {
		return x.Key
	}
	if n := len(a.shelf.Items); n > 0 {
		return a.shelf.Items[n-1].Key
	}
	return 0
}

// lensText is what stands in the boxes: where nobody wrote there, the prompt that is compared
// and what the data set says to it.
func (a *App) lensText() (prompt, answer string, end bool) {
	l := &a.lens
	if l.prompt != "" || l.answer != "" {
		return l.prompt, l.answer, l.end
	}
	c := &a.compare
	if c.at < len(c.held) && c.held[c.at].Prompt == c.prompt {
		return c.prompt, c.held[c.at].Completion, true
	}
	return c.prompt, "", true
}

// look asks the worker for what the prefix changed in the answer.
func (a *App) lookInto() {
	l := &a.lens
	prompt, answer, end := a.lensText()
	key := a.lensKey()
	switch {
	case a.engine != "ready" || a.model.loaded == nil:
		a.refuse(atLens, say("all.load-a-model-first"), "")
		return
	case key == 0:
		a.refuse(atLens, say("all.there-is-no-prefix"), say("all.train-one-or-import"))
		return
	case prompt == "":
		a.refuse(atLens, say("all.the-prompt-is-empty"), say("lens.write-what-the-answer"))
		return
	}
	a.supersede(l.id)
	l.prompt, l.answer, l.end, l.at, l.over = prompt, answer, end, 0, 0
	l.id = a.ask(atLens, func(id int) wire.Message {
		return wire.Look{ID: id, Key: key, Prompt: prompt, Before: l.before, Answer: answer, End: end}
	}, nil)
}

func (a *App) onLooked(m wire.Looked) {
	l := &a.lens
	if m.ID != l.id {
		return
	}
	delete(a.asked, m.ID)
	l.id, l.found, l.at, l.over = 0, &m, 0, 0
	for i, t := range m.Tokens { // the one that changed most is the one to see first
		if t.KL > m.Tokens[l.at].KL {
			l.at = i
		}
	}
}

// LensPanel shows what a prefix changed and where it acts.
type LensPanel struct{ App *App }

func (c *LensPanel) lens() *lens { return &c.App.lens }

func (c *LensPanel) prompt() string { p, _, _ := c.App.lensText(); return p }
func (c *LensPanel) answer() string { _, w, _ := c.App.lensText(); return w }
func (c *LensPanel) ends() bool     { _, _, e := c.App.lensText(); return e }

// write keeps what a person writes in a box, and what the other box shows.
func (c *LensPanel) write(box int, text string) {
	l := c.lens()
	l.prompt, l.answer, l.end = c.App.lensText()
	if l.before = nil; box == 0 {
		l.prompt = text
	} else {
		l.answer = text
	}
}

func (c *LensPanel) setEnd(on bool) {
	l := c.lens()
	l.prompt, l.answer, _ = c.App.lensText()
	l.end = on
}

func (c *LensPanel) key() string { return itoa(c.App.lensKey()) }

func (c *LensPanel) cannot() bool {
	return c.App.engine != "ready" || c.App.model.loaded == nil || len(c.App.shelf.Items) == 0
}

// chance writes a log-probability in nats as a percentage.
func chance(log float64) string {
	p := 100 * math.Exp(log)
	switch {
	case p < 0.01:
		return "<" + thin + "0.01" + thin + "%"
	case p < 9.95:
		return strconv.FormatFloat(p, 'f', 2, 64) + thin + "%"
	case p > 99.9 && p < 100:
		return strconv.FormatFloat(p, 'f', 2, 64) + thin + "%"
	}
	return strconv.FormatFloat(p, 'f', 1, 64) + thin + "%"
}

// signed writes a difference in nats.
func signed(v float64) string {
	if math.Abs(v) < 0.005 {
		return "±0.00"
	}
	if v < 0 {
		return "−" + strconv.FormatFloat(-v, 'f', 2, 64)
	}
	return "+" + strconv.FormatFloat(v, 'f', 2, 64)
}

func nats(v float64) string { return say("lens.nats", strconv.FormatFloat(v, 'f', 2, 64)) }

// shown is a token's text with its spaces and line breaks to be seen.
func shown(text string) string {
	if text == "" {
		return "…" // a part of a letter, which the next token completes
	}
	mark, rest := space(text)
	return mark + strings.NewReplacer("\n", "↵", "\t", "⇥", "\r", "␍").Replace(rest)
}

// class colours a token by how much its log-probability rose or fell.
func (c *LensPanel) class(i int) string {
	t := c.lens().found.Tokens[i]
	d, way := t.Tuned-t.Base, "up"
	if d < 0 {
		d, way = -d, "down"
	}
	class := "tok"
	for level, from := range []float64{0.1, 0.5, 1.5, 3, 5} {
		if d >= from {
			class = fmt.Sprint("tok ", way, level+1)
		}
	}
	if i == c.lens().at {
		class += " at"
	}
	if t.Special {
		class += " special"
	}
	return class
}

// words says of a token what a colour says.
func (c *LensPanel) words(i int) string {
	t := c.lens().found.Tokens[i]
	return say("lens.by-the-base-model", strings.TrimSpace(shown(t.Text)), chance(t.Base), chance(t.Tuned))
}

func (c *LensPanel) selected(i int) string { return fmt.Sprint(i == c.lens().at) }

func tokenID(i int) string { return "token-" + itoa(i) }

// move goes to another token by the keyboard.
func (c *LensPanel) move(e vugu.DOMEvent) {
	l := c.lens()
	n := len(l.found.Tokens)
	l.over = 0
	switch e.PropString("key") {
	case "ArrowRight", "ArrowDown":
		l.at = min(n-1, l.at+1)
	case "ArrowLeft", "ArrowUp":
		l.at = max(0, l.at-1)
	case "Home":
		l.at = 0
	case "End":
		l.at = n - 1
	default:
		return
	}
	e.PreventDefault()
}

// summary says what happened to the whole answer.
func (c *LensPanel) summary() string {
	f := c.lens().found
	up, down, sum, kl := 0, 0, 0.0, 0.0
	for _, t := range f.Tokens {
		d := t.Tuned - t.Base
		sum += d
		kl += t.KL
		switch {
		case d >= 0.1:
			up++
		case d <= -0.1:
			down++
		}
	}
	n := float64(len(f.Tokens))
	way := say("lens.likelier")
	if sum < 0 {
		way, sum = say("lens.less-likely"), -sum
	}
	s := say("lens.with-this-answer-is", named(f.Name), strconv.FormatFloat(sum, 'f', 1, 64), way, plural(len(f.Tokens), "token"), up, down, nats(kl/n))
	if f.Left > 0 {
		s += " " + say("lens.the-that-follow-are", plural(f.Left, "token"))
	}
	return s
}

func (c *LensPanel) head() string {
	return say("lens.token-of", c.lens().now()+1, len(c.lens().found.Tokens))
}

func (c *LensPanel) change() string {
	t := c.lens().token()
	return fmt.Sprintf("%s → %s (%s"+thin+"nats)", chance(t.Base), chance(t.Tuned), signed(t.Tuned-t.Base))
}

func (c *LensPanel) entropy() string {
	t := c.lens().token()
	return fmt.Sprintf("%s → %s", strconv.FormatFloat(t.BaseEntropy, 'f', 2, 64), nats(t.TunedEntropy))
}

// rival is a row of the two lists side by side.
type rival struct {
	rank                  string
	base, tuned           wire.Likely
	baseClass, tunedClass string
}

func (c *LensPanel) rivals() (all []rival) {
	t := c.lens().token()
	class := func(x wire.Likely) string {
		if x.Text == t.Text && math.Abs(x.Tuned-t.Tuned) < 1e-9 {
			return "rival is"
		}
		return "rival"
	}
	for i := range min(len(t.BaseTop), len(t.TunedTop)) {
		r := rival{rank: itoa(i + 1), base: t.BaseTop[i], tuned: t.TunedTop[i]}
		r.baseClass, r.tunedClass = class(r.base), class(r.tuned)
		all = append(all, r)
	}
	return all
}

// barWidth is the width of a bar for a share, in percent.
func barWidth(share float64) string {
	return strconv.FormatFloat(100*min(1, max(0, share)), 'f', 2, 64) + "%"
}

func barOf(log float64) string { return barWidth(math.Exp(log)) }

// The attention.

func (c *LensPanel) chart() *wire.AttentionMap { return c.lens().found.Map }

func (c *LensPanel) headNumbers() (all []string) {
	for h := range c.chart().Heads {
		all = append(all, itoa(h+1))
	}
	return all
}

// cell is a share in the heat map.
type cell struct{ text, class string }

// heat is the row of a layer.
func (c *LensPanel) heat(layer int) (all []cell) {
	m := c.chart()
	for h := range m.Heads {
		v := m.At(m.Share, (c.lens().now()*len(m.Layers)+layer)*m.Heads+h)
		all = append(all, cell{strconv.Itoa(int(math.Round(100 * v))), fmt.Sprint("heat heat", int(math.Ceil(10*v-0.005)))})
	}
	return all
}

// mean is a layer's share, over its heads.
func (c *LensPanel) mean(layer int) string {
	m, sum := c.chart(), 0.0
	for h := range m.Heads {
		sum += m.At(m.Share, (c.lens().now()*len(m.Layers)+layer)*m.Heads+h)
	}
	return percent(sum / float64(m.Heads))
}

func percent(v float64) string { return strconv.FormatFloat(100*v, 'f', 1, 64) + thin + "%" }

// attention says how much of it goes to the prefix.
func (c *LensPanel) attention() string {
	m := c.chart()
	share := func(token int) float64 {
		sum := 0.0
		for i := range len(m.Layers) * m.Heads {
			sum += m.At(m.Share, token*len(m.Layers)*m.Heads+i)
		}
		return sum / float64(len(m.Layers)*m.Heads)
	}
	sum, n := 0.0, len(c.lens().found.Tokens)
	for i := range n {
		sum += share(i)
	}
	where := say("lens.where-was-to-be", shown(c.lens().token().Text), percent(share(c.lens().now())), percent(sum/float64(n)))
	if m.Own {
		where += " " + say("lens.this-prefix-has-a")
	}
	return where
}

// slot is a row of the ranking.
type slot struct {
	number, word, share, bar string
	value                    float64
}

// mostSlots is how many are listed until all are asked for.
const mostSlots = 10

// ranked are the slots by the attention that they got.
func (c *LensPanel) ranked() (all []slot) {
	m, l := c.chart(), c.lens()
	for s := range m.Slots {
		x := slot{number: itoa(s + 1)}
		if s < len(m.Words) {
			x.word = shown(m.Words[s])
		}
		if l.whole {
			for t := range l.found.Tokens {
				x.value += m.At(m.Weight, t*m.Slots+s) / float64(len(l.found.Tokens))
			}
		} else {
			x.value = m.At(m.Weight, l.now()*m.Slots+s)
		}
		all = append(all, x)
	}
	slices.SortStableFunc(all, func(a, b slot) int {
		switch {
		case a.value > b.value:
			return -1
		case a.value < b.value:
			return 1
		}
		return 0
	})
	most := all[0].value
	for i := range all {
		all[i].share = strconv.FormatFloat(100*all[i].value, 'f', 2, 64) + thin + "%"
		if most > 0 {
			all[i].bar = barWidth(all[i].value / most)
		} else {
			all[i].bar = "0%"
		}
	}
	if !l.all {
		all = all[:min(mostSlots, len(all))]
	}
	return all
}

// took says how long the measuring took.
func (c *LensPanel) took() string {
	return say("lens.measured-in", count(int(math.Round(c.lens().found.Millis))))
}

func (c *LensPanel) moreSlots() bool { return !c.lens().all && c.chart().Slots > mostSlots }

// gate is a layer's gate.
type gate struct{ layer, open, bar string }

func (c *LensPanel) gates() (all []gate) {
	m, most := c.chart(), 1.0
	for _, g := range m.Gates {
		most = max(most, math.Abs(g))
	}
	for i, g := range m.Gates {
		all = append(all, gate{told(m.Layers[min(i, len(m.Layers)-1)]), strings.Replace(strconv.FormatFloat(g, 'f', 3, 64), "-", "−", 1), barWidth(math.Abs(g) / most)})
	}
	return all
}

func (c *LensPanel) segment(whole bool) string {
	if c.lens().whole == whole {
		return "segment on"
	}
	return "segment"
}

func (c *LensPanel) pressed(whole bool) string { return fmt.Sprint(c.lens().whole == whole) }

// canSee says whether an answer can be looked at.
func (a *App) canSee(w *answer) bool {
	return w != nil && w.done && w.tokens > 0 && len(a.shelf.Items) > 0 && a.model.loaded != nil
}
