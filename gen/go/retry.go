package clickmesh

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
)

const (
	firstBackoff = 100 * time.Millisecond
	maxBackoff   = 5 * time.Second
	// Longest time that is waited for a gateway that asks for it.
	maxRetryAfter = time.Minute
)

// failure is the last error of a call that was repeated until its time was over, or that can't be repeated.
type failure struct {
	attempts int
	took     time.Duration
	err      error
	// Whether another call at the same time would fail as well.
	isOutage bool
}

// retry calls until it is answered, fails for good, or the time is over.
func retry[T any](ctx context.Context, options Options, call func(context.Context) (T, error)) (T, *failure) {
	began := time.Now()
	timed, cancel := context.WithTimeout(ctx, options.Timeout)
	defer cancel()
	deadline, _ := timed.Deadline()
	var last error
	for n := 0; ; n++ {
		if time.Until(deadline) < time.Millisecond || timed.Err() != nil {
			var none T
			return none, &failure{n, time.Since(began), options.told(whyEnded(ctx, last)), true}
		}
		answer, watched, err := attemptOnce(timed, options.AttemptTimeout, call)
		if err == nil {
			return answer, nil
		}
		// An attempt that was cut short tells less than the one before, and a connection that just broke less than one that
		// said what is wrong.
		if last == nil || timed.Err() == nil && hint(last) == "" {
			last = err
		}
		if timed.Err() == nil && !isTransient(err, watched) {
			return answer, &failure{n + 1, time.Since(began), options.told(last), false}
		}
		select {
		case <-timed.Done():
		case <-time.After(backoff(err, watched, n)):
		}
	}
}

// whyEnded is the last error, or why the caller does not wait any more.
func whyEnded(ctx context.Context, last error) error {
	cause := context.Cause(ctx)
	switch {
	case cause == nil && last == nil:
		return context.DeadlineExceeded
	case cause == nil:
		return last
	case last == nil || errors.Is(last, ctx.Err()):
		return cause
	default:
		return fmt.Errorf("%w, after %w", cause, last)
	}
}

// told names the address, unless the error does, and what may be wrong with it.
func (o Options) told(err error) error {
	_, host, _ := strings.Cut(o.address, "://")
	what := hint(err)
	if what == "" && strings.Contains(err.Error(), host) {
		return err
	}
	return fmt.Errorf("%s: %w%s", o.address, err, what)
}

// hint is what to do about an error of a wrong address; empty of others.
func hint(err error) string {
	text := err.Error()
	switch {
	case strings.Contains(text, http.ErrSchemeMismatch.Error()):
		return ": if it has no TLS its address begins with http://"
	case strings.Contains(text, "frame too large"), strings.Contains(text, "malformed HTTP"):
		// What comes instead of HTTP/2 is read as the length of a frame.
		return ": it does not answer in HTTP/2: if it has TLS its address begins with https://; behind a proxy that knows " +
			"only HTTP/1.1 set Options.Protocol to Connect"
	default:
		return ""
	}
}

func attemptOnce[T any](ctx context.Context, timeout time.Duration, call func(context.Context) (T, error)) (T, *attempt, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	ctx, watched := withAttempt(ctx)
	answer, err := call(ctx)
	return answer, watched, err
}

// isTransient tells whether another attempt may do better, of a call whose caller still waits.
func isTransient(err error, watched *attempt) bool {
	if watched.isBroken.Load() {
		return true
	}
	switch watched.status.Load() {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusBadGateway, http.StatusServiceUnavailable,
		http.StatusGatewayTimeout:
		return true
	}
	switch connect.CodeOf(err) {
	case connect.CodeUnavailable, connect.CodeDeadlineExceeded, connect.CodeAborted:
		return true
	case connect.CodeResourceExhausted:
		// Without it the request is too large, and always will be.
		_, isAsked := retryAfter(err, watched)
		return isAsked
	default:
		return false
	}
}

// backoff doubles with each attempt, at random up to that so that clients spread; never less than the gateway asks for.
func backoff(err error, watched *attempt, n int) time.Duration {
	asked, _ := retryAfter(err, watched)
	return max(asked, rand.N(min(maxBackoff, firstBackoff<<min(n, 10))+1))
}

// retryAfter is how long the gateway asks to wait, by a header or a google.rpc.RetryInfo, and whether it asks for any
// time: no time is not asked.
func retryAfter(err error, watched *attempt) (time.Duration, bool) {
	if header := watched.retryAfter.Load(); header != nil {
		if wait := parseRetryAfter(*header); wait > 0 {
			return wait, true
		}
	}
	var connectErr *connect.Error
	if !errors.As(err, &connectErr) {
		return 0, false
	}
	// gRPC may have it behind the answer.
	if wait := parseRetryAfter(connectErr.Meta().Get("Retry-After")); wait > 0 {
		return wait, true
	}
	for _, detail := range connectErr.Details() {
		if detail.Type() != "google.rpc.RetryInfo" {
			continue
		}
		// Its one field, retry_delay, is number 1.
		_, _, tag := protowire.ConsumeTag(detail.Bytes())
		delay, n := protowire.ConsumeBytes(detail.Bytes()[max(tag, 0):])
		asked := &durationpb.Duration{}
		if tag > 0 && n > 0 && proto.Unmarshal(delay, asked) == nil {
			wait := bounded(asked.AsDuration())
			return wait, wait > 0
		}
	}
	return 0, false
}

func bounded(wait time.Duration) time.Duration {
	return min(max(wait, 0), maxRetryAfter)
}

// parseRetryAfter takes seconds or a date; 0 if it is neither.
func parseRetryAfter(header string) time.Duration {
	if seconds, err := strconv.ParseUint(header, 10, 32); err == nil {
		return bounded(time.Duration(seconds) * time.Second)
	}
	date, err := http.ParseTime(header)
	if err != nil {
		return 0
	}
	return bounded(time.Until(date))
}
