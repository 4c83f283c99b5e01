package study

// Kind is what a text is to the model.
type Kind string

const (
	Document    Kind = "document"    // something to know
	Instruction Kind = "instruction" // something to do, with whatever it is asked
)

// Frame is the text as it is put before the model.
func (k Kind) Frame(text string) string {
	if k == Document {
		return "Answer from this text, briefly.\n\n" + text
	}
	return text
}

// A seed makes the model write the first message of a conversation about the text in its
// context: it is asked to, and the message's first words are put into its mouth, without
// which small models talk about the task instead.
type seed struct {
	ask      string
	openings []string
}

// seeds say nothing of any text: structure, summary, question, use, creation (Eyuboglu et
// al. 2025, §4.1).
var seeds = map[Kind][]seed{
	Document: {
		{"Ask for a list of facts from the text above, in one short sentence.", []string{"List the", "Name all the", "Make a list of the"}},
		{"Ask for a short summary of one part of the text above, in one sentence.", []string{"Summarise what the text says about", "Tell me in one sentence about", "Describe the"}},
		{"Ask one short question about a name, a number or a place in the text above.", []string{"Who", "How many", "When", "Where", "In which year", "What is the name of"}},
		{"Ask one short question that somebody who needs the text above would ask.", []string{"How can I", "Which", "At what time", "What does the", "How much"}},
		{"Ask one short question about a small detail in the text above.", []string{"Why", "What colour", "What happened", "What is the", "How"}},
	},
	Instruction: {
		{"Write one short request for a list that somebody could send you.", []string{"Please list", "Give me some", "Which"}},
		{"Write one short request for an explanation that somebody could send you.", []string{"Please explain", "Tell me about", "What is"}},
		{"Write one short question that somebody could send you.", []string{"Who", "Where", "When", "How", "Can I", "Is there"}},
		{"Write one short message in which somebody asks you for help with a problem.", []string{"I have lost", "My", "I cannot", "Help me"}},
		{"Write one short and surprising message that somebody could send you.", []string{"Hello", "Why", "What if", "I think"}},
	},
}
