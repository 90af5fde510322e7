package clickmesh

import (
	"errors"
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
	if wait := warnEvery - time.Since(r.lastWarning); wait <= 0 || r.lastWarning.IsZero() {
		r.warn()
	} else if r.timer == nil {
		r.timer = time.AfterFunc(wait, r.flush)
	}
	r.mu.Unlock()
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
	defer r.mu.Unlock()
	if r.timer != nil {
		r.timer.Stop()
		r.timer = nil
	}
	if r.lost+r.stored+r.rejected > 0 {
		r.warn()
	}
}

// warn is called with the lock held.
func (r *reporter) warn() {
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
	if failed := (*SendFailed)(nil); errors.As(why, &failed) {
		why = failed.Err
	}
	var attributes []any
	if rejected := (*Rejected)(nil); errors.As(r.why, &rejected) {
		attributes = []any{"event_id", rejected.GetEventId()}
	}
	r.logger.Warn("clickmesh: "+strings.Join(parts, ", ")+": "+oneLine(why), attributes...)
	r.lost, r.stored, r.rejected, r.lastWarning = 0, 0, 0, time.Now()
}
