package clickmesh

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"connectrpc.com/connect"
	"golang.org/x/net/http/httpguts"
)

// Options of a Client; the zero value of each means its default.
type Options struct {
	// Longest time that a call may take, all its attempts together; of SendBatch and Track, a call of one batch. 1 ms to
	// a day; 30 s.
	Timeout time.Duration
	// Longest time that one attempt may take. 1 ms to a day; 10 s.
	AttemptTimeout time.Duration
	// Tracked events go out when this many wait. 1 to 1,000; 500.
	BatchSize int
	// Tracked events go out when the first has waited this long. Up to 60 s; 50 ms.
	BatchDelay time.Duration
	// Most tracked events without an answer. 1 to 10,000,000; 10,000.
	MaxQueueEvents int
	// Most bytes of them, serialized. 1 MiB to 16 GiB; 64 MiB.
	MaxQueueBytes int
	// What Track does without room: Wait or Reject. Wait.
	OnFull OnFull
	// Sent with every request.
	Headers map[string]string
	// Asked for more headers before every attempt, such as one of a token that is renewed.
	HeadersFunc func(context.Context) (map[string]string, error)
	// Sent as "authorization: Bearer …".
	Key string
	// GRPC, or Connect where a proxy knows only HTTP/1.1. GRPC.
	Protocol Protocol
	// Events are checked and counted as sent, and nothing is connected to.
	Disabled bool
	// Told of every batch that was given up, every event for which the queue had no room or that was discarded by Close
	// (a *SendFailed), and every tracked event that was rejected (a *Rejected); by several goroutines at once.
	OnError func(err error, events []*Completed)
	// Warned of the same, at most once in 10 s. slog.Default(); slog.New(slog.DiscardHandler) for none.
	Logger *slog.Logger
	// File that keeps tracked events which could not be sent; the next client that opens it sends them. None.
	Store string
	// Most bytes of it. 64 KiB to 1 GiB; 16 MiB.
	StoreBytes int64
	// Sends the requests, instead of a client for Protocol.
	HTTPClient connect.HTTPClient

	// Of the gateway.
	address string
}

// OnFull is what Track does without room in the queue.
type OnFull string

const (
	// Wait until there is room, or the context ends.
	Wait OnFull = "wait"
	// Reject with ErrQueueFull. The event is lost.
	Reject OnFull = "reject"
)

// Protocol is that of the calls.
type Protocol string

const (
	// GRPC needs HTTP/2 on the whole way.
	GRPC Protocol = "grpc"
	// Connect goes over HTTP/1.1 as well, and over HTTP/2 where TLS agrees on it.
	Connect Protocol = "connect"
)

// Bounds of options.
const (
	maxTimeout     = 24 * time.Hour
	maxBatchDelay  = time.Minute
	maxQueueEvents = 10_000_000
	minQueueBytes  = 1 << 20
	maxQueueBytes  = 16 << 30
	minStoreBytes  = 64 << 10
	maxStoreBytes  = 1 << 30
)

func (o Options) withDefaults() Options {
	setDefault(&o.Timeout, 30*time.Second)
	setDefault(&o.AttemptTimeout, 10*time.Second)
	setDefault(&o.BatchSize, 500)
	setDefault(&o.BatchDelay, 50*time.Millisecond)
	setDefault(&o.MaxQueueEvents, 10_000)
	setDefault(&o.MaxQueueBytes, 64<<20)
	setDefault(&o.OnFull, Wait)
	setDefault(&o.Protocol, GRPC)
	setDefault(&o.StoreBytes, 16<<20)
	return o
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// check tells all that is wrong with them.
func (o Options) check() error {
	return errors.Join(
		between("Timeout", o.Timeout, time.Millisecond, maxTimeout),
		between("AttemptTimeout", o.AttemptTimeout, time.Millisecond, maxTimeout),
		between("BatchSize", o.BatchSize, 1, maxCallEvents),
		between("BatchDelay", o.BatchDelay, 0, maxBatchDelay),
		between("MaxQueueEvents", o.MaxQueueEvents, 1, maxQueueEvents),
		between("MaxQueueBytes", o.MaxQueueBytes, minQueueBytes, maxQueueBytes),
		between("StoreBytes", o.StoreBytes, minStoreBytes, maxStoreBytes),
		oneOf("OnFull", o.OnFull, Wait, Reject),
		oneOf("Protocol", o.Protocol, GRPC, Connect),
		checkHeaders("Headers", o.Headers),
		checkKey(o.Key),
	)
}

func between[T int | int64 | time.Duration](name string, value, least, most T) error {
	if value >= least && value <= most {
		return nil
	}
	return fmt.Errorf("clickmesh: Options.%s must be in [%v, %v]: it is %v", name, least, most, value)
}

func oneOf[T ~string](name string, value T, a, b T) error {
	if value == a || value == b {
		return nil
	}
	return fmt.Errorf("clickmesh: Options.%s must be %q or %q: it is %q", name, a, b, value)
}

func checkHeaders(name string, headers map[string]string) error {
	for key, value := range headers {
		if !httpguts.ValidHeaderFieldName(key) || !httpguts.ValidHeaderFieldValue(value) {
			return fmt.Errorf("clickmesh: Options.%s has %q, which is not a header of HTTP", name, key)
		}
	}
	return nil
}

func checkKey(key string) error {
	if httpguts.ValidHeaderFieldValue(key) {
		return nil
	}
	return errors.New("clickmesh: Options.Key must be text for a header of HTTP: it has a control character, such as a line end")
}

// checkURL returns the address without the slash at its end.
func checkURL(address string) (string, error) {
	scheme, rest, hasScheme := strings.Cut(address, "://")
	if !hasScheme {
		return "", fmt.Errorf("clickmesh: %q has no scheme: http://%s", address, address)
	}
	if scheme != "http" && scheme != "https" {
		return "", fmt.Errorf("clickmesh: %q has the scheme %q: only http and https are known", address, scheme)
	}
	parsed, err := url.Parse(address)
	switch {
	case err != nil:
		return "", fmt.Errorf("clickmesh: %q is no address: %w", address, err)
	case parsed.Host == "" || rest == "":
		return "", fmt.Errorf("clickmesh: %q names no host", address)
	case !isPort(parsed.Port()):
		return "", fmt.Errorf("clickmesh: %q has the port %s: ports are 1 to 65535", address, parsed.Port())
	case parsed.RawQuery != "" || parsed.Fragment != "":
		return "", fmt.Errorf("clickmesh: %q has a query or a fragment: an address has none", address)
	}
	return strings.TrimRight(address, "/"), nil
}

func isPort(port string) bool {
	number, err := strconv.Atoi(port)
	return port == "" || err == nil && number >= 1 && number <= math.MaxUint16
}
