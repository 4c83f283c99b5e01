package site

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"prelude/prefix/adapter"
)

// MaxRecord bounds a record: KV returns up to 1 KiB beside a key.
const MaxRecord = 1 << 10

// Card is what a gallery shows of a shared prefix. Every text is plain text.
type Card struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	Task        string    `json:"task"`
	About       string    `json:"about"`
	Model       string    `json:"model"`       // a bundled model's name or "owner/name"
	Fingerprint string    `json:"fingerprint"` // of the frozen weights
	Method      string    `json:"method"`      // peft_type
	Slots       int       `json:"slots"`
	Bytes       int64     `json:"bytes"` // of the zip
	ValLoss     float64   `json:"valLoss"`
	BaseLoss    float64   `json:"baseLoss"`
	Created     time.Time `json:"created"`
}

// Record is what storage keeps of a prefix: its card and the hash of its secret.
type Record struct {
	Card   Card   `json:"card"`
	Secret string `json:"secret"` // SHA-256 of the secret, base64
}

var encoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// identify names content by the first 160 bits of its SHA-256.
func identify(data []byte) string {
	sum := sha256.Sum256(data)
	return encoding.EncodeToString(sum[:20])
}

var idPattern = regexp.MustCompile(`^[a-z2-7]{32}$`)

// newRecord makes the record of an upload, and the secret that deletes it.
func newRecord(data []byte, a *adapter.Adapter, now time.Time) (Record, string, error) {
	p := a.Prelude
	card := Card{
		ID: identify(data), Name: p.Name, Task: p.Task, About: p.About,
		Model: p.Model.Name, Fingerprint: p.Model.Fingerprint, Method: a.Config.PeftType,
		Slots: a.Config.NumVirtualTokens, Bytes: int64(len(data)),
		ValLoss: p.Run.ValLoss, BaseLoss: p.Run.Base, Created: now.UTC().Truncate(time.Millisecond),
	}
	random := make([]byte, 32)
	rand.Read(random)
	secret := base64.RawURLEncoding.EncodeToString(random)
	r := Record{card, HashSecret(secret)}
	if text := r.encode(); len(text) > MaxRecord {
		return r, "", fmt.Errorf("its card takes %d bytes of the %d there are; shorten name, task or about", len(text), MaxRecord)
	}
	return r, secret, nil
}

// HashSecret is what storage keeps of a secret: its SHA-256 in base64.
func HashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// opens reports in constant time whether a secret has this hash.
func opens(hash, secret string) bool {
	return subtle.ConstantTimeCompare([]byte(HashSecret(secret)), []byte(hash)) == 1
}

func (r Record) encode() []byte { return encode(r) }

// encode is JSON in one line, with < and > as they are.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // a record's types always encode: an adapter's numbers are finite, being JSON
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// group names the gallery of a model and a task, either of which may be "" for all.
func group(model, task string) string {
	sum := sha256.Sum256([]byte(model + "\x00" + strings.ToLower(task)))
	return encoding.EncodeToString(sum[:10])
}

// groups are all galleries that a card is in.
func (c Card) groups() []string {
	all := []string{group("", ""), group(c.Model, "")}
	if c.Task != "" {
		all = append(all, group("", c.Task), group(c.Model, c.Task))
	}
	return all
}

// key orders a gallery: newest first.
func (c Card) key() string {
	return fmt.Sprintf("%012x-%s", 1<<48-1-c.Created.UnixMilli(), c.ID)
}

// Restore puts a stored record back into an index that was lost.
func Restore(ctx context.Context, x Index, record []byte) error {
	var r Record
	if err := json.Unmarshal(record, &r); err != nil {
		return fmt.Errorf("site: record: %w", err)
	}
	if !idPattern.MatchString(r.Card.ID) {
		return errors.New("site: record without an id")
	}
	return x.Put(ctx, r.Card.groups(), r.Card.key(), encode(r.Card))
}
