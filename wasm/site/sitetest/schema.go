package sitetest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
)

// node is a JSON object of the description.
type node = map[string]any

// description is openapi.json.
type description struct {
	root node
	seen map[string]bool // "method path status code", code only where it refuses
}

func describe(text []byte) (*description, error) {
	d := &description{seen: map[string]bool{}}
	return d, json.Unmarshal(text, &d.root)
}

// at follows keys from the root; nil where there is nothing.
func (d *description) at(keys ...string) node {
	n := d.root
	for _, k := range keys {
		n, _ = n[k].(node)
	}
	return n
}

// resolve follows a "$ref".
func (d *description) resolve(n node) node {
	ref, ok := n["$ref"].(string)
	if !ok {
		return n
	}
	return d.at(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
}

// template finds the described path that a request's path belongs to.
func (d *description) template(path string) string {
	for template := range d.at("paths") {
		pattern := regexp.QuoteMeta(template)
		pattern = strings.ReplaceAll(pattern, `\{id\}`, `[^/]+`)
		if regexp.MustCompile("^" + pattern + "$").MatchString(path) {
			return template
		}
	}
	return ""
}

// promised lists every answer that the description lists, as in seen.
func (d *description) promised() []string {
	var all []string
	for path, operations := range d.at("paths") {
		for method := range operations.(node) {
			if method == "parameters" {
				continue
			}
			for status, response := range d.at("paths", path, method, "responses") {
				codes := []string{""}
				if response := response.(node); response["$ref"] != nil {
					codes = strings.Split(response["description"].(string), ", ")
				}
				for _, code := range codes {
					all = append(all, strings.TrimSpace(method+" "+path+" "+status+" "+code))
				}
			}
		}
	}
	slices.Sort(all)
	return all
}

// check holds one answer to the description: the status is listed for the
// operation, a refusal's code is listed for the status, the headers named are
// there, and the body is what the schema says.
func (d *description) check(method, path string, status int, header func(string) string, body []byte) error {
	method = strings.ToLower(method)
	if method == "head" {
		return nil // as get, without a body
	}
	template := d.template(path)
	operation := d.at("paths", template, method)
	if template == "" || operation == nil {
		if status != 404 && status != 405 {
			return fmt.Errorf("%s %s answers %d and is not described", method, path, status)
		}
		return d.validate(node{"$ref": "#/components/schemas/Refusal"}, body)
	}
	listed := d.at("paths", template, method, "responses", fmt.Sprint(status))
	if listed == nil {
		return fmt.Errorf("%s %s: status %d is not described; body %s", method, template, status, body)
	}
	key := fmt.Sprintf("%s %s %d", method, template, status)
	response := d.resolve(listed)
	if listed["$ref"] != nil {
		var refusal struct{ Error struct{ Code string } }
		if err := json.Unmarshal(body, &refusal); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		if !slices.Contains(strings.Split(listed["description"].(string), ", "), refusal.Error.Code) {
			return fmt.Errorf("%s: code %q is not described", key, refusal.Error.Code)
		}
		key += " " + refusal.Error.Code
	} else {
		headers, _ := response["headers"].(node)
		for name := range headers {
			if header(name) == "" {
				return fmt.Errorf("%s has no header %s", key, name)
			}
		}
	}
	d.seen[key] = true
	content, _ := response["content"].(node)
	if content == nil {
		if len(body) > 0 {
			return fmt.Errorf("%s has a body of %d bytes", key, len(body))
		}
		return nil
	}
	for media, described := range content {
		if got := header("Content-Type"); got != media {
			return fmt.Errorf("%s is %s, want %s", key, got, media)
		}
		if media == "application/json" {
			if err := d.validate(described.(node)["schema"].(node), body); err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
		}
	}
	return nil
}

func (d *description) validate(schema node, text []byte) error {
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return fmt.Errorf("%w: %s", err, text)
	}
	return d.matches(schema, value, "body")
}

// matches is the part of JSON Schema that the description uses.
func (d *description) matches(schema node, value any, where string) error {
	schema = d.resolve(schema)
	switch want := schema["type"].(string); v := value.(type) {
	case node:
		if want != "object" {
			return fmt.Errorf("%s is an object, want %s", where, want)
		}
		return d.matchesObject(schema, v, where)
	case []any:
		if want != "array" {
			return fmt.Errorf("%s is an array, want %s", where, want)
		}
		for i, item := range v {
			if err := d.matches(schema["items"].(node), item, fmt.Sprintf("%s[%d]", where, i)); err != nil {
				return err
			}
		}
		return nil
	case string:
		return matchesString(schema, v, where)
	case float64:
		if want != "number" && (want != "integer" || v != float64(int64(v))) {
			return fmt.Errorf("%s is %v, want %s", where, v, want)
		}
		if low, ok := schema["minimum"].(float64); ok && v < low {
			return fmt.Errorf("%s is %v, less than %v", where, v, low)
		}
		if high, ok := schema["maximum"].(float64); ok && v > high {
			return fmt.Errorf("%s is %v, more than %v", where, v, high)
		}
		return nil
	default:
		return fmt.Errorf("%s is %v, which the description never has", where, reflect.TypeOf(value))
	}
}

func (d *description) matchesObject(schema, value node, where string) error {
	properties, _ := schema["properties"].(node)
	required, _ := schema["required"].([]any)
	for _, name := range required {
		if _, ok := value[name.(string)]; !ok {
			return fmt.Errorf("%s lacks %q", where, name)
		}
	}
	for name, v := range value {
		property, ok := properties[name].(node)
		if !ok {
			if schema["additionalProperties"] == false {
				return fmt.Errorf("%s has %q, which is not described", where, name)
			}
			continue
		}
		if err := d.matches(property, v, where+"."+name); err != nil {
			return err
		}
	}
	return nil
}

func matchesString(schema node, v, where string) error {
	if schema["type"] != "string" {
		return fmt.Errorf("%s is %q, want %v", where, v, schema["type"])
	}
	if most, ok := schema["maxLength"].(float64); ok && len(v) > int(most) {
		return fmt.Errorf("%s is %q, longer than %v", where, v, most)
	}
	if pattern, ok := schema["pattern"].(string); ok && !regexp.MustCompile(pattern).MatchString(v) {
		return fmt.Errorf("%s is %q, which is not like %s", where, v, pattern)
	}
	if choices, ok := schema["enum"].([]any); ok && !slices.Contains(choices, any(v)) {
		return fmt.Errorf("%s is %q, not one of %v", where, v, choices)
	}
	if schema["format"] == "date-time" {
		if _, err := time.Parse(time.RFC3339Nano, v); err != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
	}
	return nil
}
