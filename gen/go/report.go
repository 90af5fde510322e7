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
	lost, stored, rejected, panicked tally
	rejectedID                       string
	lastWarning                      time.Time
	timer                            *time.Timer
	// Why an event was lost last.
	lastLoss error
}

// tally is how often something came since the last warning, and why the last time.
type tally struct {
	count int
	why   string
}

func (t *tally) add(count int, why string) { t.count, t.why = t.count+count, why }

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
			r.stored.add(len(events), oneLine(err.Err))
		} else {
			r.lost.add(len(events), oneLine(err.Err))
		}
	case *Rejected:
		events = []*Completed{err.Event}
		r.rejected.add(1, err.GetMessage())
		r.rejectedID = err.GetEventId()
	}
	warning := r.warningNow()
	r.mu.Unlock()
	r.warn(warning)
	r.callOnError(err, events)
}

// warningNow is nil, and sets the timer, if the last was a moment ago. It is called with the lock held.
func (r *reporter) warningNow() *warning {
	wait := warnEvery - time.Since(r.lastWarning)
	if wait <= 0 || r.lastWarning.IsZero() {
		return r.nextWarning()
	}
	if r.timer == nil {
		r.timer = time.AfterFunc(wait, r.flush)
	}
	return nil
}

func (r *reporter) callOnError(err error, events []*Completed) {
	if r.onError == nil {
		return
	}
	defer func() {
		if cause := recover(); cause != nil {
			r.mu.Lock()
			r.panicked.add(1, fmt.Sprint(cause))
			warning := r.warningNow()
			r.mu.Unlock()
			r.warn(warning)
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
	if r.lost.count+r.stored.count+r.rejected.count+r.panicked.count > 0 {
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
	var texts []string
	for _, part := range []struct {
		tally
		what string
	}{{r.lost, "lost"}, {r.stored, "kept in the store"}, {r.rejected, "rejected"}} {
		if part.count > 0 {
			texts = append(texts, counted(part.count, "event ", "events ")+part.what+": "+part.why)
		}
	}
	if r.panicked.count > 0 {
		texts = append(texts, "OnError panicked "+counted(r.panicked.count, "time", "times")+": "+r.panicked.why)
	}
	var attributes []any
	if r.rejected.count > 0 {
		attributes = []any{"event_id", r.rejectedID}
	}
	r.lost, r.stored, r.rejected, r.panicked, r.lastWarning = tally{}, tally{}, tally{}, tally{}, time.Now()
	return &warning{"clickmesh: " + strings.Join(texts, "; "), attributes}
}

func (r *reporter) warn(warning *warning) {
	if warning != nil {
		r.logger.Warn(warning.text, warning.attributes...)
	}
}
