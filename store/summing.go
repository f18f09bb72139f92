package store

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/peanuts-router/peanuts-router/engine"
)

// castagnoli is the table of CRC-32C, for which processors have an instruction.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// summing gathers the values of a row for their sum. It can be used again, one row after the other.
type summing struct {
	gathered []byte
	long     uint32 // of the values before what is gathered
}

// What a value is, so that no two rows of other values gather the same bytes.
const (
	isNone   = 0
	isNumber = 1
	isBytes  = 2
)

func (s *summing) none() { s.gathered = append(s.gathered, isNone) }

func (s *summing) number(n int64) {
	s.gathered = binary.LittleEndian.AppendUint64(append(s.gathered, isNumber), uint64(n))
}

func (s *summing) text(text string) {
	s.begin(len(text))
	s.gathered = append(s.gathered, text...)
}

// bytes are not copied: they may be many.
func (s *summing) bytes(bytes []byte) {
	s.begin(len(bytes))
	s.long = crc32.Update(crc32.Update(s.long, castagnoli, s.gathered), castagnoli, bytes)
	s.gathered = s.gathered[:0]
}

func (s *summing) begin(length int) {
	s.gathered = binary.LittleEndian.AppendUint32(append(s.gathered, isBytes), uint32(length))
}

// value gathers a value that may be none.
func (s *summing) value(v any) {
	switch v := v.(type) {
	case string:
		s.text(v)
	case int64:
		s.number(v)
	case nil:
		s.none()
	default:
		panic(fmt.Sprintf("the sum of a %T", v))
	}
}

// crc is the sum of what was gathered, and begins anew.
func (s *summing) crc() int64 {
	sum := crc32.Update(s.long, castagnoli, s.gathered)
	s.gathered, s.long = s.gathered[:0], 0
	return int64(sum)
}

// sum is that of the row of an event on its way into the store.
func (a *accepting) sum(s *summing, generation int64, judgement any) int64 {
	e := a.Event
	s.text(string(a.ID))
	s.number(a.timestamp())
	s.bytes(a.digest[:])
	s.number(a.ReceivedAt.UnixMilli())
	s.text(e.Event)
	s.text(e.Helper.Command)
	s.text(e.Entry.ID)
	s.number(generation)
	s.value(judgement)
	return s.crc()
}

// sum is that of the row of a new delivery.
func (d *standing) sum(s *summing, row int64, owed *engine.Owed, created int64, replay any) int64 {
	s.number(row)
	s.text(string(owed.Rule))
	s.number(int64(owed.Step))
	s.text(string(owed.Action))
	s.text(string(owed.Kind))
	s.bytes(owed.Message)
	s.value(d.entry)
	s.value(d.at)
	s.value(d.sync)
	s.value(d.line)
	s.number(created)
	s.value(replay)
	return s.crc() + d.due + d.generation
}

// entry is the sum of the row of an entry.
func (s *summing) entry(id, version string, deleted bool, event int64) int64 {
	s.text(id)
	s.text(version)
	if deleted {
		s.number(1)
	} else {
		s.number(0)
	}
	s.number(event)
	return s.crc()
}

// contribution is the sum of the row of what an entry adds to a stat.
func (s *summing) contribution(stat int64, entry string, c *engine.Contribution) int64 {
	s.number(stat)
	for _, text := range []string{entry, c.Day, c.User, c.Group, c.Unit, c.Value} {
		s.text(text)
	}
	return s.crc()
}

// told is the sum of what is told of a delivery's last attempt; at and took are none unless it delivered.
func (s *summing) told(status, reason string, at, took any) int64 {
	s.text(status)
	s.text(reason)
	s.value(at)
	s.value(took)
	return s.crc()
}
