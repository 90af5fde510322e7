package clickmesh

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"connectrpc.com/connect"

	v1 "github.com/clickmesh/clickmesh/gen/go/clickmesh/v1"
)

// ErrClosed is the error of calls after Close.
var ErrClosed = errors.New("clickmesh: the client is closed")

// ErrQueueFull is the error of Track if Options.OnFull is Reject and there is no room.
var ErrQueueFull = errors.New("clickmesh: the queue is full")

// Rejected is the error of an event that breaks a rule of the contract: sent again unchanged it is rejected again, but
// for a field reason of REJECT_REASON_UNKNOWN_TARGET.
type Rejected struct {
	// Which field, which rule, and what to do.
	*v1.Rejection
	// The event with its id and time.
	Event *Completed
}

func (r *Rejected) Error() string { return "clickmesh: rejected: " + r.GetMessage() }

// SendFailed is the error of events that were given up: whether the gateway has them isn't known. Sending Events again
// is safe, as their ids and times are fixed.
type SendFailed struct {
	// In the order of the call.
	Events []*Completed
	// How often they were sent, and for how long.
	Attempts int
	Took     time.Duration
	// Whether they are kept in Options.Store.
	IsStored bool
	// Of the last attempt: often a *connect.Error.
	Err error
}

func (e *SendFailed) Error() string {
	kept := ""
	if e.IsStored {
		kept = ", and are kept in the store"
	}
	tried := ""
	if e.Attempts > 0 {
		tried = fmt.Sprintf(" after %s in %.1f s", counted(e.Attempts, "attempt", "attempts"), e.Took.Seconds())
	}
	return fmt.Sprintf("clickmesh: %s not sent%s%s: %s",
		counted(len(e.Events), "event was", "events were"), tried, kept, oneLine(e.Err))
}

// of is the error of one of the events.
func (e *SendFailed) of(event *Completed) *SendFailed {
	one := *e
	one.Events = []*Completed{event}
	return &one
}

func (e *SendFailed) Unwrap() error { return e.Err }

// NotSent is the error of Close and Flush if events were lost.
type NotSent struct {
	// How many: of Close, since the client was made.
	Lost int
	// Those of them that were lost during the call.
	Events []*Completed
	// The last reason.
	Err error
}

func (e *NotSent) Error() string {
	return fmt.Sprintf("clickmesh: %s lost: %s", counted(e.Lost, "event was", "events were"), oneLine(e.Err))
}

func (e *NotSent) Unwrap() error { return e.Err }

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func oneLine(err error) string {
	if err == nil {
		return "the reason is not known"
	}
	return strings.TrimPrefix(strings.Join(strings.Fields(err.Error()), " "), "clickmesh: ")
}

// rejectionIn is what the gateway says of an event in the error of a call; nil if that is about something else.
func rejectionIn(err error) *v1.Rejection {
	var connectErr *connect.Error
	if !errors.As(err, &connectErr) {
		return nil
	}
	for _, detail := range connectErr.Details() {
		if value, valueErr := detail.Value(); valueErr == nil {
			if rejection, ok := value.(*v1.Rejection); ok {
				return rejection
			}
		}
	}
	return nil
}
