package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
)

// Message is any of the types that this package registers.
type Message interface{ wireType() string }

type envelope struct {
	Type string          `json:"type"`
	Body json.RawMessage `json:"body"`
}

var types = map[string]reflect.Type{}

func register(all ...Message) {
	for _, m := range all {
		types[m.wireType()] = reflect.TypeOf(m)
	}
}

// Encode writes m as one JSON text.
func Encode(m Message) (string, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return "", fmt.Errorf("wire: %s: %w", m.wireType(), err)
	}
	text, err := json.Marshal(envelope{m.wireType(), body})
	return string(text), err
}

// Decode reads what Encode wrote. Unknown types and unknown fields are errors.
func Decode(text string) (Message, error) {
	var e envelope
	if err := strict([]byte(text), &e); err != nil {
		return nil, fmt.Errorf("wire: envelope: %w", err)
	}
	t, ok := types[e.Type]
	if !ok {
		return nil, fmt.Errorf("wire: unknown message type %q", e.Type)
	}
	v := reflect.New(t)
	if err := strict(e.Body, v.Interface()); err != nil {
		return nil, fmt.Errorf("wire: %s: %w", e.Type, err)
	}
	return v.Elem().Interface().(Message), nil
}

func strict(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(into)
}
