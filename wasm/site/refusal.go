package site

import (
	"encoding/json"
	"net/http"
	"strings"
)

// Refusal is an answer other than success: its HTTP status, a code that programs
// may depend on, and a sentence that says what is wrong and what to do.
type Refusal struct {
	Status  int    `json:"-"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (e *Refusal) Error() string { return e.Code + ": " + e.Message }

// because is the same refusal with a message that names the cause.
func (e *Refusal) because(message string) *Refusal {
	return &Refusal{e.Status, e.Code, message}
}

// Every refusal that the handler can give.
var (
	errNoFile    = &Refusal{404, "not_found", "there is no such page"}
	errBadMethod = &Refusal{405, "method_not_allowed", "this address does not take that method; the Allow header lists those it takes"}
	errInternal  = &Refusal{500, "internal", "the server failed; nothing was changed, try again later"}
)

func refuse(w http.ResponseWriter, e *Refusal) {
	body, err := json.Marshal(struct {
		Error *Refusal `json:"error"`
	}{e})
	if err != nil {
		panic(err) // two strings always encode
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(e.Status)
	w.Write(append(body, '\n'))
}

func refuseMethod(w http.ResponseWriter, allow ...string) {
	w.Header().Set("Allow", strings.Join(allow, ", "))
	refuse(w, errBadMethod)
}
