package clickmesh

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/reflect/protoreflect"

	v1 "github.com/clickmesh/clickmesh/gen/go/clickmesh/v1"
)

// Most bytes of a serialized event: a call of it alone, with tag and length before it, is what the gateway takes.
const maxEventBytes = maxCallBytes - eventOverhead

// Most bytes of an event id in a rejection.
const maxIDBytes = 128

// field is a field of an event and what must hold for it.
type field struct {
	fieldRule
	number protoreflect.FieldDescriptor
}

// eventType is a case of Event.
type eventType struct {
	fields []field
	// Indices in fields: texts that are stored, all texts, and those of other kinds.
	texts, written, choices, times, numbers, integers, maps []int
	// Indices of the number that is stored as micros, and of those; -1 if there are none.
	from, to int
	// The fields that are filled in.
	id, timestamp protoreflect.FieldDescriptor
}

// Most fields of an event.
const maxFields = 16

// eventTypes are by the field number of their case.
var eventTypes = map[protoreflect.FieldNumber]*eventType{}

var (
	eventDescriptor = (&v1.Event{}).ProtoReflect().Descriptor()
	eventCases      = eventDescriptor.Oneofs().ByName("event")
	// "click, conversion, …"
	eventNames = make([]string, eventCases.Fields().Len())
)

func init() {
	for i := range eventCases.Fields().Len() {
		arm := eventCases.Fields().Get(i)
		eventNames[i] = string(arm.Name())
		eventTypes[arm.Number()] = newEventType(arm.Message(), eventRules[eventNames[i]])
	}
}

func newEventType(message protoreflect.MessageDescriptor, rules []fieldRule) *eventType {
	t := &eventType{from: -1, to: -1}
	known := message.Fields()
	t.id, t.timestamp = known.ByName("event_id"), known.ByName("timestamp")
	for _, rule := range rules {
		t.fields = append(t.fields, field{rule, known.ByName(protoreflect.Name(rule.name))})
		if rule.storedIn != "" {
			t.from = len(t.fields) - 1
			t.to = slices.IndexFunc(rules, func(other fieldRule) bool { return other.name == rule.storedIn })
		}
	}
	ofKind := func(kind string) (indices []int) {
		for i, f := range t.fields {
			if f.kind == kind {
				indices = append(indices, i)
			}
		}
		return indices
	}
	t.texts = append(ofKind("uuid"), ofKind("text")...)
	t.written = slices.Concat(t.texts, ofKind("choice"), ofKind("currency"))
	t.choices, t.times, t.numbers = ofKind("choice"), ofKind("time"), ofKind("number")
	t.integers, t.maps = ofKind("integer"), ofKind("map")
	return t
}

// values are what the fields of an event hold, by index; invalid ones are absent.
type values [maxFields]protoreflect.Value

// check returns the first fault of an event, by the steps of the gateway (services/gateway/event/accept.ts). What only
// that knows it leaves to it: which currency it counts in, and the user of a correction that names none.
func (t *eventType) check(message protoreflect.Message, now time.Time) *fault {
	var has values
	for i, f := range t.fields {
		if f.kind != "map" && (!f.optional || message.Has(f.number)) {
			has[i] = message.Get(f.number)
		}
	}
	for _, step := range [...]func(*eventType, *values, time.Time) *fault{
		requiredFieldsPresent, textsWellFormed, textsShortEnough, idsAreSomebodys, choicesKnown, numberFitsChoice,
		timesInRange, numbersFinite, numbersInRange, storedNumbersAgree,
	} {
		if wrong := step(t, &has, now); wrong != nil {
			if wrong.received == "" {
				wrong.received = t.received(&has, wrong.field)
			}
			return wrong
		}
	}
	return nil
}

func requiredFieldsPresent(t *eventType, has *values, _ time.Time) *fault {
	for i, f := range t.fields {
		if !f.required || f.foundBy != "" || isThere(has[i]) {
			continue
		}
		message := f.name + " is required"
		if f.kind == "time" {
			message += ": it is missing or 0"
		}
		return &fault{field: f.name, reason: v1.RejectReason_REJECT_REASON_REQUIRED, message: message}
	}
	return nil
}

func isThere(value protoreflect.Value) bool {
	switch held := value.Interface().(type) {
	case string:
		return held != ""
	case int64:
		return held != 0
	case nil:
		return false
	default:
		return true
	}
}

func textsWellFormed(t *eventType, has *values, _ time.Time) *fault {
	for _, i := range t.written {
		text := has[i].String()
		if utf8.ValidString(text) && strings.IndexByte(text, 0) < 0 {
			continue
		}
		name := t.fields[i].name
		message := name + " has NUL, half of a surrogate pair, or bytes that are not UTF-8: send it as UTF-8 text"
		return &fault{field: name, reason: v1.RejectReason_REJECT_REASON_MALFORMED, message: message}
	}
	return nil
}

func textsShortEnough(t *eventType, has *values, _ time.Time) *fault {
	for _, i := range t.texts {
		f := &t.fields[i]
		size := len(has[i].String())
		if size <= f.maxBytes {
			continue
		}
		limit := fmt.Sprintf("%d bytes", f.maxBytes)
		message := fmt.Sprintf("%s must have at most %s of UTF-8: it has %d", f.name, limit, size)
		return &fault{field: f.name, reason: v1.RejectReason_REJECT_REASON_TOO_LONG, limit: limit, message: message}
	}
	return nil
}

func idsAreSomebodys(t *eventType, has *values, _ time.Time) *fault {
	for _, i := range t.texts {
		f := &t.fields[i]
		isID := f.kind == "uuid" || f.isId
		if id := has[i].String(); !isID || id == "" || !isNobody(id) {
			continue
		}
		message := f.name + " is a placeholder, not an id: strangers would share it; send the event once the id is known"
		return &fault{field: f.name, reason: v1.RejectReason_REJECT_REASON_PLACEHOLDER, message: message}
	}
	return nil
}

// isNobody tells whether an id is what programs write where there is none, blanks, or the nil UUID.
func isNobody(id string) bool {
	if !isSuspect(id) {
		return false
	}
	for _, pattern := range nobodyPatterns {
		if pattern.MatchString(id) {
			return true
		}
	}
	for _, point := range id {
		isBlank := func(points [2]rune) bool { return point >= points[0] && point <= points[1] }
		if !slices.ContainsFunc(blankRanges, isBlank) {
			return false
		}
	}
	return true
}

// isSuspect tells whether a text begins as one of nobody may.
func isSuspect(id string) bool {
	first := id[0]
	if first <= ' ' || first >= 0x7f || strings.IndexByte("$%(<[{", first) >= 0 {
		return true
	}
	return len(id) > 1 && strings.IndexByte("uUnN0", first) >= 0 && strings.IndexByte("nruiaURoI0", id[1]) >= 0
}

func choicesKnown(t *eventType, has *values, _ time.Time) *fault {
	for _, i := range t.choices {
		f := &t.fields[i]
		if slices.Contains(f.values, has[i].String()) {
			continue
		}
		limit := anyOf(f.values)
		reason := v1.RejectReason_REJECT_REASON_UNKNOWN_CHOICE
		return &fault{field: f.name, reason: reason, limit: limit, message: f.name + " must be " + limit}
	}
	return nil
}

// anyOf is "a", "a or b", or "a, b, or c".
func anyOf(texts []string) string {
	last := len(texts) - 1
	if last < 2 {
		return strings.Join(texts, " or ")
	}
	return strings.Join(texts[:last], ", ") + ", or " + texts[last]
}

func numberFitsChoice(t *eventType, has *values, _ time.Time) *fault {
	for _, i := range t.choices {
		if t.from < 0 || len(t.fields[i].withoutValue) == 0 {
			continue
		}
		from, to := t.fields[t.from].name, t.fields[t.to].name
		chosen := has[i].String()
		given := ""
		if has[t.from].IsValid() {
			given = from
		} else if has[t.to].IsValid() {
			given = to
		}
		mayHave := !slices.Contains(t.fields[i].withoutValue, chosen)
		if mayHave && given == "" {
			message := fmt.Sprintf("%s is required for a %s: send %s or %s", from, chosen, from, to)
			return &fault{field: from, reason: v1.RejectReason_REJECT_REASON_REQUIRED, message: message}
		}
		if !mayHave && given != "" {
			message := fmt.Sprintf("%s and %s contradict each other: a %s has no %s", given, chosen, chosen, from)
			return &fault{field: given, reason: v1.RejectReason_REJECT_REASON_CONTRADICTION, message: message}
		}
	}
	return nil
}

func timesInRange(t *eventType, has *values, now time.Time) *fault {
	for _, i := range t.times {
		f := &t.fields[i]
		ms, earliest, latest := has[i].Int(), f.minMs, now.UnixMilli()+f.maxAheadMs
		if ms >= earliest && ms <= latest {
			continue
		}
		ahead := time.Duration(f.maxAheadMs) * time.Millisecond
		day := time.UnixMilli(earliest).UTC().Format(time.DateOnly)
		limit := fmt.Sprintf("[%s, now + %d h] in milliseconds", day, int64(ahead.Hours()))
		look := lookOf(float64(ms), float64(earliest), float64(latest))
		message := fmt.Sprintf("%s must be in %s: %d %s", f.name, limit, ms, look)
		return &fault{field: f.name, reason: v1.RejectReason_REJECT_REASON_OUT_OF_RANGE, limit: limit, message: message}
	}
	return nil
}

// Latest time that is written as a date, in ms, as JavaScript has it.
const maxDateMillis = 8.64e15

// lookOf is what a time out of range looks like, and what to do. All in ms.
func lookOf(ms, earliest, latest float64) string {
	isTime := func(ms float64) bool { return ms >= earliest && ms <= latest }
	switch {
	case isTime(ms * 1e3):
		return "looks like seconds, multiply by 1,000"
	case isTime(ms / 1e3):
		return "looks like microseconds, divide by 1,000"
	case isTime(ms / 1e6):
		return "looks like nanoseconds, divide by 1,000,000"
	}
	date := ""
	if math.Abs(ms) <= maxDateMillis {
		utc := time.UnixMilli(int64(ms)).UTC()
		year := fmt.Sprintf("%04d", utc.Year())
		if utc.Year() < 0 || utc.Year() > 9999 {
			year = fmt.Sprintf("%+07d", utc.Year())
		}
		date = "is " + year + utc.Format("-01-02T15:04:05.000Z") + ", "
	}
	if ms > latest {
		return date + "in the future: check the clock of the sender"
	}
	return date + "too early: check its unit"
}

func numbersFinite(t *eventType, has *values, _ time.Time) *fault {
	for _, i := range t.numbers {
		if !has[i].IsValid() {
			continue
		}
		if number := has[i].Float(); math.IsNaN(number) || math.IsInf(number, 0) {
			return notFinite(t.fields[i].name, numberText(number))
		}
	}
	return nil
}

func numbersInRange(t *eventType, has *values, _ time.Time) *fault {
	for _, i := range t.numbers {
		f := &t.fields[i]
		if !has[i].IsValid() {
			continue
		}
		if number := has[i].Float(); number < 0 || number > float64(f.max) {
			return outOfRange(&f.fieldRule, numberText(number))
		}
	}
	for _, i := range t.integers {
		f := &t.fields[i]
		if !has[i].IsValid() {
			continue
		}
		if integer := has[i].Int(); integer < 0 || integer > f.max {
			return outOfRange(&f.fieldRule, strconv.FormatInt(integer, 10))
		}
	}
	return nil
}

// storedNumbersAgree holds if number or micros convert into the other: doubles above 2^53 micros stand for several.
func storedNumbersAgree(t *eventType, has *values, _ time.Time) *fault {
	if t.from < 0 || !has[t.from].IsValid() || !has[t.to].IsValid() {
		return nil
	}
	number, micros := has[t.from].Float(), has[t.to].Int()
	if !t.fields[t.from].optional && (number == 0 || micros == 0) {
		return nil
	}
	exact, _ := Float(number).micros(&t.fields[t.from].fieldRule)
	if exact == micros || float64(micros)/microsPerUnit == number {
		return nil
	}
	from, to := t.fields[t.from].name, t.fields[t.to].name
	message := fmt.Sprintf("%s is not %s in micros: send one of them", to, from)
	return &fault{field: to, reason: v1.RejectReason_REJECT_REASON_CONTRADICTION, message: message}
}
