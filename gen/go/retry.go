package clickmesh

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"time"

	"connectrpc.com/connect"
)

const (
	firstBackoff = 100 * time.Millisecond
	maxBackoff   = 5 * time.Second
)

// retry calls until it is answered, fails for good, or the time is over; then it returns the last error.
func retry[T any](ctx context.Context, options Options, call func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, options.Timeout)
	defer cancel()
	for attempt := 0; ; attempt++ {
		answer, err := attemptOnce(ctx, options.AttemptTimeout, call)
		if err == nil || !isTransient(err) {
			return answer, err
		}
		select {
		case <-ctx.Done():
			return answer, err
		case <-time.After(backoff(err, attempt)):
		}
	}
}

func attemptOnce[T any](ctx context.Context, timeout time.Duration, call func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return call(ctx)
}

func isTransient(err error) bool {
	switch connect.CodeOf(err) {
	case connect.CodeUnavailable, connect.CodeDeadlineExceeded, connect.CodeAborted:
		return true
	case connect.CodeResourceExhausted:
		// Without it the request is too large, and always will be.
		return retryAfter(err) > 0
	default:
		return false
	}
}

// backoff doubles with each attempt, at random between half and whole so that clients spread; never less than the
// gateway asks for.
func backoff(err error, attempt int) time.Duration {
	whole := min(maxBackoff, firstBackoff<<min(attempt, 10))
	return max(retryAfter(err), whole/2+rand.N(whole/2))
}

func retryAfter(err error) time.Duration {
	var connectErr *connect.Error
	if !errors.As(err, &connectErr) {
		return 0
	}
	seconds, _ := strconv.Atoi(connectErr.Meta().Get("Retry-After"))
	return time.Duration(seconds) * time.Second
}
