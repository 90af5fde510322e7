package clickmesh

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
)

// A connection that says nothing is asked for a sign of life, and given up without one: sooner than an attempt, so that
// the next goes over a new one.
const (
	quietTime = 4 * time.Second
	pingTime  = 3 * time.Second
)

// Messages below this many bytes are not worth compressing.
const gzipMinBytes = 1024

// attempt is what HTTP tells of one call, which the error of Connect doesn't: whether the connection broke, the status,
// and when to come back, as a proxy says it too.
type attempt struct {
	isBroken   atomic.Bool
	status     atomic.Int32
	retryAfter atomic.Pointer[string]
}

type attemptKey struct{}

// transport sends the headers of the options and watches what becomes of the connection.
type transport struct {
	client  connect.HTTPClient
	options Options
}

func (t *transport) Do(request *http.Request) (*http.Response, error) {
	attempt, _ := request.Context().Value(attemptKey{}).(*attempt)
	if err := t.addHeaders(request); err != nil {
		return nil, err
	}
	response, err := t.client.Do(request)
	if attempt == nil {
		return response, err
	}
	if err != nil {
		attempt.isBroken.Store(true)
		if request.Context().Err() != nil {
			return nil, err
		}
		// Left to Connect, a reset would be "canceled".
		if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return nil, connect.NewError(connect.CodeUnavailable, err)
	}
	attempt.status.Store(int32(response.StatusCode))
	if header := response.Header.Get("Retry-After"); header != "" {
		attempt.retryAfter.Store(&header)
	}
	response.Body = &watchedBody{response.Body, attempt}
	return response, nil
}

func (t *transport) addHeaders(request *http.Request) error {
	for name, value := range t.options.Headers {
		request.Header.Set(name, value)
	}
	if t.options.Key != "" {
		request.Header.Set("Authorization", "Bearer "+t.options.Key)
	}
	if t.options.HeadersFunc == nil {
		return nil
	}
	headers, err := t.options.HeadersFunc(request.Context())
	if err != nil {
		// It may have had to ask somebody, so that another attempt may do better.
		return connect.NewError(connect.CodeUnavailable, fmt.Errorf("Options.HeadersFunc: %w", err))
	}
	if err := checkHeaders("HeadersFunc", headers); err != nil {
		return connect.NewError(connect.CodeInvalidArgument, err)
	}
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	return nil
}

// closeIdle ends the connections of a client that is not used any more.
func (t *transport) closeIdle() {
	if client, ok := t.client.(interface{ CloseIdleConnections() }); ok {
		client.CloseIdleConnections()
	}
}

type watchedBody struct {
	io.ReadCloser
	attempt *attempt
}

func (b *watchedBody) Read(bytes []byte) (int, error) {
	n, err := b.ReadCloser.Read(bytes)
	if err != nil && err != io.EOF {
		b.attempt.isBroken.Store(true)
	}
	return n, err
}

func newHTTPClient(protocol Protocol) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Protocols = new(http.Protocols)
	transport.Protocols.SetHTTP2(true)
	if protocol == GRPC {
		transport.Protocols.SetUnencryptedHTTP2(true)
	} else {
		transport.Protocols.SetHTTP1(true)
	}
	transport.HTTP2 = &http.HTTP2Config{SendPingTimeout: quietTime, PingTimeout: pingTime}
	transport.MaxIdleConnsPerHost = maxUnderWay
	return &http.Client{Transport: transport}
}

func clientOptions(protocol Protocol) []connect.ClientOption {
	options := []connect.ClientOption{
		connect.WithCodec(codec{}),
		connect.WithAcceptCompression("gzip", newGzipReader, newGzipWriter),
		connect.WithSendGzip(),
		connect.WithCompressMinBytes(gzipMinBytes),
	}
	if protocol == GRPC {
		options = append(options, connect.WithGRPC())
	}
	return options
}

func newGzipReader() connect.Decompressor { return &gzip.Reader{} }

// newGzipWriter is fast: the default level takes several times as long for a few percent.
func newGzipWriter() connect.Compressor {
	writer, err := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
	if err != nil {
		panic(err)
	}
	return writer
}

// codec is that of Protobuf, for requests that are serialized already as well.
type codec struct{}

func (codec) Name() string { return "proto" }

func (c codec) Marshal(message any) ([]byte, error) { return c.MarshalAppend(nil, message) }

func (codec) MarshalAppend(bytes []byte, message any) ([]byte, error) {
	switch message := message.(type) {
	case *serialized:
		return message.appendTo(bytes), nil
	case proto.Message:
		return proto.MarshalOptions{}.MarshalAppend(bytes, message)
	default:
		return nil, fmt.Errorf("%T is no message", message)
	}
}

func (codec) Unmarshal(bytes []byte, message any) error {
	return proto.Unmarshal(bytes, message.(proto.Message))
}

// withAttempt gives a call a place where HTTP leaves what it tells.
func withAttempt(ctx context.Context) (context.Context, *attempt) {
	attempt := &attempt{}
	return context.WithValue(ctx, attemptKey{}, attempt), attempt
}
