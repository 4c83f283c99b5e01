package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"reflect"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"prelude/prefix/data"
)

// maxRows bounds the rows that are read of a Parquet table: what it says of their number
// costs no bytes.
const maxRows = 50 * data.DefaultMaxRows

// fromParquet writes the rows of a Parquet table as JSON Lines, a column a key; of a table
// that is larger than what is read of a file, the first rows. The page reads the same with
// wasm/parquet: this reader would add 2.9 MB to what a browser loads, compressed.
func fromParquet(file []byte) (lines []byte, err error) {
	defer func() { // the reader trusts some of a file's numbers
		if r := recover(); r != nil {
			lines, err = nil, fmt.Errorf("the Parquet table is broken: %v", r)
		}
	}()
	if err := checkFooter(file); err != nil {
		return nil, err
	}
	f, err := parquet.OpenFile(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, fmt.Errorf("the Parquet table is broken: %w", err)
	}
	if len(f.Schema().Columns()) == 0 {
		return nil, errors.New("the Parquet table has no columns")
	}
	classes := classNames(f)
	rows := parquet.NewReader(f)
	defer rows.Close()
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	for n := 0; n < maxRows && out.Len() < data.DefaultMaxBytes; n++ {
		end, row := out.Len(), map[string]any{}
		err := rows.Read(&row)
		if errors.Is(err, io.EOF) {
			return out.Bytes(), nil
		} else if err != nil {
			return nil, fmt.Errorf("the Parquet table is broken: %w", err)
		}
		tidied := tidy(f.Schema(), row).(map[string]any)
		for column, names := range classes {
			if i, ok := tidied[column].(int64); ok && i >= 0 && i < int64(len(names)) {
				tidied[column] = names[i]
			}
		}
		if err := e.Encode(tidied); err != nil {
			return nil, fmt.Errorf("a row of the Parquet table can't be written as JSON: %w", err)
		}
		if out.Len() > data.DefaultMaxBytes {
			out.Truncate(end)
			break
		}
	}
	return out.Bytes(), nil
}

// classNames finds the names that datasets keeps of classes, whose columns hold their numbers.
func classNames(f *parquet.File) map[string][]string {
	text, ok := f.Lookup("huggingface")
	if !ok {
		return nil
	}
	var said struct {
		Info struct {
			Features map[string]json.RawMessage
		}
	}
	if json.Unmarshal([]byte(text), &said) != nil {
		return nil
	}
	all := map[string][]string{}
	for column, feature := range said.Info.Features {
		var class struct {
			Type  string `json:"_type"`
			Names []string
		}
		if json.Unmarshal(feature, &class) == nil && class.Type == "ClassLabel" {
			all[column] = class.Names
		}
	}
	return all
}

// tidy gives a value of a column the form that it has in JSON: dates and times by ISO 8601,
// decimals as numbers, what is no number as null.
func tidy(node parquet.Node, v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		fields := fieldsOf(node)
		for key, item := range v {
			var of parquet.Node
			for _, f := range fields {
				if f.Name() == key {
					of = f
				}
			}
			if isMap := logical[format.MapType](node) != nil; isMap && len(fields) == 1 && len(fields[0].Fields()) == 2 {
				of = fields[0].Fields()[1]
			}
			out[key] = tidy(of, item)
		}
		return out
	case []any:
		if fields := fieldsOf(node); logical[format.ListType](node) != nil && len(fields) == 1 {
			node = fields[0]
			if inner := fieldsOf(node); len(inner) == 1 {
				node = inner[0]
			}
		}
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = tidy(node, item)
		}
		return out
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
	case float32:
		if x := float64(v); math.IsNaN(x) || math.IsInf(x, 0) {
			return nil
		}
	case *big.Float:
		x, _ := v.Float64()
		return x
	case int32:
		if logical[format.DateType](node) != nil {
			return time.Unix(int64(v)*86400, 0).UTC().Format(time.DateOnly)
		}
		return int64(v)
	case int64:
		if i := logical[format.IntType](node); i != nil && !i.IsSigned {
			return uint64(v)
		}
		if at := logical[format.TimestampType](node); at != nil {
			switch at.Unit.Value.(type) {
			case *format.MilliSeconds:
				return clock(time.UnixMilli(v))
			case *format.MicroSeconds:
				return clock(time.UnixMicro(v))
			}
			return clock(time.Unix(0, v))
		}
	case string:
		var within any
		if logical[format.JsonType](node) != nil && json.Unmarshal([]byte(v), &within) == nil {
			return within
		}
	default:
		if p := reflect.ValueOf(v); p.Kind() == reflect.Pointer { // values of maps
			if p.IsNil() {
				return nil
			}
			return tidy(node, p.Elem().Interface())
		}
	}
	return v
}

// clock is a point in time without its zone, with the digits of its second that are not zero.
func clock(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.999999999") }

func fieldsOf(node parquet.Node) []parquet.Field {
	if node == nil || node.Leaf() {
		return nil
	}
	return node.Fields()
}

// logical is what a column's values mean, where it is T; else nil.
func logical[T any](node parquet.Node) *T {
	if node == nil || node.Type() == nil || node.Type().LogicalType() == nil {
		return nil
	}
	t, _ := node.Type().LogicalType().Value.(any).(*T)
	return t
}
