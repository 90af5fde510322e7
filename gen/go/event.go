package clickmesh

import (
	"crypto/rand"
	"encoding/hex"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	v1 "github.com/clickmesh/clickmesh/gen/go/clickmesh/v1"
)

// Event is what can be sent: a [Click], [Conversion], [Refund], [Restate], [Retract], [Verdict] or [Invalidate], a
// generated message by [FromProto], or a [Completed] event. A call copies it: what is changed later changes nothing
// that is sent, and no call changes it.
type Event interface {
	// build makes the message of the event, as of now: a new one, with id and time, if it is owned, else one that must not
	// be changed. Maps are never owned.
	build(now time.Time) (message *v1.Event, isOwned bool, wrong *fault)
}

// Click says that a user clicked an ad. All ids and Source are required; they are at most 128 bytes long.
type Click struct {
	// Any text that names this click, such as a UUID or "click-50172": sent twice, it counts once. A random UUID if empty.
	EventID string
	// Who clicked.
	UserID     string
	AdID       string
	CampaignID string
	// Where the ad was shown, such as "facebook".
	Source string
	// When, to the millisecond. Now if zero.
	Time time.Time
	// Free context; at most 32 entries and 4,096 bytes. Entries beyond are left out, and named in Acceptance.Ignored.
	Metadata map[string]string
}

// Conversion says that a user did what the advertiser pays for.
type Conversion struct {
	// Any text that names this conversion, such as "order-1001". A random UUID if empty.
	EventID string
	// Who converted: matched with the clicks of the same user.
	UserID string
	// What was done, such as "purchase".
	Type string
	// What it is worth, such as "49.90" (see Decimal). 0 if empty.
	Value Decimal
	// ISO 4217 code, which must be that of the mesh if it is given.
	Currency string
	// Where it was reported from, such as "ios_app".
	Source string
	// When, to the millisecond. Now if zero.
	Time time.Time
	// As of Click.
	Metadata map[string]string
}

// Refund takes Value from that of a conversion.
type Refund struct {
	// Any text that names this refund. A random UUID if empty.
	EventID string
	// Whose conversion it is. If empty, the gateway looks it up.
	UserID string
	// The EventID of the conversion.
	ConversionID string
	// How much, such as "5" (see Decimal). Required.
	Value Decimal
	// As of Conversion.
	Currency string
	// Why, for people.
	Reason string
	// When, to the millisecond. Now if zero.
	Time time.Time
}

// Restate puts Value in place of that of a conversion.
type Restate Refund

// Retract says that a conversion did not happen.
type Retract struct {
	// Any text that names this. A random UUID if empty.
	EventID string
	// As of Refund.
	UserID string
	// The EventID of the conversion.
	ConversionID string
	// Why, for people.
	Reason string
	// When, to the millisecond. Now if zero.
	Time time.Time
}

// Verdict says whether a click counts. Of several on one click the latest stands.
type Verdict struct {
	// Any text that names this verdict. A random UUID if empty.
	EventID string
	// Whose click it is. If empty, the gateway looks it up.
	UserID string
	// The EventID of the click.
	ClickID string
	// Required: new(false) for one that does not count, new(true) for one that does after all.
	Valid *bool
	// Why, for people, such as "bot".
	Reason string
	// When, to the millisecond. Now if zero.
	Time time.Time
}

// Invalidate says that a click does not count: a Verdict with Valid false.
type Invalidate struct {
	// As of Verdict.
	EventID string
	UserID  string
	ClickID string
	Reason  string
	Time    time.Time
}

// FromProto makes an Event of a generated message. Timestamps in it are milliseconds since 1970-01-01 UTC.
func FromProto(event *v1.Event) Event { return generated{event} }

type generated struct{ event *v1.Event }

func (g generated) build(time.Time) (*v1.Event, bool, *fault) { return g.event, false, nil }

func (e Click) build(now time.Time) (*v1.Event, bool, *fault) {
	return &v1.Event{Event: &v1.Event_Click{Click: &v1.Click{
		EventId: orNewID(e.EventID), UserId: e.UserID, AdId: e.AdID, CampaignId: e.CampaignID, Source: e.Source,
		Timestamp: millis(e.Time, now), Metadata: e.Metadata,
	}}}, true, nil
}

func (e Conversion) build(now time.Time) (*v1.Event, bool, *fault) {
	micros, wrong := e.Value.micros(valueOf("conversion"))
	return &v1.Event{Event: &v1.Event_Conversion{Conversion: &v1.Conversion{
		EventId: orNewID(e.EventID), UserId: e.UserID, Type: e.Type, ValueMicros: micros, Currency: e.Currency, Source: e.Source,
		Timestamp: millis(e.Time, now), Metadata: e.Metadata,
	}}}, true, wrong
}

func (e Refund) build(now time.Time) (*v1.Event, bool, *fault) { return adjustment("refund", e, now) }

func (e Restate) build(now time.Time) (*v1.Event, bool, *fault) {
	return adjustment("restate", Refund(e), now)
}

func (e Retract) build(now time.Time) (*v1.Event, bool, *fault) {
	return adjustment("retract", Refund{
		EventID: e.EventID, UserID: e.UserID, ConversionID: e.ConversionID, Reason: e.Reason, Time: e.Time,
	}, now)
}

func adjustment(kind string, e Refund, now time.Time) (*v1.Event, bool, *fault) {
	adjustment := &v1.Adjustment{
		EventId: orNewID(e.EventID), UserId: e.UserID, ConversionId: e.ConversionID, Kind: kind, Currency: e.Currency,
		Reason: e.Reason, Timestamp: millis(e.Time, now),
	}
	micros, wrong := e.Value.micros(valueOf("adjustment"))
	if e.Value != "" {
		adjustment.ValueMicros = &micros
	}
	return &v1.Event{Event: &v1.Event_Adjustment{Adjustment: adjustment}}, true, wrong
}

func (e Verdict) build(now time.Time) (*v1.Event, bool, *fault) {
	return &v1.Event{Event: &v1.Event_Verdict{Verdict: &v1.Verdict{
		EventId: orNewID(e.EventID), UserId: e.UserID, ClickId: e.ClickID, Valid: e.Valid, Reason: e.Reason,
		Timestamp: millis(e.Time, now),
	}}}, true, nil
}

func (e Invalidate) build(now time.Time) (*v1.Event, bool, *fault) {
	return Verdict{
		EventID: e.EventID, UserID: e.UserID, ClickID: e.ClickID, Valid: new(false), Reason: e.Reason, Time: e.Time,
	}.build(now)
}

// millis takes the zero time for now.
func millis(t, now time.Time) int64 {
	if t.IsZero() {
		t = now
	}
	return t.UnixMilli()
}

func orNewID(id string) string {
	if id == "" {
		return newUUID()
	}
	return id
}

// Decimal is an amount of money as decimal text, such as "49.90": every micro (a millionth of a unit) of it counts. It
// has digits and at most one point, and no more than six decimals.
type Decimal string

// Float is the Decimal of a float, rounded to micros.
func Float(value float64) Decimal {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return Decimal(strconv.FormatFloat(value, 'g', -1, 64))
	}
	// A double is rounded as it is and not as it prints, the middle up, as the gateway does.
	return shortest(new(big.Rat).SetFloat64(value))
}

// Micros is the Decimal of so many millionths of a unit.
func Micros(micros int64) Decimal {
	return shortest(big.NewRat(micros, microsPerUnit))
}

func shortest(value *big.Rat) Decimal {
	text := value.FloatString(microDigits)
	return Decimal(strings.TrimSuffix(strings.TrimRight(text, "0"), "."))
}

const (
	microDigits   = 6
	microsPerUnit = 1_000_000
)

// valueOf is the rule of the number of an event type that is stored as micros.
func valueOf(eventType string) *fieldRule {
	rules := eventRules[eventType]
	return &rules[slices.IndexFunc(rules, func(rule fieldRule) bool { return rule.storedIn != "" })]
}

// micros is 0 of an empty text. The rule is that of the field.
func (d Decimal) micros(rule *fieldRule) (int64, *fault) {
	if d == "" {
		return 0, nil
	}
	units, decimals, hasPoint := strings.Cut(strings.TrimPrefix(string(d), "-"), ".")
	decimals = strings.TrimRight(decimals, "0")
	isNumber := units != "" && isDigits(units) && isDigits(decimals) && !(hasPoint && strings.HasSuffix(string(d), "."))
	if !isNumber {
		if _, err := strconv.ParseFloat(string(d), 64); err == nil && !strings.ContainsAny(string(d), "0123456789") {
			return 0, notFinite("value", string(d))
		}
		return 0, notDecimal(string(d))
	}
	if len(decimals) > microDigits {
		return 0, tooFine(string(d))
	}
	micros, err := strconv.ParseInt(units+decimals+strings.Repeat("0", microDigits-len(decimals)), 10, 64)
	if isNegative := strings.HasPrefix(string(d), "-"); err != nil || micros > rule.max*microsPerUnit || isNegative && micros > 0 {
		return 0, outOfRange(rule, string(d))
	}
	return micros, nil
}

func isDigits(text string) bool {
	return strings.Trim(text, "0123456789") == ""
}

// Completed is an event whose id and time are fixed: sent again, by whatever call, it is the same event.
type Completed struct {
	id     string
	millis int64
	// A serialized v1.Event; nil if the event is none that can be sent.
	bytes []byte
	// If there are no bytes; and what was wrong with what it was made of.
	message *v1.Event
	wrong   *fault
	// Entries of metadata that can't be sent.
	ignored []string
}

// Complete gives an event its id and time, if it has none, and checks it: the error is a *Rejected.
func Complete(event Event) (*Completed, error) {
	completed, rejected := prepare(event, time.Now())
	if rejected != nil {
		return nil, rejected
	}
	return completed, nil
}

// EventID is what names the event, as it was given.
func (c *Completed) EventID() string { return c.id }

// Time is when it happened.
func (c *Completed) Time() time.Time { return time.UnixMilli(c.millis) }

// Proto is a copy of the generated message.
func (c *Completed) Proto() *v1.Event {
	if c.bytes == nil {
		return proto.CloneOf(c.message)
	}
	event := &v1.Event{}
	// It was serialized here.
	_ = proto.Unmarshal(c.bytes, event)
	return event
}

func (c *Completed) build(time.Time) (*v1.Event, bool, *fault) {
	return c.Proto(), true, c.wrong
}

// newUUID returns a random UUID (version 4).
func newUUID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	var text [36]byte
	hex.Encode(text[:8], b[:4])
	hex.Encode(text[9:13], b[4:6])
	hex.Encode(text[14:18], b[6:8])
	hex.Encode(text[19:23], b[8:10])
	hex.Encode(text[24:], b[10:])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}
