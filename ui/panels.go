package ui

import (
	"fmt"
	"strconv"
	"strings"

	"prelude/engine/wire"

	"github.com/vugu/vugu"
)

// fact is one name and value of a list of facts.
type fact struct{ name, value, more string }

func (c *Notice) here() bool { _, ok := c.App.notices[c.At]; return ok }

func (c *Notice) class() string {
	if c.At == atTop {
		return "notice top"
	}
	return "notice"
}

func (c *Field) helpID() *string {
	if c.Help == "" {
		return nil
	}
	id := c.ID + "-help"
	return &id
}

func (c *Drop) noun() string {
	if c.Many {
		return "files"
	}
	return "a file"
}

func (c *Masthead) model() string {
	m := c.App.model.loaded
	return m.Name + " · " + params(m.Params)
}

func progressMax(p *wire.Progress) *string {
	if p == nil || p.Total <= 1 {
		return nil
	}
	s := fmt.Sprint(p.Total)
	return &s
}

// progressValue is nil where how far is not known: the bar then only moves.
func progressValue(p *wire.Progress) *int64 {
	if p == nil || p.Total <= 1 {
		return nil
	}
	return &p.Done
}

func progressText(p *wire.Progress, bytes bool) string {
	switch {
	case p == nil || p.Total <= 1:
		return ""
	case bytes && p.Total > 10_000:
		return size(p.Done) + " of " + size(p.Total)
	}
	return count(p.Done) + " of " + count(p.Total)
}

func (c *ModelPanel) none() string {
	if c.App.engine == "starting" {
		return "Starting the engine…"
	}
	return "No model comes with this page: bring your own below."
}

func (c *ModelPanel) isLoaded(name string) bool {
	m := &c.App.model
	return m.id == 0 && m.loaded != nil && m.source != nil && m.source.bundled == name
}

func (c *ModelPanel) row(name string) string {
	if c.isLoaded(name) {
		return "row on"
	}
	return "row"
}

func (c *ModelPanel) stage() string {
	title := c.App.model.source.title(c.App.ready.Models)
	if p := c.App.model.progress; p != nil && p.Stage != "" {
		return title + ": " + p.Stage
	}
	return "Loading " + title
}

func (c *ModelPanel) facts() []fact {
	m := c.App.model.loaded
	return []fact{
		{name: "Family", value: m.Family},
		{name: "Parameters", value: params(m.Params)},
		{name: "Weights", value: size(m.WeightBytes)},
		{name: "Context", value: count(m.Context) + " tokens"},
		{name: "Layers", value: count(m.Layers)},
		{name: "Vocabulary", value: count(m.Vocab)},
	}
}

func (c *ModelPanel) devices() []wire.DeviceInfo {
	return append([]wire.DeviceInfo{{Name: "auto", OK: true, Why: "A short trial picks the fastest device for this model."}}, c.App.ready.Devices...)
}

func (c *DataPanel) note() string {
	d := &c.App.data
	s := size(d.file.Size)
	switch {
	case d.set != nil:
		return s + " · read as " + d.set.Shape
	case c.App.model.loaded == nil:
		return s + " · waits for a model"
	}
	return s
}

func (c *DataPanel) other(e vugu.DOMEvent) {
	if files := c.App.host.Files(e); len(files) > 0 {
		c.App.openData(files[0])
	}
}

func (c *DataPanel) stage() string {
	if p := c.App.data.progress; p != nil && p.Stage != "" {
		return p.Stage
	}
	return "Reading the examples"
}

func (c *DataPanel) facts() []fact {
	s := c.App.data.set
	facts := []fact{
		{name: "Examples", value: count(s.Count)},
		{name: "To train on", value: count(s.Train)},
		{name: "To validate", value: count(s.Val)},
		{name: "Distinct prompts", value: count(s.Prompts)},
		{name: "Tokens, mean", value: short(s.MeanToks, 3)},
		{name: "Longest", value: count(s.MaxToks)},
	}
	if s.Skipped > 0 {
		facts = append(facts, fact{name: "Skipped", value: count(s.Skipped)})
	}
	return facts
}

const errorsShown = 6

func (c *DataPanel) errors() []wire.LineError {
	e := c.App.data.set.Errors
	return e[:min(len(e), errorsShown)]
}

func (c *DataPanel) more() int { return len(c.App.data.set.Errors) - errorsShown }

func (c *DataPanel) errorTitle() string {
	n := len(c.App.data.set.Errors)
	if c.App.data.set.Count == 0 {
		return "No line of this file is an example."
	}
	if c.App.data.opts.SkipBad {
		return plural(n, "line") + " left out:"
	}
	return plural(n, "line") + " can’t be read. Nothing is skipped until you say so."
}

func (c *DataPanel) skipLabel() string {
	if n := len(c.App.data.set.Errors); n != 1 {
		return "Skip these " + plural(n, "line")
	}
	return "Skip this line"
}

func (c *DataPanel) spaceText() string {
	if c.App.data.opts.Space {
		return "A space now stands before every completion that lacked one."
	}
	return "Completions start right at the last letter of the prompt: the model would see “…is" + "Paris”."
}

func (c *DataPanel) spaceLabel() string {
	if c.App.data.opts.Space {
		return "Undo"
	}
	return "Put a space before them"
}

func (c *DataPanel) alwaysChat() bool {
	return c.App.data.set != nil && strings.Contains(c.App.data.set.Shape, "messages")
}

func (c *DataPanel) chat() bool { return c.App.data.opts.Chat || c.alwaysChat() }

func (c *DataPanel) chatHelp() string {
	if c.alwaysChat() {
		return "Messages are always wrapped."
	}
	return "The same in training, validation and generation."
}

func (c *DataPanel) preview() *wire.Preview {
	d := &c.App.data
	if d.set == nil || d.shown >= len(d.set.Preview) {
		return nil
	}
	return &d.set.Preview[d.shown]
}

func (c *DataPanel) pageText() string {
	return fmt.Sprintf("%d / %d", c.App.data.shown+1, len(c.App.data.set.Preview))
}

func (c *DataPanel) lead() string { mark, _ := space(c.preview().Completion); return mark }

// between is what parts prompt and completion on the page: an encoder-decoder reads one and
// begins the other anew.
func (c *DataPanel) between() string {
	if c.App.encDec() {
		return "\n"
	}
	return ""
}
func (c *DataPanel) rest() string { _, rest := space(c.preview().Completion); return rest }

func (c *DataPanel) end() string {
	if e := c.preview().End; e != "" {
		return e
	}
	return "end"
}

func (c *TrainPanel) tiles() []fact {
	r := &c.App.run
	tiles := []fact{
		{name: "Step", value: "—"}, {name: "Training loss", value: "—"}, {name: "Validation loss", value: "—"},
		{name: "Tokens/s", value: "—"}, {name: "Time left", value: "—"},
	}
	if r.text {
		tiles[1].name, tiles[2].name = "Difference", "On new questions"
	}
	if len(r.losses) > 0 {
		tiles[0].value = count(r.at())
		if t := r.total(); t > 0 {
			tiles[0].more = "of " + count(t)
		}
		s := smoothed(r.losses)
		tiles[1].value = lossText(s[len(s)-1])
		if r.last.TokensSec > 0 {
			tiles[3].value = rate(r.last.TokensSec)
		}
	}
	if n := len(r.evals); n > 0 {
		tiles[2].value = lossText(r.evals[n-1].Loss)
		if n > 1 {
			tiles[2].more = "from " + lossText(r.evals[0].Loss)
		}
	}
	switch {
	case r.done != nil:
		tiles[4] = fact{name: "Time taken", value: span(seconds(r.done.Seconds))}
	case r.active() && r.last.LeftSec > 0:
		tiles[4].value = span(seconds(r.last.LeftSec))
	}
	return tiles
}

func (c *TrainPanel) plan() []fact {
	p := c.App.run.planned
	facts := []fact{
		{name: "Steps", value: count(p.Steps)},
		{name: "Memory", value: size(p.PeakBytes)},
		{name: "Trainable", value: params(p.Trainable)},
		{name: "Slots", value: count(p.Slots)},
		{name: "Learning rate", value: short(p.LR, 2)},
	}
	if p.StepMillis > 0 { // it was measured, to plan for a time
		facts = append(facts, fact{name: "A step takes", value: span2(p.StepMillis)})
	}
	return facts
}

// span2 writes milliseconds, or seconds where there are many.
func span2(millis float64) string {
	if millis >= 1000 {
		return short(millis/1000, 2) + thin + "s"
	}
	return short(millis, 2) + thin + "ms"
}

func (c *TrainPanel) planNotes() []string {
	p := c.App.run.planned
	notes := p.Notes
	if p.Recompute {
		notes = append([]string{"Block activations are computed again in the backward pass, to save memory."}, notes...)
	}
	return notes
}

func (c *TrainPanel) startLabel() string {
	if c.App.run.status == runDone || c.App.run.status == runBroken {
		return "Train again"
	}
	return "Start training"
}

func (c *TrainPanel) progress() *string {
	t := c.App.run.total()
	if t == 0 {
		return nil
	}
	s := fmt.Sprint(t)
	return &s
}

func (c *TrainPanel) segment(by string) string {
	if c.App.set.by == by {
		return "segment on"
	}
	return "segment"
}

func (c *TrainPanel) announce() string {
	r := &c.App.run
	if r.active() {
		return r.word()
	}
	return r.summary()
}

func (c *MethodPicker) chosen(axis wire.Axis) wire.Choice {
	if ch := choiceOf(axis, c.App.set.method[axis.ID]); ch != nil {
		return *ch
	}
	return wire.Choice{}
}

func (c *MethodPicker) peft() string {
	if c.App.encDec() && c.App.set.peft(c.App.ready.Axes) {
		return "PEFT loads a prefix at the decoder alone, or embeddings at the encoder alone; others export to a file for Prelude."
	}
	if c.App.set.peft(c.App.ready.Axes) {
		return "This choice exports to a file that PEFT loads."
	}
	return "This choice exports to a file for Prelude; PEFT has no word for it."
}

// reference says whose answer stands under the prompt.
func (c *ComparePanel) reference() string {
	if c.App.study.file != nil {
		return "With the text before its eyes the model says:"
	}
	return "The data set answers:"
}

func (c *ComparePanel) label() string {
	switch n := len(c.App.shelf.on()); n {
	case 0:
		return "Ask the base model"
	case 1:
		return "Ask both"
	default:
		return "Ask all " + count(n+1)
	}
}

// none says whether no prefix answers; an empty answer then says why.
func (c *ComparePanel) none() bool { return len(c.App.shelf.on()) == 0 }

func (c *ComparePanel) noneNote() string {
	if len(c.App.shelf.Items) > 0 {
		return "every prefix is switched off"
	}
	return "no prefix yet"
}

// noAnswer stands where nobody was asked.
var noAnswer answer

// answerID names a prefix' answer: "tuned" is the one in use.
func (c *ComparePanel) answerID(x wire.Shelved) string {
	if x.Key == c.App.shelf.InUse {
		return "tuned"
	}
	return "prefix-" + itoa(x.Key)
}

func (c *ComparePanel) tunedNote(x wire.Shelved) string {
	if x.Origin == "training" {
		return "as it is now"
	}
	return shelfWords(x)
}

// said is an answer in a conversation, without the space before its first word.
func said(text string) string { return strings.TrimSpace(text) }

func itoa(n int) string { return strconv.Itoa(n) }

func (c *ComparePanel) baseNote() string {
	if m := c.App.model.loaded; m != nil {
		return m.Name
	}
	return ""
}

// class of an answer's text: waiting shows a caret.
func (c *Answer) class() string {
	switch {
	case c.From.asked && !c.From.done:
		return "answer-text streaming"
	case !c.From.asked:
		return "answer-text faint"
	}
	return "answer-text"
}

func (c *Answer) text() string {
	if !c.From.asked {
		return "Nothing asked yet."
	}
	return strings.TrimLeft(c.From.text.String(), " \n")
}

func (c *Answer) markClass() string {
	if c.From.end {
		return "tag ok"
	}
	return "tag"
}

func (c *TrainPanel) amount() string {
	if c.App.set.by == "steps" {
		return c.App.set.steps
	}
	return c.App.set.minutes
}

func (c *TrainPanel) setAmount(v string) {
	if c.App.set.by == "steps" {
		c.App.set.steps = v
	} else {
		c.App.set.minutes = v
	}
}

func (c *TrainPanel) pressed(by string) string { return fmt.Sprint(c.App.set.by == by) }

func (c *TrainPanel) progressAt() *int {
	if c.App.run.total() == 0 {
		return nil
	}
	at := c.App.run.at()
	return &at
}

// going is the small print beside the buttons while a run is under way.
func (c *TrainPanel) going() string {
	r := &c.App.run
	switch {
	case r.status == runStarting && r.progress != nil:
		return r.progress.Stage
	case r.status == runStarting:
		return "Measuring a step to plan the run…"
	case r.status == runGoing && r.progress != nil && r.progress.Total > 1:
		return r.progress.Stage + "."
	case r.status == runPaused:
		return "Paused. Ask both models below, then resume."
	case r.status == runStopping:
		return "Stopping; the best prefix so far is kept."
	}
	return "You can ask both models below while it trains."
}

func (c *MethodPicker) key(axis wire.Axis, s wire.Setting) string {
	return settingKey(c.chosen(axis), s)
}

func (c *MethodPicker) setter(key string) func(string) {
	return func(v string) { c.App.choose(key, v) }
}

func (c *MethodPicker) tagClass(ch wire.Choice) string {
	if ch.PEFT {
		return "tag small"
	}
	return "tag small faint"
}

// mode is the keyboard that a setting wants.
func mode(s wire.Setting) string {
	switch s.Kind {
	case "int":
		return "numeric"
	case "float":
		return "decimal"
	}
	return "text"
}

func (c *ComparePanel) write(text string) { c.App.compare.prompt, c.App.compare.touched = text, true }

func (c *Answer) busy() string { return fmt.Sprint(c.From.asked && !c.From.done) }

func (c *HomePanel) title() string {
	if x := c.App.inUse(); x != nil {
		return "Prefix in use: " + x.Name
	}
	return "No prefix yet"
}

func (c *HomePanel) note() string {
	if x := c.App.inUse(); x != nil {
		return shelfWords(*x)
	}
	if c.App.home.reading != nil && c.App.home.id == 0 {
		return c.App.home.from + " waits for a model."
	}
	if len(c.App.shelf.Items) > 0 {
		return "Choose one of the shelf above."
	}
	return "Train one above, or load one below."
}

func (c *HomePanel) notes() []string {
	if x := c.App.inUse(); x != nil {
		return c.App.shelf.notes[x.Key]
	}
	return nil
}

func (c *HomePanel) stage() string {
	if p := c.App.home.progress; p != nil && p.Stage != "" {
		return p.Stage
	}
	if c.App.home.reading != nil {
		return "Reading " + c.App.home.from
	}
	return "Writing the adapter"
}

func (c *HomePanel) saved() bool { return c.App.home.exported != nil && c.App.home.saved }

// exportNote is what the worker says of an export, as a sentence.
func (c *HomePanel) exportNote() string {
	note := []rune(c.App.home.exported.Note)
	return strings.ToUpper(string(note[:1])) + strings.TrimSuffix(string(note[1:]), ".") + "."
}

func (c *HomePanel) savedText() string {
	e := c.App.home.exported
	s := "Saved " + zipFile(e.Name)
	if c.App.home.zip != nil {
		s += " (" + size(int64(c.App.home.zip.Len())) + ")"
	}
	if e.PEFT {
		return s + ". PEFT can load it."
	}
	return s + ". PEFT can’t load it; this page can."
}

func (c *SharePanel) form() bool {
	return c.App.inUse() != nil && !c.App.drafted() && c.App.share.published == nil
}

// toggle lists the gallery when its fold is opened: nothing is asked of the
// server before.
func (c *SharePanel) toggle(e vugu.DOMEvent) {
	if e.PropBool("target", "open") {
		c.App.list(false)
	}
}

// public is all that a publication makes public.
func (c *SharePanel) public() []fact {
	a := c.App
	facts := []fact{
		{name: "Name", value: a.home.exported.Name},
		{name: "Task", value: orNone(a.share.task)},
		{name: "What it does", value: orNone(a.share.about)},
		{name: "Model", value: a.model.loaded.Name},
		{name: "The prefix", value: size(int64(a.home.zip.Len())) + ", " + shelfWords(*a.inUse())},
	}
	if x := a.inUse(); x.ValLoss > 0 {
		facts = append(facts, fact{name: "Losses", value: lossText(x.ValLoss) + ", base model " + lossText(x.BaseLoss)})
	}
	return append(facts, fact{name: "Settings", value: "the method’s choices, and the chat template’s"})
}

func orNone(s string) string {
	if strings.TrimSpace(s) == "" {
		return "(nothing)"
	}
	return s
}

// small is a card's small print.
func (p card) small() string {
	parts := []string{p.Model}
	if p.Task != "" {
		parts = append([]string{p.Task}, parts...)
	}
	if words := against(p.ValLoss, p.BaseLoss); words != "" && p.ValLoss > 0 {
		parts = append(parts, words)
	}
	return strings.Join(append(parts, size(p.Bytes)), " · ")
}
