package clickmesh_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	clickmesh "github.com/clickmesh/clickmesh/gen/go"
)

// scripted answers by itself, in the time of a bubble of synctest.
type scripted func(call int) *http.Response

// attempts are when each was made, since the first.
func (s scripted) attempts(t *testing.T, timeout time.Duration) []time.Duration {
	t.Helper()
	var at []time.Duration
	var began time.Time
	client := newClient(t, "http://scripted", clickmesh.Options{
		Timeout: timeout, Protocol: clickmesh.Connect, Logger: logTo(&log{}),
		HTTPClient: do(func(request *http.Request) (*http.Response, error) {
			if began.IsZero() {
				began = time.Now()
			}
			at = append(at, time.Since(began))
			response := s(len(at))
			response.Request = request
			return response, nil
		}),
	})
	_, err := client.Send(t.Context(), aClick("id"))
	if failed := (*clickmesh.SendFailed)(nil); !errors.As(err, &failed) || failed.Attempts != len(at) {
		t.Errorf("%v, after %d attempts", err, len(at))
	}
	client.Close(t.Context())
	return at
}

type do func(*http.Request) (*http.Response, error)

func (d do) Do(request *http.Request) (*http.Response, error) { return d(request) }

func away(retryAfter string) *http.Response {
	header := http.Header{}
	if retryAfter != "" {
		header.Set("Retry-After", retryAfter)
	}
	return &http.Response{StatusCode: http.StatusServiceUnavailable, Header: header, Body: http.NoBody}
}

func TestTimeBetweenAttemptsGrowsUpTo5Seconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := scripted(func(int) *http.Response { return away("") }).attempts(t, 10*time.Minute)
		for i := 1; i < len(at); i++ {
			if gap, most := at[i]-at[i-1], min(100*time.Millisecond<<min(i-1, 10), 5*time.Second); gap > most {
				t.Errorf("%v before attempt %d, of at most %v", gap, i+1, most)
			}
		}
		// 2.5 s each, on the average.
		if len(at) < 150 || len(at) > 400 {
			t.Errorf("%d attempts in 10 minutes", len(at))
		}
	})
}

func TestAsLongAsIsAskedIsWaitedUpToAMinute(t *testing.T) {
	for name, c := range map[string]struct {
		header      func() string
		least, most time.Duration
	}{
		"seconds":    {func() string { return "7" }, 7 * time.Second, 7 * time.Second},
		"a date":     {func() string { return time.Now().Add(9 * time.Second).UTC().Format(http.TimeFormat) }, 8 * time.Second, 9 * time.Second},
		"too long":   {func() string { return "1000" }, time.Minute, time.Minute},
		"for ever":   {func() string { return "1e300" }, 0, 5 * time.Second},
		"the past":   {func() string { return "-5" }, 0, 5 * time.Second},
		"not a time": {func() string { return "soon" }, 0, 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				at := scripted(func(int) *http.Response { return away(c.header()) }).attempts(t, 3*time.Minute)
				if len(at) < 3 {
					t.Errorf("%d attempts in 3 minutes", len(at))
				}
				for i := 1; i < len(at); i++ {
					if gap := at[i] - at[i-1]; gap < c.least || gap > c.most {
						t.Errorf("waited %v", gap)
					}
				}
			})
		})
	}
}

func TestALastAttemptThatIsCutShortHidesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		client := newClient(t, "http://scripted", clickmesh.Options{
			Timeout: 5 * time.Second, Protocol: clickmesh.Connect, Logger: logTo(&log{}),
			HTTPClient: do(func(request *http.Request) (*http.Response, error) {
				if calls++; calls == 1 {
					return nil, errors.New("no route")
				}
				<-request.Context().Done()
				return nil, request.Context().Err()
			}),
		})
		if _, err := client.Send(t.Context(), aClick("id")); err == nil || !strings.Contains(err.Error(), "no route") {
			t.Errorf("%v", err)
		}
		client.Close(t.Context())
	})
}
