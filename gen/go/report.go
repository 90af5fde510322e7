package clickmesh

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// Shortest time between two warnings.
const warnEvery = 10 * time.Second

// Counters say what became of the events of all calls. Queued is always the sum of the others.
type Counters struct {
	// Given to a call.
	Queued uint64
	// The gateway has them.
	Sent uint64
	// Broke a rule of the contract.
	Rejected uint64
	// Given up, without room in the queue, or discarded by Close.
	Lost uint64
	// Given up, and kept in Options.Store.
	Stored uint64
	// Neither yet.
	Waiting uint64
}

// reporter counts events, and tells what was lost or rejected.
type reporter struct {
	onError func(error, []*Completed)
	logger  *slog.Logger

	mu       sync.Mutex
	counters Counters
	// What the next warning tells, when the last was, and a timer if there is to be another.
	lost, stored, rejected int
	why                    error
	lastWarning            time.Time
	timer                  *time.Timer
	// Why an event was lost last.
	lastLoss error
}

func (r *reporter) count(change func(*Counters)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.counters)
}

func (r *reporter) countQueued(events int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counters.Queued += uint64(events)
}

func (r *reporter) snapshot() Counters {
	r.mu.Lock()
	defer r.mu.Unlock()
	counters := r.counters
	counters.Waiting = counters.Queued - counters.Sent - counters.Rejected - counters.Lost - counters.Stored
	return counters
}

// lossSoFar is how many events were lost, and why the last was.
func (r *reporter) lossSoFar() (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return int(r.counters.Lost), r.lastLoss
}

// countFailed is of events that were given up.
func (r *reporter) countFailed(failed *SendFailed) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if failed.IsStored {
		r.counters.Stored += uint64(len(failed.Events))
		return
	}
	r.counters.Lost += uint64(len(failed.Events))
	r.lastLoss = failed.Err
}

// tell warns of an error, a *SendFailed or a *Rejected, and calls OnError.
func (r *reporter) tell(err error) {
	var events []*Completed
	r.mu.Lock()
	switch err := err.(type) {
	case *SendFailed:
		events = err.Events
		if err.IsStored {
			r.stored += len(events)
		} else {
			r.lost += len(events)
		}
	case *Rejected:
		events = []*Completed{err.Event}
		r.rejected++
	}
	r.why = err
	var warning *warning
	if wait := warnEvery - time.Since(r.lastWarning); wait <= 0 || r.lastWarning.IsZero() {
		warning = r.nextWarning()
	} else if r.timer == nil {
		r.timer = time.AfterFunc(wait, r.flush)
	}
	r.mu.Unlock()
	r.warn(warning)
	r.callOnError(err, events)
}

func (r *reporter) callOnError(err error, events []*Completed) {
	if r.onError == nil {
		return
	}
	defer func() {
		if cause := recover(); cause != nil {
			r.logger.Warn(fmt.Sprintf("clickmesh: OnError panicked: %v", cause))
		}
	}()
	r.onError(err, events)
}

// flush warns of what was not told yet.
func (r *reporter) flush() {
	r.mu.Lock()
	if r.timer != nil {
		r.timer.Stop()
		r.timer = nil
	}
	var warning *warning
	if r.lost+r.stored+r.rejected > 0 {
		warning = r.nextWarning()
	}
	r.mu.Unlock()
	r.warn(warning)
}

// warning is a line for the logger.
type warning struct {
	text       string
	attributes []any
}

// nextWarning tells of what came since the last. It is called with the lock held, and written without it: the logger may
// be of somebody who calls the client.
func (r *reporter) nextWarning() *warning {
	var parts []string
	for _, part := range []struct {
		count int
		what  string
	}{{r.lost, "lost"}, {r.stored, "kept in the store"}, {r.rejected, "rejected"}} {
		if part.count > 0 {
			parts = append(parts, counted(part.count, "event ", "events ")+part.what)
		}
	}
	why := r.why
	var attributes []any
	switch err := r.why.(type) {
	case *SendFailed:
		why = err.Err
	case *Rejected:
		attributes = []any{"event_id", err.GetEventId()}
	}
	r.lost, r.stored, r.rejected, r.lastWarning = 0, 0, 0, time.Now()
	return &warning{"clickmesh: " + strings.Join(parts, ", ") + ": " + oneLine(why), attributes}
}

func (r *reporter) warn(warning *warning) {
	if warning != nil {
		r.logger.Warn(warning.text, warning.attributes...)
	}
}
