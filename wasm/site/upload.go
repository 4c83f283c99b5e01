package site

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"regexp"
	"sync/atomic"
	"time"

	"prelude/prefix/adapter"
)

const (
	// MaxUpload bounds an upload, in bytes.
	MaxUpload = 16 << 20
	// maxTensors bounds what an upload may inflate to: trained floats hardly
	// compress, so more than this is no adapter.
	maxTensors = 24 << 20
	// maxBuffered bounds the bytes of all uploads under way, and maxParsing how many are
	// read at once, each of which inflates to at most maxTensors.
	maxBuffered = 256 << 20
	maxParsing  = 4
	// maxLoss is the largest loss that a card may claim, in nats a token: a uniform guess
	// among a hundred million tokens.
	maxLoss = 20

	defaultBodyTime = 2 * time.Minute

	// maxDrain is how long the rest of a refused upload is read.
	maxDrain = 5 * time.Second
)

// Uploaded answers an upload. Secret is empty where the same bytes were here already.
type Uploaded struct {
	Prefix Card   `json:"prefix"`
	Secret string `json:"secret,omitempty"`
}

func (a *API) upload(w http.ResponseWriter, r *http.Request) {
	if !a.allowed(w, r, Write) {
		return
	}
	data, refusal := a.receive(w, r)
	defer func() { a.buffered.Add(-int64(cap(data))) }()
	if refusal != nil {
		a.drain(w, r)
		w.Header().Set("Connection", "close")
		refuse(w, r, refusal)
		return
	}
	parsed, refusal := a.parse(r.Context(), data)
	if refusal != nil {
		refuse(w, r, refusal)
		return
	}
	record, secret, err := newRecord(data, parsed, time.Now())
	if err != nil {
		refuse(w, r, errNotAdapter.because(err))
		return
	}
	if a.Quota != nil {
		ok, err := a.Quota.Spend(r.Context(), address(r), int64(len(data)))
		if err != nil {
			a.fail(w, r, err)
			return
		}
		if !ok {
			w.Header().Set("Retry-After", "3600")
			refuse(w, r, errQuota)
			return
		}
	}
	created, err := a.Objects.Create(r.Context(), record.Card.ID, record.encode(), data)
	if errors.Is(err, ErrFull) {
		a.Log.Error("full", "cause", err.Error())
		refuse(w, r, errFull)
		return
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	status := http.StatusCreated
	if !created {
		status, secret = http.StatusOK, ""
		if record, err = a.stored(r.Context(), record.Card.ID); err != nil {
			a.fail(w, r, err)
			return
		}
	}
	// Also for what was there: an upload that broke off here is made whole by the next.
	if err := a.Index.Put(r.Context(), record.Card.groups(), record.Card.key(), encode(record.Card)); err != nil {
		a.fail(w, r, err)
		return
	}
	w.Header().Set("Location", "/api/prefixes/"+record.Card.ID)
	w.Header().Set("Cache-Control", "no-store")
	answer(w, r, status, Uploaded{record.Card, secret})
}

func (a *API) stored(ctx context.Context, id string) (record Record, err error) {
	text, data, _, err := a.Objects.Open(ctx, id)
	if err != nil {
		return record, err
	}
	data.Close()
	return record, json.Unmarshal(text, &record)
}

// receive reads the body, refusing as soon as it can be told that it won't do.
// The capacity of what it returns is counted in a.buffered.
func (a *API) receive(w http.ResponseWriter, r *http.Request) ([]byte, *Refusal) {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/zip" {
		// Another site's page can send this type only after asking, and is told no.
		return nil, errNotTyped
	}
	if r.ContentLength > MaxUpload {
		return nil, errTooLarge
	}
	if r.Body == nil {
		return nil, errNotZip
	}
	limit := a.BodyTime
	if limit == 0 {
		limit = defaultBodyTime
	}
	late := startDeadline(w, r, limit)
	defer late.stop()
	var data []byte
	for {
		if len(data) == cap(data) {
			// By half as much again; to the length announced once a good part of it has
			// come, so that whoever only announces holds little.
			size := max(64<<10, cap(data)+cap(data)/2)
			if r.ContentLength > 0 && cap(data) >= 4<<20 {
				size = max(size, int(r.ContentLength)+1)
			}
			grown := make([]byte, len(data), size)
			if a.buffered.Add(int64(cap(grown)-cap(data))) > maxBuffered {
				a.buffered.Add(int64(cap(data) - cap(grown)))
				w.Header().Set("Retry-After", "10")
				return data, errBusy
			}
			copy(grown, data)
			data = grown
		}
		n, err := r.Body.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case late.passed():
			return data, errSlowBody
		case len(data) > MaxUpload:
			return data, errTooLarge
		case len(data) >= len(zipMagic) && !bytes.HasPrefix(data, zipMagic):
			return data, errNotZip
		case err == io.EOF:
			if r.ContentLength >= 0 && int64(len(data)) != r.ContentLength {
				return data, errTruncated
			}
			return data, nil
		case err != nil:
			return data, errTruncated
		}
	}
}

// drain reads and drops what is left of a refused body, up to a bound: a client that
// still writes when its connection is closed is told of a reset and never reads the
// refusal (RFC 9112, section 9.6).
func (a *API) drain(w http.ResponseWriter, r *http.Request) {
	if r.Body == nil {
		return
	}
	late := startDeadline(w, r, maxDrain)
	defer late.stop()
	io.CopyN(io.Discard, r.Body, 2*MaxUpload)
}

var zipMagic = []byte("PK\x03\x04")

// deadline ends the reading of a body in time, by whatever means the home has: a
// deadline of the connection natively, closing the stream at the edge.
type deadline struct {
	timer   *time.Timer
	expired atomic.Bool
}

func startDeadline(w http.ResponseWriter, r *http.Request, limit time.Duration) *deadline {
	d := &deadline{}
	connection := http.NewResponseController(w)
	d.timer = time.AfterFunc(limit, func() {
		d.expired.Store(true)
		if errors.Is(connection.SetReadDeadline(time.Now()), http.ErrNotSupported) {
			r.Body.Close()
		}
	})
	return d
}

func (d *deadline) passed() bool { return d.expired.Load() }

func (d *deadline) stop() { d.timer.Stop() }

// Names of models: on the Hugging Face hub, and of a folder under models/.
var (
	hubName     = regexp.MustCompile(`^[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}$`)
	bundledName = regexp.MustCompile(`^[A-Za-z0-9][\w.-]{0,63}$`)
)

// parsing holds a place for each upload that is being read.
var parsing = make(chan struct{}, maxParsing)

// parse reads an upload whole and asks whether anybody could use it.
func (a *API) parse(ctx context.Context, data []byte) (*adapter.Adapter, *Refusal) {
	select {
	case parsing <- struct{}{}:
		defer func() { <-parsing }()
	case <-ctx.Done():
		return nil, errTruncated
	}
	parsed, err := adapter.ReadMax(bytes.NewReader(data), int64(len(data)), maxTensors)
	switch {
	case errors.Is(err, adapter.ErrNotZip):
		return nil, errNotZip
	case err != nil:
		return nil, errNotAdapter.because(err)
	case parsed.Prelude.Format == 0:
		return nil, errNotAdapter.because(errors.New("it has no prelude.json, which says for which weights it is; import it into the page and export it again"))
	case parsed.Prelude.Name == "":
		return nil, errNotAdapter.because(errors.New("prelude.json gives it no name"))
	}
	for name, loss := range map[string]float64{"valLoss": parsed.Prelude.Run.ValLoss, "baseLoss": parsed.Prelude.Run.Base} {
		if !(loss >= 0 && loss <= maxLoss) {
			return nil, errNotAdapter.because(fmt.Errorf("prelude.json says %s %g, want 0 to %d nats a token", name, loss, maxLoss))
		}
	}
	model := parsed.Prelude.Model
	known := hubName.MatchString(model.Name) || bundledName.MatchString(model.Name) && a.Bundled(ctx, model.Name)
	if model.Fingerprint == "" || !known {
		return nil, errUnknownModel
	}
	return parsed, nil
}
