package clickmesh

import (
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	v1 "github.com/clickmesh/clickmesh/gen/go/clickmesh/v1"
)

// Tag and length in front of an event of a call.
const eventOverhead = 5

// prepare copies an event, gives it an id and a time if it has none, checks and serializes it.
func prepare(event Event, now time.Time) (*Completed, *Rejected) {
	if completed, ok := event.(*Completed); ok && completed != nil && completed.bytes != nil {
		return completed, nil
	}
	if value := reflect.ValueOf(event); event == nil || value.Kind() == reflect.Pointer && value.IsNil() {
		event = generated{}
	}
	message, isOwned, wrong := event.build(now)
	var fields protoreflect.Message
	var known *eventType
	if message != nil {
		if arm := message.ProtoReflect().WhichOneof(eventCases); arm != nil {
			fields, known = message.ProtoReflect().Get(arm).Message(), eventTypes[arm.Number()]
		}
	}
	if fields == nil || !fields.IsValid() {
		return reject(&Completed{message: message}, unknownType())
	}
	badEntries := known.badEntries(fields)
	// An owned one has what was given: a time of 0 in it is no absent one.
	if !isOwned && (badEntries != nil || !fields.Has(known.id) || !fields.Has(known.timestamp)) {
		message = proto.CloneOf(message)
		fields = message.ProtoReflect().Get(message.ProtoReflect().WhichOneof(eventCases)).Message()
		known.complete(fields, now)
	}
	completed := &Completed{id: fields.Get(known.id).String(), millis: fields.Get(known.timestamp).Int(), message: message}
	completed.ignored = known.leaveOut(fields, badEntries)
	completed.wrong = wrong
	if wrong == nil {
		wrong = known.check(fields, now)
	}
	if wrong != nil {
		return reject(completed, wrong)
	}
	bytes, err := proto.MarshalOptions{}.Marshal(message)
	if err != nil {
		return reject(completed, &fault{
			field: "event", reason: v1.RejectReason_REJECT_REASON_MALFORMED, message: "event can't be serialized: " + err.Error(),
		})
	}
	if len(bytes) > maxEventBytes {
		return reject(completed, tooLarge(len(bytes)))
	}
	completed.bytes, completed.message = bytes, nil
	return completed, nil
}

// reject keeps a copy of what the caller may still change.
func reject(completed *Completed, wrong *fault) (*Completed, *Rejected) {
	completed.message = proto.CloneOf(completed.message)
	return nil, &Rejected{Event: completed, Rejection: &v1.Rejection{
		EventId: strings.ToValidUTF8(completed.id[:min(len(completed.id), maxIDBytes)], "\uFFFD"),
		Field:   wrong.field, Reason: wrong.reason, Limit: wrong.limit, Message: wrong.message, Received: wrong.received,
	}}
}

func (t *eventType) complete(fields protoreflect.Message, now time.Time) {
	if !fields.Has(t.id) {
		fields.Set(t.id, protoreflect.ValueOfString(newUUID()))
	}
	if !fields.Has(t.timestamp) {
		fields.Set(t.timestamp, protoreflect.ValueOfInt64(now.UnixMilli()))
	}
}

// badEntries are the keys of entries of metadata that Protobuf has no way to write.
func (t *eventType) badEntries(fields protoreflect.Message) map[string]bool {
	var bad map[string]bool
	for _, i := range t.maps {
		fields.Get(t.fields[i].number).Map().Range(func(key protoreflect.MapKey, value protoreflect.Value) bool {
			if !utf8.ValidString(key.String()) || !utf8.ValidString(value.String()) {
				if bad == nil {
					bad = map[string]bool{}
				}
				bad[key.String()] = true
			}
			return true
		})
	}
	return bad
}

// leaveOut puts a map without the entries in place of the one that has them, and returns their names.
func (t *eventType) leaveOut(fields protoreflect.Message, bad map[string]bool) (ignored []string) {
	if bad == nil {
		return nil
	}
	for _, i := range t.maps {
		good := fields.NewField(t.fields[i].number).Map()
		fields.Get(t.fields[i].number).Map().Range(func(key protoreflect.MapKey, value protoreflect.Value) bool {
			if bad[key.String()] {
				ignored = append(ignored, cut(t.fields[i].name+"."+key.String()))
			} else {
				good.Set(key, value)
			}
			return true
		})
		fields.Set(t.fields[i].number, protoreflect.ValueOfMap(good))
	}
	return ignored
}

// calls splits events into what the gateway takes at once.
func calls(events []*Completed) [][]*Completed {
	var all [][]*Completed
	start, bytes := 0, 0
	for i, event := range events {
		size := len(event.bytes) + eventOverhead
		if i > start && (i-start == maxCallEvents || bytes+size > maxBatchBytes) {
			all = append(all, events[start:i])
			start, bytes = i, 0
		}
		bytes += size
	}
	if start < len(events) {
		all = append(all, events[start:])
	}
	return all
}

// A call of several events has at most so many bytes: a little less than the gateway takes.
const maxBatchBytes = 1_000_000

// serialized are events of one request, which has them as its field 1, whichever request it is.
type serialized []*Completed

func (s serialized) appendTo(bytes []byte) []byte {
	for _, event := range s {
		bytes = protowire.AppendTag(bytes, 1, protowire.BytesType)
		bytes = protowire.AppendBytes(bytes, event.bytes)
	}
	return bytes
}
