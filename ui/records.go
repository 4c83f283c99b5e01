package ui

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"prelude/ui/wire"
)

// What is kept of a sitting is a file each of these, as JSON with a format and a version.
// Fields are only ever added; a version is raised when an older page could not read the rest.

// recordVersion is that of the records that this page writes, and the newest that it reads.
const recordVersion = 1

// head is what each record begins with.
type head struct {
	Format  string `json:"format"` // "prelude.sitting", "prelude.run", "prelude.prefix"
	Version int    `json:"version"`
}

// readRecord reads a record of a format.
func readRecord(b Bytes, format string, into any) error {
	text := []byte(b.String())
	var h head
	if err := json.Unmarshal(text, &h); err != nil {
		return errors.New(say("records.it-is-not-whole", err.Error()))
	}
	switch {
	case h.Format != format:
		return errors.New(say("records.it-says-that-it", fmt.Sprintf("%q", h.Format), fmt.Sprintf("%q", format)))
	case h.Version > recordVersion:
		return errors.New(say("records.newer"))
	}
	return json.Unmarshal(text, into)
}

// sittingRecord is all of a sitting but its runs and prefixes.
type sittingRecord struct {
	head
	Model    modelRecord    `json:"model"`
	Data     *dataRecord    `json:"data,omitempty"`
	Study    *studyRecord   `json:"study,omitempty"`
	Settings settingsRecord `json:"settings"`
	Compare  compareRecord  `json:"compare"`
	Name     string         `json:"name"` // of the next export
	Run      int            `json:"run,omitempty"`
	InUse    map[string]int `json:"inUse,omitempty"`   // by fingerprint: the prefix in use
	Queue    []queuedRecord `json:"queue,omitempty"`   // trainings that wait for their turn
	HubBase  string         `json:"hubBase,omitempty"` // of a mirror of the hub
}

// modelRecord says which model something belongs to, and where it came from.
type modelRecord struct {
	Bundled     string   `json:"bundled,omitempty"`
	Hub         string   `json:"hub,omitempty"`
	URL         string   `json:"url,omitempty"`
	Files       []string `json:"files,omitempty"` // dropped: a page can't open them again by itself
	Device      string   `json:"device,omitempty"`
	Exact       bool     `json:"exact,omitempty"` // products with the weights in float32 only
	Name        string   `json:"name,omitempty"`
	Fingerprint string   `json:"fingerprint,omitempty"`
}

func (s source) record() modelRecord {
	m := modelRecord{Bundled: s.bundled, Hub: s.hub, URL: s.url}
	for _, f := range s.files {
		m.Files = append(m.Files, f.Name)
	}
	return m
}

// source is where the model can be had from again; false where it was dropped.
func (m modelRecord) source() (source, bool) {
	s := source{bundled: m.Bundled, hub: m.Hub, url: m.URL}
	return s, s.bundled+s.hub+s.url != ""
}

type dataRecord struct {
	Name string           `json:"name"`
	File string           `json:"file"` // where its bytes are kept
	Hash string           `json:"hash,omitempty"`
	Opts wire.DataOptions `json:"opts"`
	Form formRecord       `json:"form"`
	// Parts are the files that they come from, where those are several.
	Parts []part `json:"parts,omitempty"`
	// Held are the files of one's own to measure on, by side.
	Held map[string]heldRecord `json:"held,omitempty"`
	// Tested says that the test set has been answered.
	Tested bool `json:"tested,omitempty"`
}

type heldRecord struct {
	Name string `json:"name"`
	File string `json:"file"` // where its bytes are kept
}

// files are the names of the files that the record says its bytes are in.
func (d *dataRecord) files() (all []string) {
	if d != nil {
		all = append(all, d.File)
		for _, side := range slices.Sorted(maps.Keys(d.Held)) {
			all = append(all, d.Held[side].File)
		}
	}
	return all
}

type formRecord struct {
	Template string `json:"template,omitempty"`
	Val      string `json:"val"`
}

// settingsRecord is the training settings as they stand in their boxes.
type settingsRecord struct {
	By        string            `json:"by"`
	Minutes   string            `json:"minutes"`
	Steps     string            `json:"steps"`
	Batch     string            `json:"batch"`
	LR        string            `json:"lr"`
	Schedule  string            `json:"schedule"`
	Optimizer string            `json:"optimizer,omitempty"`
	Seed      string            `json:"seed"`
	Patience  string            `json:"patience"`
	Keep      string            `json:"keep,omitempty"`
	Method    map[string]string `json:"method"`
}

func (s settings) record() settingsRecord {
	return settingsRecord{s.by, s.minutes, s.steps, s.batch, s.lr, s.schedule, s.optimizer, s.seed, s.patience, s.keep, s.method}
}

func (r settingsRecord) settings() settings {
	s := settings{r.By, r.Minutes, r.Steps, r.Batch, r.LR, r.Schedule, r.Optimizer, r.Seed, r.Patience, r.Keep, r.Method}
	if s.by == "" {
		return defaultSettings()
	}
	s.optimizer = cmp.Or(s.optimizer, wire.DefaultTrain().Optimizer) // older records have none
	if s.method == nil {
		s.method = map[string]string{}
	}
	return s
}

// compareRecord is what was asked and answered.
type compareRecord struct {
	Prompt     string           `json:"prompt,omitempty"`
	Touched    bool             `json:"touched,omitempty"`
	System     *string          `json:"system,omitempty"`
	Follow     *bool            `json:"follow,omitempty"`
	Talk       []turnRecord     `json:"talk,omitempty"`
	Generation generationRecord `json:"generation"`
}

type turnRecord struct {
	Prompt  string               `json:"prompt"`
	Answers map[int]answerRecord `json:"answers"`
	Lead    int                  `json:"lead,omitempty"`
}

type answerRecord struct {
	By     string `json:"by"`
	Text   string `json:"text"`
	End    bool   `json:"end,omitempty"`
	Cut    bool   `json:"cut,omitempty"`
	Tokens int    `json:"tokens,omitempty"`
}

type generationRecord struct {
	Tokens      string `json:"tokens"`
	Temperature string `json:"temperature"`
	TopK        string `json:"topK,omitempty"`
	TopP        string `json:"topP,omitempty"`
	MinP        string `json:"minP,omitempty"`
	Repeat      string `json:"repeat,omitempty"`
	Seed        string `json:"seed"`
	Stop        string `json:"stop,omitempty"`
}

func (c *compare) record() compareRecord {
	g := c.gen
	r := compareRecord{Prompt: c.prompt, Touched: c.touched, System: c.system, Follow: c.follow,
		Generation: generationRecord{g.tokens, g.temperature, g.topK, g.topP, g.minP, g.repeat, g.seed, g.stop}}
	for _, t := range c.talk {
		x := turnRecord{t.prompt, map[int]answerRecord{}, t.lead}
		for key, w := range t.answers {
			x.Answers[key] = answerRecord{w.by, w.text.String(), w.end, w.cut || !w.done, w.tokens}
		}
		r.Talk = append(r.Talk, x)
	}
	return r
}

func (r compareRecord) restore(c *compare) {
	g := r.Generation
	if g.Tokens != "" {
		c.gen = generation{g.Tokens, g.Temperature, g.TopK, g.TopP, g.MinP, g.Repeat, g.Seed, g.Stop}
	}
	c.prompt, c.touched, c.system, c.follow = r.Prompt, r.Touched, r.System, r.Follow
	for _, x := range r.Talk {
		t := &turn{prompt: x.Prompt, answers: map[int]*answer{}, lead: x.Lead}
		for key, w := range x.Answers {
			t.answers[key] = &answer{by: w.By, asked: true, done: true, end: w.End, cut: w.Cut, tokens: w.Tokens}
			t.answers[key].text.WriteString(w.Text)
		}
		c.talk = append(c.talk, t)
	}
}

// prefixRecord is a prefix of a shelf; its zip is kept beside it, a blend has none.
type prefixRecord struct {
	head
	Item  wire.Shelved `json:"item"`
	Model modelRecord  `json:"model"`
	From  origin       `json:"from"`
	Notes []string     `json:"notes,omitempty"`
	Off   bool         `json:"off,omitempty"`
	Part  bool         `json:"part,omitempty"` // it was forgotten, but a blend is made of it
}

// origin says what a prefix was trained on, and by which run.
type origin struct {
	Data string `json:"data,omitempty"`
	Run  int    `json:"run,omitempty"`
	Copy bool   `json:"copy,omitempty"` // it is a copy that the run left, not its own prefix
	// Claim is what its publisher says it is for, of one that came by a link.
	Claim string `json:"claim,omitempty"`
}

// runRecord is one training: what was asked for, and what happened.
type runRecord struct {
	head
	N       int           `json:"n"`
	Name    string        `json:"name,omitempty"`
	Note    string        `json:"note,omitempty"`
	Model   modelRecord   `json:"model"`
	Device  string        `json:"device,omitempty"`
	Data    string        `json:"data,omitempty"`
	Hash    string        `json:"hash,omitempty"` // of the data, SHA-256
	Began   int64         `json:"began"`          // seconds since 1970
	Ask     wire.Train    `json:"ask"`
	Planned *wire.Planned `json:"planned,omitempty"`
	First   int           `json:"first"`
	Losses  []float64     `json:"losses"`
	Points  []stepPoint   `json:"points,omitempty"`
	Evals   []wire.Eval   `json:"evals,omitempty"`
	Skipped int           `json:"skipped,omitempty"`
	Lengths *wire.Lengths `json:"lengths,omitempty"`
	Done    *wire.Trained `json:"done,omitempty"`
	Ended   string        `json:"ended,omitempty"` // why there is no result
	Prefix  int           `json:"prefix,omitempty"`
	Saved   []checkpoint  `json:"saved,omitempty"` // oldest first
	Copies  []copyRecord  `json:"copies,omitempty"`
	Sweep   *sweepMark    `json:"sweep,omitempty"`
	Live    *liveRecord   `json:"live,omitempty"`
}

// copyRecord is a copy of a run's prefix, as it was after a step: a zip for the shelf.
type copyRecord struct {
	File string       `json:"file"`
	Item wire.Shelved `json:"item"` // without a key
}

// sweepMark says of which sweep a run is one.
type sweepMark struct {
	N     int    `json:"n"`     // among all sweeps, from 1
	I     int    `json:"i"`     // among its runs
	What  string `json:"what"`  // differs from run to run
	Value string `json:"value"` // this run's
}

// queuedRecord is a training that waits for its turn.
type queuedRecord struct {
	Ask         wire.Train `json:"ask"`
	Sweep       sweepMark  `json:"sweep"`
	Hash        string     `json:"hash,omitempty"` // of the examples
	Fingerprint string     `json:"fingerprint"`    // of the model
}

// stepPoint is what a step reported beside its loss.
type stepPoint struct {
	Step   int     `json:"step"`
	LR     float64 `json:"lr"`
	Grad   float64 `json:"grad"`
	Tokens float64 `json:"tokens"`
}

// checkpoint is a kept checkpoint of a run under way.
type checkpoint struct {
	File string     `json:"file"`
	Step int        `json:"step"`
	Ask  wire.Train `json:"ask"`
}

// keepRecord keeps a record under a name. One with a number that JSON has no word for is
// left as it was.
func (a *App) keepRecord(name string, record any) {
	if text, err := json.Marshal(record); err == nil {
		a.sitting.pen.writeText(name, a.host.Bytes(string(text)))
	}
}

// numbered is the number of a file that is named by a kind and a number: "run-12.json" is 12.
func numbered(name, kind string) (n int, ok bool) {
	rest, ok := strings.CutPrefix(name, kind)
	if !ok {
		return 0, false
	}
	end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(rest)
	}
	n, err := strconv.Atoi(rest[:end])
	return n, err == nil
}
