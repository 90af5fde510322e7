package clickmesh

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	v1 "github.com/clickmesh/clickmesh/gen/go/clickmesh/v1"
)

// ErrClosed is returned by Track after Close.
var ErrClosed = errors.New("clickmesh: the client is closed")

// Tracked is an event on its way.
type Tracked struct {
	event    *v1.Event
	answered chan struct{}
	result   Result
	err      error
}

// Wait returns once the event is durable. The error is a *Rejected if it breaks a rule of the contract; after any other
// it may be tracked again.
func (t *Tracked) Wait(ctx context.Context) (*v1.Acceptance, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-t.answered:
	}
	if t.result.Rejected != nil {
		return nil, t.result.Rejected
	}
	return t.result.Acceptance, t.err
}

// queue gathers tracked events into batches by number, bytes and time.
type queue struct {
	send      func(context.Context, []*v1.Event) ([]Result, error)
	batchSize int
	delay     time.Duration
	// Holds one token for each event without an answer.
	slots chan struct{}

	mu      sync.Mutex
	waiting []*Tracked
	bytes   int
	timer   *time.Timer
	pending map[*Tracked]struct{}
	closed  bool
}

func newQueue(send func(context.Context, []*v1.Event) ([]Result, error), options Options) *queue {
	return &queue{
		send:      send,
		batchSize: options.BatchSize,
		delay:     options.BatchDelay,
		slots:     make(chan struct{}, options.MaxPending),
		pending:   map[*Tracked]struct{}{},
	}
}

func (q *queue) add(ctx context.Context, event *v1.Event) (*Tracked, error) {
	select {
	case q.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	complete(event)
	size := proto.Size(event) + eventOverhead
	tracked := &Tracked{event: event, answered: make(chan struct{})}

	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		<-q.slots
		return nil, ErrClosed
	}
	if q.bytes+size > maxBatchBytes {
		q.dispatch()
	}
	q.waiting = append(q.waiting, tracked)
	q.pending[tracked] = struct{}{}
	q.bytes += size
	if len(q.waiting) == 1 {
		q.timer = time.AfterFunc(q.delay, q.dispatchNow)
	}
	if len(q.waiting) == q.batchSize {
		q.dispatch()
	}
	return tracked, nil
}

func (q *queue) dispatchNow() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.dispatch()
}

// dispatch sends what waits; the caller holds the lock.
func (q *queue) dispatch() {
	if len(q.waiting) == 0 {
		return
	}
	q.timer.Stop()
	go q.deliver(q.waiting)
	q.waiting, q.bytes = nil, 0
}

func (q *queue) deliver(batch []*Tracked) {
	events := make([]*v1.Event, len(batch))
	for i, tracked := range batch {
		events[i] = tracked.event
	}
	results, err := q.send(context.Background(), events)
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, tracked := range batch {
		if i < len(results) {
			tracked.result = results[i]
		} else {
			tracked.err = err
		}
		delete(q.pending, tracked)
		close(tracked.answered)
		<-q.slots
	}
}

func (q *queue) flush(ctx context.Context) error {
	q.mu.Lock()
	q.dispatch()
	pending := slices.Collect(maps.Keys(q.pending))
	q.mu.Unlock()
	for _, tracked := range pending {
		select {
		case <-tracked.answered:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (q *queue) close(ctx context.Context) error {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	return q.flush(ctx)
}
