// Driver is the Go client under the conformance suite: it reads commands and writes answers as gen/README.md says.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	clickmesh "github.com/clickmesh/clickmesh/gen/go"
)

// Longest time for a command to begin before the next one may.
const beginTime = 20 * time.Millisecond

// Most bytes of a line.
const maxLine = 256 << 20

type object = map[string]any

// unsupported is a command that Go has nothing for.
type unsupported string

func (u unsupported) Error() string { return string(u) }

// connection is a client and what it told.
type connection struct {
	*clickmesh.Client
	memory *clickmesh.Memory

	mu       sync.Mutex
	errors   []object
	warnings []string
}

type driver struct {
	mu      sync.Mutex
	clients map[string]*connection
	out     sync.Mutex
}

// call is a command on its way.
type call struct {
	command object
	// Says that the next may begin.
	begun func()
}

func (c *call) text(name string) string {
	text, _ := c.command[name].(string)
	return text
}

// number is 0 if there is none.
func (c *call) number(name string) float64 {
	number, ok := c.command[name].(json.Number)
	if !ok {
		return 0
	}
	value, _ := number.Float64()
	return value
}

// limited is a context that ends after limitMs, if that is given.
func (c *call) limited() (context.Context, context.CancelFunc) {
	if limit := c.number("limitMs"); limit > 0 {
		return context.WithTimeout(context.Background(), millis(limit))
	}
	return context.WithCancel(context.Background())
}

func millis(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

func main() {
	d := &driver{clients: map[string]*connection{}}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		command, err := decode(lines.Bytes())
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		begun := make(chan struct{})
		go d.answer(&call{command, sync.OnceFunc(func() { close(begun) })})
		select {
		case <-begun:
		case <-time.After(beginTime):
		}
	}
	os.Exit(0)
}

func decode(line []byte) (object, error) {
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.UseNumber()
	var command object
	return command, decoder.Decode(&command)
}

func (d *driver) answer(c *call) {
	answer, err := d.do(c)
	c.begun()
	switch none := unsupported(""); {
	case errors.As(err, &none):
		answer = object{"unsupported": string(none)}
	case err != nil:
		answer = object{"error": errorOf(err)}
	case answer == nil:
		answer = object{}
	}
	answer["id"] = c.command["id"]
	line, err := json.Marshal(answer)
	if err != nil {
		line, _ = json.Marshal(object{"id": c.command["id"], "fault": err.Error()})
	}
	d.out.Lock()
	defer d.out.Unlock()
	os.Stdout.Write(append(line, '\n'))
}

func (d *driver) do(c *call) (object, error) {
	switch c.text("do") {
	case "open":
		return nil, d.open(c)
	case "openMany":
		return d.openMany(c)
	case "exit":
		// Of a program whose main is at its end as well.
		if c.text("how") == "exception" {
			panic("on purpose")
		}
		os.Exit(0)
	case "fork":
		return nil, unsupported("Go does not fork")
	}
	d.mu.Lock()
	client := d.clients[c.text("client")]
	d.mu.Unlock()
	if client == nil {
		return object{"fault": fmt.Sprintf("there is no client %q", c.text("client"))}, nil
	}
	run, ok := commands[c.text("do")]
	if !ok {
		return nil, unsupported(fmt.Sprintf("%q is not known", c.text("do")))
	}
	return run(client, c)
}

func (d *driver) open(c *call) error {
	options, isMemory, err := optionsOf(c.command["options"])
	if err != nil {
		return err
	}
	client := &connection{}
	if told, _ := c.command["options"].(object); told["silent"] == true {
		options.Logger = slog.New(slog.NewTextHandler(client, nil))
	}
	options.OnError = client.note
	if isMemory {
		client.memory, err = clickmesh.NewMemory(options)
		if err == nil {
			client.Client = client.memory.Client
		}
	} else {
		client.Client, err = clickmesh.New(c.text("url"), options)
	}
	if err != nil {
		return optionError{err}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.clients[c.text("client")] = client
	return nil
}

type optionError struct{ error }

func (d *driver) openMany(c *call) (object, error) {
	event, err := eventOf(c.command["event"])
	if err != nil {
		return nil, err
	}
	before := routines()
	for range int(c.number("count")) {
		client, err := clickmesh.New(c.text("url"), clickmesh.Options{})
		if err != nil {
			return nil, err
		}
		client.Track(context.Background(), event)
		if err := client.Close(context.Background()); err != nil {
			return nil, err
		}
	}
	return object{"threadsBefore": before, "threadsAfter": routines()}, nil
}

// Write takes a line of the logger.
func (c *connection) Write(line []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.warnings = append(c.warnings, string(line))
	return len(line), nil
}

func (c *connection) note(err error, events []*clickmesh.Completed) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.errors = append(c.errors, object{"error": errorOf(err), "events": identities(events)})
}
