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
		"Write one short request that asks for some facts of the text above as a list. Write only the request.",
		"Write one short request that asks for a summary of one part of the text above. Write only the request.",
		"Write one short question about a name, a number or a place in the text above. Write only the question.",
		"Write one short question that somebody who needs the text above for their work would ask. Write only the question.",
		"Write one short question about the text above that nobody else would think of. Write only the question.",
	},
	Instruction: {
		"Write one short request for a list that somebody could send you. Write only the request.",
		"Write one short request for a summary or an explanation that somebody could send you. Write only the request.",
		"Write one short question that somebody could send you. Write only the question.",
		"Write one short message in which somebody asks you for help with a problem. Write only the message.",
		"Write one short and surprising message that somebody could send you. Write only the message.",
	},
}
