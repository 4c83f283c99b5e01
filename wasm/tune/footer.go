package main

import (
	"encoding/binary"
	"errors"
)

var errFooter = errors.New("the Parquet table is broken: its footer has numbers that its bytes can't hold")

// checkFooter refuses a Parquet file whose footer says that it has more than it can: the
// reader makes room for what it is told. The footer is a struct in Thrift's compact protocol,
// and every list, map and text in it takes a byte an item at least.
func checkFooter(file []byte) error {
	if len(file) < 12 {
		return errFooter
	}
	n := int64(binary.LittleEndian.Uint32(file[len(file)-8:]))
	if n > int64(len(file)-12) {
		return errFooter
	}
	t := thrift{rest: file[len(file)-8-int(n) : len(file)-8]}
	return t.value(thriftStruct, 0)
}

// thrift walks over values of the compact protocol.
type thrift struct{ rest []byte }

// Types of the compact protocol.
const (
	thriftTrue, thriftFalse, thriftByte, thriftI16, thriftI32, thriftI64 = 1, 2, 3, 4, 5, 6
	thriftDouble, thriftBinary, thriftList, thriftSet, thriftMap         = 7, 8, 9, 10, 11
	thriftStruct                                                         = 12
)

func (t *thrift) skip(n uint64) error {
	if n > uint64(len(t.rest)) {
		return errFooter
	}
	t.rest = t.rest[n:]
	return nil
}

func (t *thrift) next() (byte, error) {
	if len(t.rest) == 0 {
		return 0, errFooter
	}
	b := t.rest[0]
	t.rest = t.rest[1:]
	return b, nil
}

func (t *thrift) number() (uint64, error) {
	x, n := binary.Uvarint(t.rest)
	if n <= 0 {
		return 0, errFooter
	}
	return x, t.skip(uint64(n))
}

// items walks over n values of types.
func (t *thrift) items(n uint64, depth int, types ...byte) error {
	if n > uint64(len(t.rest)) {
		return errFooter
	}
	for range n {
		for _, kind := range types {
			if kind == thriftTrue || kind == thriftFalse { // in a list a byte
				kind = thriftByte
			}
			if err := t.value(kind, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *thrift) value(kind byte, depth int) error {
	if depth > 64 {
		return errFooter
	}
	switch kind {
	case thriftTrue, thriftFalse:
		return nil
	case thriftByte:
		return t.skip(1)
	case thriftI16, thriftI32, thriftI64:
		_, err := t.number()
		return err
	case thriftDouble:
		return t.skip(8)
	case thriftBinary:
		n, err := t.number()
		if err != nil {
			return err
		}
		return t.skip(n)
	case thriftList, thriftSet:
		head, err := t.next()
		n := uint64(head >> 4)
		if err == nil && n == 15 {
			n, err = t.number()
		}
		if err != nil {
			return err
		}
		return t.items(n, depth, head&15)
	case thriftMap:
		n, err := t.number()
		if err != nil || n == 0 {
			return err
		}
		types, err := t.next()
		if err != nil {
			return err
		}
		return t.items(n, depth, types>>4, types&15)
	case thriftStruct:
		for {
			head, err := t.next()
			if err != nil || head&15 == 0 {
				return err
			}
			if head>>4 == 0 { // the field's number in full
				if _, err := t.number(); err != nil {
					return err
				}
			}
			if err := t.value(head&15, depth+1); err != nil {
				return err
			}
		}
	}
	return errFooter
}
