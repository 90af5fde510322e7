package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	clickmesh "github.com/clickmesh/clickmesh/gen/go"
	v1 "github.com/clickmesh/clickmesh/gen/go/clickmesh/v1"
)

// fields reads the fields of an event as the types that the structs of the client have.
type fields struct {
	told object
	err  error
}

// value is nil of a field that is absent.
func (f *fields) value(name string) any {
	value := f.told[name]
	delete(f.told, name)
	special, ok := value.(object)
	if !ok {
		return value
	}
	text, _ := special["value"].(string)
	switch special["$"] {
	case "absent":
		return nil
	case "date":
		date, err := time.Parse(time.RFC3339Nano, text)
		f.err = errors.Join(f.err, err)
		return date
	case "uuid":
		return text
	case "nan":
		return math.NaN()
	case "infinity":
		return math.Inf(1)
	case "half":
		return text + "\xe9"
	case "integer":
		return json.Number(text)
	case "repeat":
		count, _ := special["count"].(json.Number)
		times, _ := count.Int64()
		return strings.Repeat(text, int(times))
	case "naive":
		f.refuse(name, "a time of Go has a zone")
	}
	return value
}

func (f *fields) refuse(name, why string) {
	f.err = errors.Join(f.err, unsupported(fmt.Sprintf("%s: %s", name, why)))
}

func (f *fields) text(name string) string {
	switch value := f.value(name).(type) {
	case nil:
		return ""
	case string:
		return value
	default:
		f.refuse(name, "the compiler refuses what is no string")
		return ""
	}
}

func (f *fields) time(name string) time.Time {
	switch value := f.value(name).(type) {
	case nil:
		return time.Time{}
	case time.Time:
		return value
	case json.Number:
		ms, err := value.Int64()
		if err != nil {
			f.refuse(name, "the compiler refuses a fraction")
		}
		if ms == 0 {
			return time.Time{}
		}
		return time.UnixMilli(ms)
	default:
		f.refuse(name, "the compiler refuses what is no time")
		return time.Time{}
	}
}

func (f *fields) decimal() clickmesh.Decimal {
	value := f.value("value")
	if micros, ok := f.value("value_micros").(json.Number); ok {
		n, err := micros.Int64()
		f.err = errors.Join(f.err, err)
		return clickmesh.Micros(n)
	}
	switch value := value.(type) {
	case nil:
		return ""
	case string:
		return clickmesh.Decimal(value)
	case float64:
		return clickmesh.Float(value)
	case json.Number:
		number, _ := value.Float64()
		return clickmesh.Float(number)
	default:
		f.refuse("value", "the compiler refuses what is no text")
		return ""
	}
}

func (f *fields) metadata() map[string]string {
	told, _ := f.value("metadata").(object)
	if told == nil {
		return nil
	}
	entries := &fields{told: maps.Clone(told)}
	metadata := map[string]string{}
	for _, key := range slices.Collect(maps.Keys(told)) {
		metadata[key] = entries.text(key)
	}
	f.err = errors.Join(f.err, entries.err)
	return metadata
}

func (f *fields) bool(name string) *bool {
	switch value := f.value(name).(type) {
	case nil:
		return nil
	case bool:
		return &value
	default:
		f.refuse(name, "the compiler refuses what is no bool")
		return nil
	}
}

func eventsOf(told any) ([]clickmesh.Event, error) {
	list, _ := told.([]any)
	events := make([]clickmesh.Event, len(list))
	for i, one := range list {
		event, err := eventOf(one)
		if err != nil {
			return nil, err
		}
		events[i] = event
	}
	return events, nil
}

func eventOf(told any) (clickmesh.Event, error) {
	if told == nil {
		return nil, nil
	}
	whole, _ := told.(object)
	named, ok := whole["fields"].(object)
	if !ok {
		return nil, unsupported("the compiler refuses what is no event")
	}
	_, hasValue := named["value"]
	_, hasMicros := named["value_micros"]
	if hasValue && hasMicros || whole["type"] == "adjustment" {
		event, err := protoOf(whole)
		return clickmesh.FromProto(event), err
	}
	f := &fields{told: maps.Clone(named)}
	event := f.event(whole["type"])
	for name := range f.told {
		f.refuse(name, "the compiler refuses names that are not known")
	}
	return event, f.err
}

func (f *fields) event(kind any) clickmesh.Event {
	id, user, at := f.text("event_id"), f.text("user_id"), f.time("timestamp")
	switch kind {
	case "click":
		return clickmesh.Click{
			EventID: id, UserID: user, AdID: f.text("ad_id"), CampaignID: f.text("campaign_id"), Source: f.text("source"),
			Time: at, Metadata: f.metadata(),
		}
	case "conversion":
		return clickmesh.Conversion{
			EventID: id, UserID: user, Type: f.text("type"), Value: f.decimal(), Currency: f.text("currency"),
			Source: f.text("source"), Time: at, Metadata: f.metadata(),
		}
	case "refund":
		return f.refund(id, user, at)
	case "restate":
		return clickmesh.Restate(f.refund(id, user, at))
	case "retract":
		return clickmesh.Retract{
			EventID: id, UserID: user, ConversionID: f.text("conversion_id"), Reason: f.text("reason"), Time: at,
		}
	case "verdict":
		return clickmesh.Verdict{
			EventID: id, UserID: user, ClickID: f.text("click_id"), Valid: f.bool("valid"), Reason: f.text("reason"), Time: at,
		}
	case "invalidate":
		return clickmesh.Invalidate{EventID: id, UserID: user, ClickID: f.text("click_id"), Reason: f.text("reason"), Time: at}
	default:
		f.refuse("type", "the compiler refuses types that are not known")
		return nil
	}
}

func (f *fields) refund(id, user string, at time.Time) clickmesh.Refund {
	return clickmesh.Refund{
		EventID: id, UserID: user, ConversionID: f.text("conversion_id"), Value: f.decimal(), Currency: f.text("currency"),
		Reason: f.text("reason"), Time: at,
	}
}

// protoOf makes the generated message of an event.
func protoOf(told object) (*v1.Event, error) {
	event := &v1.Event{}
	message := event.ProtoReflect()
	name, _ := told["type"].(string)
	arm := message.Descriptor().Oneofs().ByName("event").Fields().ByName(protoreflect.Name(name))
	named, ok := told["fields"].(object)
	if arm == nil || !ok {
		return nil, unsupported("the message has no such type")
	}
	message.Mutable(arm)
	return event, change(event, named)
}

// change sets fields of the message.
func change(event *v1.Event, changes object) error {
	message := event.ProtoReflect()
	inner := message.Mutable(message.WhichOneof(message.Descriptor().Oneofs().ByName("event"))).Message()
	f := &fields{told: maps.Clone(changes)}
	for name := range changes {
		field := inner.Descriptor().Fields().ByName(protoreflect.Name(name))
		if field == nil {
			return unsupported(name + " is no field")
		}
		switch value := f.value(name).(type) {
		case string:
			inner.Set(field, protoreflect.ValueOfString(value))
		case float64:
			inner.Set(field, protoreflect.ValueOfFloat64(value))
		case bool:
			inner.Set(field, protoreflect.ValueOfBool(value))
		case json.Number:
			number, err := value.Float64()
			whole, wholeErr := value.Int64()
			if field.Kind() == protoreflect.DoubleKind {
				inner.Set(field, protoreflect.ValueOfFloat64(number))
			} else {
				inner.Set(field, protoreflect.ValueOfInt64(whole))
				err = wholeErr
			}
			if err != nil {
				return err
			}
		default:
			return unsupported(name + " can't be set so")
		}
	}
	return f.err
}

func typeOf(event *v1.Event) string {
	message := event.ProtoReflect()
	return string(message.WhichOneof(message.Descriptor().Oneofs().ByName("event")).Name())
}

// fieldsOf are those of the event that are there.
func fieldsOf(event *v1.Event) object {
	message := event.ProtoReflect()
	told := object{}
	inner := message.Get(message.WhichOneof(message.Descriptor().Oneofs().ByName("event"))).Message()
	inner.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		if field.IsMap() {
			entries := object{}
			value.Map().Range(func(key protoreflect.MapKey, value protoreflect.Value) bool {
				entries[key.String()] = value.String()
				return true
			})
			told[string(field.Name())] = entries
		} else {
			told[string(field.Name())] = value.Interface()
		}
		return true
	})
	return told
}

func identity(event *clickmesh.Completed) object {
	return object{"event_id": event.EventID(), "timestamp": event.Time().UnixMilli()}
}

func identities(events []*clickmesh.Completed) []object {
	told := []object{}
	for _, event := range events {
		told = append(told, identity(event))
	}
	return told
}

func resultOf(accepted *clickmesh.Acceptance, err error) object {
	var rejected *clickmesh.Rejected
	switch {
	case err == nil:
		return object{"accepted": object{
			"event_id": accepted.EventID, "timestamp": accepted.Time.UnixMilli(), "stored_id": accepted.StoredID,
			"ignored": append([]string{}, accepted.Ignored...),
		}}
	case errors.As(err, &rejected):
		told := identity(rejected.Event)
		told["field"], told["limit"], told["message"] = rejected.GetField(), rejected.GetLimit(), rejected.GetMessage()
		told["reason"] = strings.TrimPrefix(rejected.GetReason().String(), "REJECT_REASON_")
		return object{"rejected": told}
	default:
		return object{"error": errorOf(err)}
	}
}

func errorOf(err error) object {
	told := object{"message": err.Error(), "kind": "other"}
	var failed *clickmesh.SendFailed
	var notSent *clickmesh.NotSent
	var option optionError
	if errors.As(err, &failed) {
		told["kind"], told["events"] = "failed", identities(failed.Events)
	}
	switch {
	case errors.As(err, &notSent):
		told["kind"], told["notSent"], told["events"] = "notSent", notSent.Lost, identities(notSent.Events)
	case errors.Is(err, clickmesh.ErrQueueFull):
		told["kind"] = "full"
	case errors.Is(err, clickmesh.ErrClosed):
		told["kind"] = "closed"
	case errors.Is(err, context.Canceled):
		told["kind"] = "cancelled"
	case errors.As(err, &option):
		told["kind"] = "option"
	}
	return told
}

// optionsOf takes TypeScript's names.
func optionsOf(told any) (options clickmesh.Options, isMemory bool, err error) {
	named, _ := told.(object)
	f := &fields{told: maps.Clone(named)}
	if f.told == nil {
		f.told = object{}
	}
	options.Timeout, options.AttemptTimeout = f.duration("timeoutMs"), f.duration("attemptTimeoutMs")
	options.BatchSize, options.BatchDelay = int(f.integer("batchSize")), f.duration("batchDelayMs")
	options.MaxQueueEvents, options.MaxQueueBytes = int(f.integer("maxQueueEvents")), int(f.integer("maxQueueBytes"))
	options.OnFull, options.Protocol = clickmesh.OnFull(f.text("onFull")), clickmesh.Protocol(f.text("protocol"))
	options.Key, options.Store, options.StoreBytes = f.text("key"), f.text("store"), f.integer("storeBytes")
	options.Disabled = named["disabled"] == true
	if headers, ok := f.value("headers").(object); ok {
		options.Headers = map[string]string{}
		for name, value := range headers {
			options.Headers[name], _ = value.(string)
		}
	}
	if headers := options.Headers; named["failingHeaders"] == true {
		options.Headers, options.HeadersFunc = nil, failingAtFirst(headers)
	}
	for _, name := range []string{"disabled", "failingHeaders", "memory", "silent"} {
		delete(f.told, name)
	}
	for name := range f.told {
		f.refuse(name, "the compiler refuses options that are not known")
	}
	return options, named["memory"] == true, f.err
}

func failingAtFirst(headers map[string]string) func(context.Context) (map[string]string, error) {
	var hasFailed atomic.Bool
	return func(context.Context) (map[string]string, error) {
		if hasFailed.CompareAndSwap(false, true) {
			return nil, errors.New("no headers yet")
		}
		return headers, nil
	}
}

func (f *fields) duration(name string) time.Duration {
	number, _ := f.value(name).(json.Number)
	ms, _ := number.Float64()
	return millis(ms)
}

func (f *fields) integer(name string) int64 {
	number, _ := f.value(name).(json.Number)
	value, _ := number.Int64()
	return value
}
