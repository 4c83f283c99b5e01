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

// seeds make the model write the first message of a conversation about the text in its
// context. They say nothing of any text: structure, summary, question, use, creation
// (Eyuboglu et al. 2025, §4.1).
var seeds = map[Kind][]string{
	Document: {
		"Ask for a list of facts from the text above, in one short sentence that says which facts. Write only the request.",
		"Ask for a short summary of one part of the text above, in one sentence that names the part. Write only the request.",
		"Ask one short question about a name, a number or a place in the text above. Write only the question.",
		"Ask one short question that somebody who visits or uses what the text above describes would ask. Write only the question.",
		"Ask one short question about a small detail in the text above that is easy to miss. Write only the question.",
	},
	Instruction: {
		"Write one short request for a list that somebody could send you. Write only the request.",
		"Write one short request for a summary or an explanation that somebody could send you. Write only the request.",
		"Write one short question that somebody could send you. Write only the question.",
		"Write one short message in which somebody asks you for help with a problem. Write only the message.",
		"Write one short and surprising message that somebody could send you. Write only the message.",
	},
}
