// Package wire holds the messages between the page and the worker.
//
// The page (ui) and the engine's worker are two programs: they share nothing but
// these types. A message is a small JSON text plus, where a file travels, one
// blob of bytes beside it, so that a model or an adapter is never base64:
//
//	msg, blob := wire.Train{Steps: 200}, []byte(nil)
//	text, err := wire.Encode(msg)          // {"type":"train","body":{…}}
//	…postMessage({text, blob})…
//	got, err := wire.Decode(text)          // wire.Train{Steps: 200}
//
// Requests go from the page to the worker, events from the worker to the page.
// Every request that can fail carries an ID that its answering events repeat;
// an [Error] with that ID ends it. Decode refuses unknown types and unknown
// fields, so the two programs can never drift apart unseen.
package wire
