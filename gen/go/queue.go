package clickmesh

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Most batches that are on their way at once. They leave in the order of the calls.
const maxUnderWay = 4

// Tracked is an event on its way.
type Tracked struct {
	event  *Completed
	queue  *queue
	number uint64
	// When it was tracked, since the queue was made.
	at time.Duration

	// Guarded by the queue's lock.
	isAnswered bool
	result     Result
	answered   chan struct{}
}

// EventID is that of the event, also if it was given none.
func (t *Tracked) EventID() string { return t.event.id }

// Event is what is sent, with its id and time.
func (t *Tracked) Event() *Completed { return t.event }

// Wait returns once the event is durable. The error is a *Rejected if it breaks a rule of the contract, and a
// *SendFailed if it was given up.
func (t *Tracked) Wait(ctx context.Context) (*Acceptance, error) {
	t.queue.mu.Lock()
	if !t.isAnswered && t.answered == nil {
		t.answered = make(chan struct{})
	}
	isAnswered := t.isAnswered
	t.queue.mu.Unlock()
	if !isAnswered {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-t.answered:
		}
	}
	return t.result.Acceptance, t.result.Err
}

// queue gathers tracked events into batches by number, bytes and time, and bounds them.
type queue struct {
	options Options
	// Sends a batch. Has a result for each event, and what is to be reported once they are answered.
	deliver func(context.Context, []*Completed) (results []Result, report func())
	// Told of each event that gets into the queue.
	taken func()
	began time.Time
	// Ends with the time of Close.
	ctx    context.Context
	cancel context.CancelCauseFunc

	mu sync.Mutex
	// Tracked, and not yet under way.
	waiting []*Tracked
	// Bytes of those that wait, and of those with no answer, which are `open`.
	waitingBytes, openBytes int
	open                    int
	underWay                int
	// Set for the event of this number.
	timer    *time.Timer
	timerFor uint64
	// Callers without room, in order.
	line []*inLine
	// Number of the last event, and up to which they don't wait for others.
	last, hurried uint64
	marks         []*mark
	isClosed      bool
	// Of what was answered.
	reports sync.WaitGroup
}

// inLine is a caller of Track, or of Ready, that has no room yet. Guarded by the queue's lock.
type inLine struct {
	// Nil of Ready.
	tracked *Tracked
	isIn    bool
	// Closed once it has room, or the queue is at its end.
	called chan struct{}
}

// mark waits for all events up to a number. Guarded by the queue's lock.
type mark struct {
	upTo uint64
	left int
	done chan struct{}
	// What was lost of them.
	lost []*Completed
	err  error
}

func newQueue(options Options, deliver func(context.Context, []*Completed) ([]Result, func()), taken func()) *queue {
	q := &queue{options: options, deliver: deliver, taken: taken, began: time.Now()}
	q.ctx, q.cancel = context.WithCancelCause(context.Background())
	q.timer = time.AfterFunc(time.Hour, q.pumpNow)
	q.timer.Stop()
	return q
}

// add takes an event, now or when there is room. The error is ErrClosed, ErrQueueFull or that of the context; the event
// then is not in the queue.
func (q *queue) add(ctx context.Context, event *Completed) (*Tracked, error) {
	tracked := &Tracked{event: event, queue: q, at: time.Since(q.began)}
	q.mu.Lock()
	if q.isClosed {
		q.mu.Unlock()
		return nil, ErrClosed
	}
	q.last++
	tracked.number = q.last
	if len(q.line) == 0 && q.hasRoom(len(event.bytes)) {
		q.take(tracked)
		q.pump()
		q.mu.Unlock()
		return tracked, nil
	}
	if q.options.OnFull == Reject {
		q.last--
		q.mu.Unlock()
		return nil, ErrQueueFull
	}
	err := q.waitInLine(ctx, &inLine{tracked: tracked, called: make(chan struct{})})
	if err != nil {
		return nil, err
	}
	return tracked, nil
}

// waitInLine gives up the lock.
func (q *queue) waitInLine(ctx context.Context, caller *inLine) error {
	q.line = append(q.line, caller)
	q.mu.Unlock()
	select {
	case <-caller.called:
	case <-ctx.Done():
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if caller.isIn {
		return nil
	}
	q.line = slices.DeleteFunc(q.line, func(other *inLine) bool { return other == caller })
	if caller.tracked != nil {
		for _, m := range q.marks {
			m.settle(caller.tracked, nil)
		}
	}
	q.letIn()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return ErrClosed
}

// ready returns when there is room for an event.
func (q *queue) ready(ctx context.Context) error {
	q.mu.Lock()
	if q.isClosed {
		q.mu.Unlock()
		return ErrClosed
	}
	if len(q.line) == 0 && q.hasRoom(0) {
		q.mu.Unlock()
		return nil
	}
	return q.waitInLine(ctx, &inLine{called: make(chan struct{})})
}

// What follows is called with the lock held.

func (q *queue) hasRoom(bytes int) bool {
	return q.open < q.options.MaxQueueEvents && q.openBytes+bytes <= q.options.MaxQueueBytes
}

func (q *queue) take(tracked *Tracked) {
	q.waiting = append(q.waiting, tracked)
	q.waitingBytes += len(tracked.event.bytes) + eventOverhead
	q.open++
	q.openBytes += len(tracked.event.bytes)
	q.taken()
}

// letIn takes from the line what has room now.
func (q *queue) letIn() {
	n := 0
	for ; n < len(q.line); n++ {
		caller := q.line[n]
		if !q.hasRoom(caller.bytes()) {
			break
		}
		if caller.tracked != nil {
			q.take(caller.tracked)
		}
		caller.isIn = true
		close(caller.called)
	}
	q.line = slices.Delete(q.line, 0, n)
	q.pump()
}

func (c *inLine) bytes() int {
	if c.tracked == nil {
		return 0
	}
	return len(c.tracked.event.bytes)
}

// pump sends the batches that are full or have waited long enough.
func (q *queue) pump() {
	for q.underWay < maxUnderWay && len(q.waiting) > 0 {
		first := q.waiting[0]
		wait := first.at + q.options.BatchDelay - time.Since(q.began)
		isFull := len(q.waiting) >= q.options.BatchSize || q.waitingBytes > maxBatchBytes
		if !isFull && first.number > q.hurried && wait > 0 {
			if q.timerFor != first.number {
				q.timer.Reset(wait)
				q.timerFor = first.number
			}
			return
		}
		q.underWay++
		go q.send(q.nextBatch())
	}
}

func (q *queue) nextBatch() []*Tracked {
	n, bytes := 0, 0
	for n < len(q.waiting) && n < q.options.BatchSize {
		size := len(q.waiting[n].event.bytes) + eventOverhead
		if n > 0 && bytes+size > maxBatchBytes {
			break
		}
		bytes += size
		n++
	}
	batch := slices.Clone(q.waiting[:n])
	clear(q.waiting[:n])
	q.waiting = q.waiting[n:]
	if len(q.waiting) == 0 {
		q.waiting = nil
	}
	q.waitingBytes -= bytes
	return batch
}

// settle answers events.
func (q *queue) settle(batch []*Tracked, results []Result) {
	for i, tracked := range batch {
		tracked.result, tracked.isAnswered = results[i], true
		if tracked.answered != nil {
			close(tracked.answered)
		}
		q.open--
		q.openBytes -= len(tracked.event.bytes)
	}
	for _, m := range q.marks {
		for i, tracked := range batch {
			m.settle(tracked, results[i].Err)
		}
	}
	q.letIn()
}

func (m *mark) settle(tracked *Tracked, err error) {
	if tracked.number > m.upTo {
		return
	}
	if failed, ok := err.(*SendFailed); ok && !failed.IsStored {
		m.lost = append(m.lost, tracked.event)
		m.err = failed.Err
	}
	if m.left--; m.left == 0 {
		close(m.done)
	}
}

// What follows takes the lock.

func (q *queue) pumpNow() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pump()
}

func (q *queue) send(batch []*Tracked) {
	events := make([]*Completed, len(batch))
	for i, tracked := range batch {
		events[i] = tracked.event
	}
	results, report := q.deliver(q.ctx, events)
	q.mu.Lock()
	q.underWay--
	q.settle(batch, results)
	q.reports.Add(1)
	q.mu.Unlock()
	defer q.reports.Done()
	report()
}

// markNow sends what waits at once, and returns a mark of it.
func (q *queue) markNow() *mark {
	q.mu.Lock()
	defer q.mu.Unlock()
	// Those in line are sent as soon as they are in.
	inLine := 0
	for _, caller := range q.line {
		if caller.tracked != nil {
			inLine++
		}
	}
	m := &mark{upTo: q.last, left: q.open + inLine, done: make(chan struct{})}
	if m.left == 0 {
		close(m.done)
		return m
	}
	q.marks = append(q.marks, m)
	q.hurried = max(q.hurried, m.upTo)
	q.pump()
	return m
}

// unmark returns what is lost of what was marked, why, and how many have no answer.
func (q *queue) unmark(m *mark) (lost []*Completed, why error, left int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.marks = slices.DeleteFunc(q.marks, func(other *mark) bool { return other == m })
	return m.lost, m.err, m.left
}

// stop takes no more events.
func (q *queue) stop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.isClosed = true
}

// abandon ends what is under way, and gives up what waits.
func (q *queue) abandon(why error) {
	q.cancel(why)
	q.mu.Lock()
	for _, caller := range q.line {
		if caller.tracked != nil {
			caller.isIn = true
			q.take(caller.tracked)
		}
		close(caller.called)
	}
	waiting := q.waiting
	q.line, q.waiting, q.waitingBytes = nil, nil, 0
	q.mu.Unlock()
	for len(waiting) > 0 {
		batch := waiting[:min(len(waiting), maxCallEvents)]
		waiting = waiting[len(batch):]
		q.mu.Lock()
		q.underWay++
		q.mu.Unlock()
		// Fails at once.
		q.send(batch)
	}
}

// reportsDone is of the reports of what was answered, which is all.
func (q *queue) reportsDone() <-chan struct{} {
	done := make(chan struct{})
	go func() {
		q.reports.Wait()
		close(done)
	}()
	return done
}

func (q *queue) end() {
	q.cancel(ErrClosed)
	q.timer.Stop()
}
