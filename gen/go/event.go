package clickmesh

import (
	"crypto/rand"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	v1 "github.com/clickmesh/clickmesh/gen/go/clickmesh/v1"
)

// What the gateway takes in one call is 1000 events and 1 MiB; a little less leaves room for what surrounds them.
const (
	maxBatchEvents = 1000
	maxBatchBytes  = 1_000_000
	// Tag and length in front of an event.
	eventOverhead = 5
)

// NewClick makes an event of a click.
func NewClick(click *v1.Click) *v1.Event {
	return &v1.Event{Event: &v1.Event_Click{Click: click}}
}

// NewConversion makes an event of a conversion.
func NewConversion(conversion *v1.Conversion) *v1.Event {
	return &v1.Event{Event: &v1.Event_Conversion{Conversion: conversion}}
}

// NewAdjustment makes an event of an adjustment of a conversion, such as a refund.
func NewAdjustment(adjustment *v1.Adjustment) *v1.Event {
	return &v1.Event{Event: &v1.Event_Adjustment{Adjustment: adjustment}}
}

// NewVerdict makes an event of a verdict on a click.
func NewVerdict(verdict *v1.Verdict) *v1.Event {
	return &v1.Event{Event: &v1.Event_Verdict{Verdict: verdict}}
}

// complete gives an event its id and time, once, so that every attempt to send it has the same. It goes by the
// descriptor, so that it knows every type of event that the contract has.
func complete(event *v1.Event) {
	message := event.ProtoReflect()
	arm := message.WhichOneof(message.Descriptor().Oneofs().ByName("event"))
	if arm == nil {
		return
	}
	fields := message.Mutable(arm).Message()
	known := fields.Descriptor().Fields()
	if id := known.ByName("event_id"); id != nil && !fields.Has(id) {
		fields.Set(id, protoreflect.ValueOfString(newUUID()))
	}
	if timestamp := known.ByName("timestamp"); timestamp != nil && !fields.Has(timestamp) {
		fields.Set(timestamp, protoreflect.ValueOfInt64(time.Now().UnixMilli()))
	}
}

// newUUID returns a random UUID (version 4).
func newUUID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// chunks completes the events and splits them into calls that the gateway takes.
func chunks(events []*v1.Event) [][]*v1.Event {
	var all [][]*v1.Event
	start, bytes := 0, 0
	for i, event := range events {
		complete(event)
		size := proto.Size(event) + eventOverhead
		if i > start && (i-start == maxBatchEvents || bytes+size > maxBatchBytes) {
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
