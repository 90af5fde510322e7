package io.clickmesh;

/**
 * What became of the events of a client so far, each counted once. Always {@code queued = sent + rejected + lost +
 * stored + waiting}.
 *
 * @param queued all that calls took
 * @param sent the gateway has them
 * @param rejected they break a rule, by the client's judgement or the gateway's
 * @param lost given up after the timeout, refused by a full queue, or discarded by close()
 * @param stored they wait in the file of the option store
 * @param waiting queued or under way
 */
public record Counters(long queued, long sent, long rejected, long lost, long stored, long waiting) {}
