package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func flush(client *connection, c *call) (object, error) {
	c.begun()
	ctx, end := c.limited()
	defer end()
	began := time.Now()
	err := client.Flush(ctx)
	return object{"done": err == nil, "tookMs": tookSince(began)}, nil
}

func closeClient(client *connection, c *call) (object, error) {
	c.begun()
	ctx, end := c.limited()
	defer end()
	if c.command["interrupted"] == true {
		end()
	}
	once := func() object {
		began := time.Now()
		err := client.Close(ctx)
		answer := object{"tookMs": tookSince(began), "isInterrupted": ctx.Err() != nil}
		if err != nil {
			answer["error"] = errorOf(err)
		}
		return answer
	}
	if c.number("times") < 2 {
		return once(), nil
	}
	second := make(chan object)
	go func() { second <- once() }()
	answer := once()
	answer["second"] = <-second
	return answer, nil
}

// inCallback does in a goroutine of its own what others do in the callback of an answer, which Go has not.
func inCallback(client *connection, c *call) (object, error) {
	ctx := context.Background()
	event, err := eventOf(c.command["event"])
	if err != nil {
		return nil, err
	}
	began := time.Now()
	tracked, err := client.Track(ctx, event)
	if err != nil {
		return nil, err
	}
	c.begun()
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		defer func() { _ = recover() }()
		_, _ = tracked.Wait(ctx)
		switch c.text("call") {
		case "flush":
			client.Flush(ctx)
		case "close":
			client.Close(ctx)
		case "track":
			client.Track(ctx, event)
		case "throw":
			panic("on purpose")
		}
	}()
	<-returned
	return object{"tookMs": tookSince(began)}, nil
}

func handleSigterm(client *connection, c *call) (object, error) {
	if c.command["own"] == true {
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGTERM)
		go func() {
			<-signals
			fmt.Fprintln(os.Stderr, "own handler")
			// The next one ends the program.
			signal.Stop(signals)
		}()
	}
	client.CloseOnSigterm()
	return nil, nil
}
