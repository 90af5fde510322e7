package clickmesh

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	v1 "github.com/clickmesh/clickmesh/gen/go/clickmesh/v1"
)

// Most characters of what was received that a rejection repeats.
const maxCut = 64

// fault is what is wrong with an event. The message begins with the field.
type fault struct {
	field    string
	reason   v1.RejectReason
	limit    string
	message  string
	received string
}

func unknownType() *fault {
	message := "event is none of " + strings.Join(eventNames, ", ")
	return &fault{field: "event", reason: v1.RejectReason_REJECT_REASON_UNKNOWN_EVENT_TYPE, message: message}
}

func notFinite(name, received string) *fault {
	reason := v1.RejectReason_REJECT_REASON_NOT_FINITE
	return &fault{field: name, reason: reason, message: name + " is not a finite number", received: received}
}

func outOfRange(rule *fieldRule, received string) *fault {
	limit := fmt.Sprintf("[0, %s]", strings.ReplaceAll(strconv.FormatFloat(float64(rule.max), 'e', -1, 64), "+", ""))
	message := fmt.Sprintf("%s must be in %s: it is %s", rule.name, limit, received)
	if strings.HasPrefix(received, "-") && rule.reducedBy != "" {
		message += "; to take something back, send an event of type " + rule.reducedBy
	}
	reason := v1.RejectReason_REJECT_REASON_OUT_OF_RANGE
	return &fault{field: rule.name, reason: reason, limit: limit, message: message, received: received}
}

// Faults of a Decimal.

func notDecimal(text string) *fault {
	received := quoted(text)
	message := fmt.Sprintf(`value must be a decimal number such as "49.90", without separators: it is %s`, received)
	reason := v1.RejectReason_REJECT_REASON_MALFORMED
	return &fault{field: "value", reason: reason, message: message, received: received}
}

func tooFine(text string) *fault {
	received := quoted(text)
	limit := fmt.Sprintf("%d decimals", microDigits)
	message := fmt.Sprintf("value must have at most %s: it is %s; round it first", limit, received)
	reason := v1.RejectReason_REJECT_REASON_OUT_OF_RANGE
	return &fault{field: "value", reason: reason, limit: limit, message: message, received: received}
}

func tooLarge(size int) *fault {
	limit := fmt.Sprintf("%d bytes", maxEventBytes)
	message := fmt.Sprintf("event must have at most %s: it has %d", limit, size)
	return &fault{field: "event", reason: v1.RejectReason_REJECT_REASON_TOO_LONG, limit: limit, message: message}
}

// received is what the field held, as JSON; empty where it was absent.
func (t *eventType) received(has *values, name string) string {
	i := slices.IndexFunc(t.fields, func(f field) bool { return f.name == name })
	if i < 0 || !isThere(has[i]) {
		return ""
	}
	switch held := has[i].Interface().(type) {
	case string:
		return quoted(held)
	case float64:
		return numberText(held)
	default:
		return fmt.Sprint(held)
	}
}

// quoted is a text as JSON, cut.
func quoted(text string) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	// A string can be encoded.
	_ = encoder.Encode(text[:min(len(text), utf8.UTFMax*maxCut)])
	return cut(strings.TrimSuffix(out.String(), "\n"))
}

func cut(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if characters := []rune(text); len(characters) > maxCut {
		return string(characters[:maxCut-1]) + "…"
	}
	return text
}

// numberText writes a number as JavaScript does.
func numberText(number float64) string {
	switch {
	case math.IsNaN(number):
		return "NaN"
	case math.IsInf(number, 0):
		return strings.TrimPrefix(strconv.FormatFloat(number, 'g', -1, 64)+"inity", "+")
	}
	text, _ := json.Marshal(number)
	return string(text)
}
