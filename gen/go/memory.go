package clickmesh

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	v1 "github.com/clickmesh/clickmesh/gen/go/clickmesh/v1"
	"github.com/clickmesh/clickmesh/gen/go/clickmesh/v1/clickmeshv1connect"
)

// Memory is a Client for tests: it checks events as every client does, and keeps them instead of sending them.
type Memory struct {
	*Client

	mu     sync.Mutex
	events []*v1.Event
}

// NewMemory returns a client for tests. Of the options those about connections mean nothing.
func NewMemory(options Options) (*Memory, error) {
	memory := &Memory{}
	options.HTTPClient, options.Protocol = inMemory(memory.add), Connect
	var err error
	memory.Client, err = New("http://memory", options)
	return memory, err
}

func (m *Memory) add(event *v1.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.events = append(m.events, event)
}

// Events are copies of the accepted events, in their order. What was tracked is there once it was sent: Flush before.
func (m *Memory) Events() []*v1.Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	copies := make([]*v1.Event, len(m.events))
	for i, event := range m.events {
		copies[i] = proto.CloneOf(event)
	}
	return copies
}

// handler is an HTTP client that has its server in itself.
type handler struct{ http.Handler }

// inMemory has a gateway that gives all events to `add`.
func inMemory(add func(*v1.Event)) connect.HTTPClient {
	_, ingest := clickmeshv1connect.NewIngestServiceHandler(&memoryGateway{add: add})
	return handler{ingest}
}

func (h handler) Do(request *http.Request) (*http.Response, error) {
	answer := &answer{header: http.Header{}, status: http.StatusOK}
	request = request.Clone(request.Context())
	if request.Body == nil {
		request.Body = http.NoBody
	}
	h.ServeHTTP(answer, request)
	return &http.Response{
		StatusCode: answer.status, Header: answer.header, Body: io.NopCloser(&answer.body), Request: request,
		ProtoMajor: 1, ProtoMinor: 1, ContentLength: int64(answer.body.Len()),
	}, request.Context().Err()
}

// answer is what the handler writes.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) { a.status = status }

func (a *answer) Write(bytes []byte) (int, error) { return a.body.Write(bytes) }

// memoryGateway accepts what clients have checked.
type memoryGateway struct {
	clickmeshv1connect.UnimplementedIngestServiceHandler
	add func(*v1.Event)
}

func (g *memoryGateway) accept(event *v1.Event) *v1.Acceptance {
	g.add(event)
	message := event.ProtoReflect()
	arm := message.WhichOneof(eventCases)
	id := message.Get(arm).Message().Get(eventTypes[arm.Number()].id).String()
	return &v1.Acceptance{EventId: id}
}

func (g *memoryGateway) Ingest(
	_ context.Context, request *connect.Request[v1.IngestRequest],
) (*connect.Response[v1.IngestResponse], error) {
	return connect.NewResponse(&v1.IngestResponse{Acceptance: g.accept(request.Msg.GetEvent())}), nil
}

func (g *memoryGateway) IngestBatch(
	_ context.Context, request *connect.Request[v1.IngestBatchRequest],
) (*connect.Response[v1.IngestBatchResponse], error) {
	response := &v1.IngestBatchResponse{Accepted: uint32(len(request.Msg.GetEvents()))}
	for _, event := range request.Msg.GetEvents() {
		result := &v1.IngestResult_Accepted{Accepted: g.accept(event)}
		response.Results = append(response.Results, &v1.IngestResult{Result: result})
	}
	return connect.NewResponse(response), nil
}

func (g *memoryGateway) IngestStream(
	_ context.Context, stream *connect.ClientStream[v1.IngestStreamRequest],
) (*connect.Response[v1.IngestStreamResponse], error) {
	response := &v1.IngestStreamResponse{}
	for stream.Receive() {
		for _, event := range stream.Msg().GetEvents() {
			g.accept(event)
			response.Accepted++
		}
	}
	return connect.NewResponse(response), stream.Err()
}
