package site

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
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

// because is the same refusal with the cause in its message.
func (e *Refusal) because(cause error) *Refusal {
	return &Refusal{e.Status, e.Code, e.Message + ": " + cause.Error()}
}

// Every refusal that the handler can give. openapi.json lists the same codes.
var (
	errBadID        = &Refusal{400, "bad_id", "an id is 32 characters of a–z and 2–7"}
	errBadQuery     = &Refusal{400, "bad_query", fmt.Sprintf("limit is a number from 1 to %d, cursor the next of an earlier page", maxPage)}
	errTruncated    = &Refusal{400, "truncated", "the upload ended before its last byte; send it again"}
	errNoSecret     = &Refusal{401, "no_secret", "deleting needs the secret that the upload returned, as Authorization: Bearer <secret>"}
	errWrongSecret  = &Refusal{403, "wrong_secret", "this is not the secret that the upload returned"}
	errNoFile       = &Refusal{404, "not_found", "there is nothing at this address"}
	errNoPrefix     = &Refusal{404, "no_prefix", "there is no prefix of this id; it may have been deleted"}
	errBadMethod    = &Refusal{405, "method_not_allowed", "this address does not take that method; the Allow header lists those it takes"}
	errSlowBody     = &Refusal{408, "slow_body", "the upload took too long; send it again over a better connection"}
	errTooLarge     = &Refusal{413, "too_large", fmt.Sprintf("an upload has at most %d MB; export in float16 or with fewer slots", MaxUpload>>20)}
	errNotTyped     = &Refusal{415, "not_typed", "an upload has Content-Type: application/zip"}
	errNotZip       = &Refusal{422, "not_zip", "the upload is not a zip archive"}
	errNotAdapter   = &Refusal{422, "not_adapter", "the zip is not an adapter that can be shared"}
	errUnknownModel = &Refusal{422, "unknown_model", `prelude.json must name a model that the page can load, a bundled one or "owner/name" on the Hugging Face hub, and the fingerprint of its weights`}
	errLimited      = &Refusal{429, "rate_limited", "too many requests from this address; wait as many seconds as Retry-After says"}
	errInternal     = &Refusal{500, "internal", "the server failed; try again later"}
	errQuota        = &Refusal{429, "quota", "this address has stored as much as it may in a day; wait as many seconds as Retry-After says, or share fewer prefixes"}
	errFull         = &Refusal{507, "full", "the server has no room left for another prefix; reading goes on. Keep the exported file and try again another day"}
	errBusy         = &Refusal{503, "busy", "too many uploads at once; wait as many seconds as Retry-After says"}
)

// refuse answers with a refusal, to HEAD without its text.
func refuse(w http.ResponseWriter, r *http.Request, e *Refusal) {
	if e.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	w.Header().Set("Cache-Control", "no-store")
	answer(w, r, e.Status, map[string]*Refusal{"error": e})
}

func refuseMethod(w http.ResponseWriter, r *http.Request, allow ...string) {
	w.Header().Set("Allow", strings.Join(allow, ", "))
	refuse(w, r, errBadMethod)
}

// answer writes a value as JSON, to HEAD the headers alone.
func answer(w http.ResponseWriter, r *http.Request, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		panic(err) // the handler's own types always encode
	}
	body = append(body, '\n')
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(body)
	}
}
