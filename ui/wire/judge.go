package wire

// Judge asks that the whole held-out set is answered, greedily, by each candidate: the frozen
// model, the model with examples in its context, and prefixes. [Progress] counts answers; a
// [Cancel] ends it. Answered by [Judged].
type Judge struct {
	ID        int    `json:"id"`
	Base      bool   `json:"base"`
	InContext bool   `json:"inContext"`
	Keys      []int  `json:"keys,omitempty"`
	Measure   string `json:"measure,omitempty"`   // "labels", "json", "entities", "exact", "text"; "": as the data suggests
	MaxTokens int    `json:"maxTokens,omitempty"` // of an answer; 0: twice the longest that is expected
	Losses    bool   `json:"losses,omitempty"`    // measure losses alone: nobody answers
	Test      bool   `json:"test,omitempty"`      // the test set, not what is validated on
}

// Judged is what came of it.
type Judged struct {
	ID         int         `json:"id"`
	Measure    string      `json:"measure"`
	Hash       string      `json:"hash"`            // of the data
	Shots      int         `json:"shots,omitempty"` // examples in context
	Count      int         `json:"count"`           // rows that were judged
	Test       bool        `json:"test,omitempty"`  // they are the test set
	Candidates []Candidate `json:"candidates"`
	Pairs      []Pair      `json:"pairs,omitempty"`
	Rows       []JudgedRow `json:"rows"` // those first in which the candidates differ most
	Seconds    float64     `json:"seconds"`
}

// Candidate is who answers, and how well.
type Candidate struct {
	Name        string   `json:"name"`
	Which       string   `json:"which"` // "base", "context" or "tuned"
	Key         int      `json:"key,omitempty"`
	Loss        Figure   `json:"loss"` // nats a completion token
	Perplexity  Figure   `json:"perplexity"`
	BitsPerByte Figure   `json:"bitsPerByte"`
	Figures     []Figure `json:"figures"`           // the measure's own come first
	Ranking     *Ranking `json:"ranking,omitempty"` // where labels were ranked
}

// Ranking is how a candidate's labels by likelihood stand to the true ones.
type Ranking struct {
	Labels []string `json:"labels"`
	Counts [][]int  `json:"counts"` // [true][picked]
	Bins   []Bin    `json:"bins"`   // of the picked label's probability
}

// Bin is the rows whose label was picked with a probability above Low and up to High.
type Bin struct {
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	Count int     `json:"count"`
	Sure  float64 `json:"sure"`  // mean probability
	Right float64 `json:"right"` // share of right picks
}

// Figure is a number with its 95 % bootstrap interval.
type Figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// Pair says in how many of 100 resamples of the rows the first candidate, an index, is better
// than the second: by its loss, and by the measure's score.
type Pair struct {
	First  int     `json:"first"`
	Second int     `json:"second"`
	Loss   float64 `json:"loss"`
	Score  float64 `json:"score"`
	Label  string  `json:"label,omitempty"` // the likeliest, where labels were ranked
	Sure   float64 `json:"sure,omitempty"`  // its probability among the labels
}

// JudgedRow is one example with every candidate's answer.
type JudgedRow struct {
	Prompt   string      `json:"prompt"`
	Expected string      `json:"expected"`
	Answers  []RowAnswer `json:"answers"`
}

// RowAnswer is one candidate's answer to a row.
type RowAnswer struct {
	Text   string  `json:"text"`
	Ended  bool    `json:"ended"` // by itself
	Tokens int     `json:"tokens"`
	Loss   float64 `json:"loss"` // of the expected completion, nats a token
	Score  float64 `json:"score"`
	Label  string  `json:"label,omitempty"` // the likeliest, where labels were ranked
	Sure   float64 `json:"sure,omitempty"`  // its probability among the labels
}

// Standing is what a prefix has to beat on the held-out examples that a training validates
// on, in nats a token: the bare model, and the model with examples in its context. The worker
// measures it once for a model and its data, while nothing is asked.
type Standing struct {
	Hash      string  `json:"hash"` // of the data
	Base      float64 `json:"base"`
	InContext float64 `json:"inContext"`
	Shots     int     `json:"shots"` // examples in context
	Of        int     `json:"of"`    // to train on
}

// BaseAnswer is the bare model's whole answer to a held-out prompt that the page will ask while a
// training goes on: the first [LivePrompts] of them, with [LiveTokens] tokens at most. The worker
// gives it while nothing is asked, so that it costs the training no time.
type BaseAnswer struct {
	Hash   string `json:"hash"` // of the data
	Prompt string `json:"prompt"`
	Answer Sample `json:"answer"`
}

// How many held-out prompts are answered while a training goes on, and the longest answer in tokens.
const (
	LivePrompts = 3
	LiveTokens  = 40
)

func (BaseAnswer) wireType() string { return "baseAnswer" }

func (Standing) wireType() string { return "standing" }

func (Judge) wireType() string  { return "judge" }
func (Judged) wireType() string { return "judged" }

func init() { register(Judge{}, Judged{}, Standing{}, BaseAnswer{}) }
