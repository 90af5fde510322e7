"""Repeats calls while the gateway is away."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import grpc

FIRST_BACKOFF_S = 0.1
MAX_BACKOFF_S = 5.0

T = TypeVar("T")


@dataclass(frozen=True)
class Deadlines:
    """Longest times, in seconds, that a call with all its attempts and one attempt may take."""

    call: float
    attempt: float


def retry(deadlines: Deadlines, attempt: Callable[[float], T]) -> T:
    """
    Calls `attempt` with the seconds it may take until it is answered, fails for good, or the time is over; then raises
    its last grpc.RpcError.
    """
    give_up_at = time.monotonic() + deadlines.call
    tries = 0
    while True:
        try:
            return attempt(min(deadlines.attempt, give_up_at - time.monotonic()))
        except grpc.RpcError as error:
            wait = backoff(error, tries)
            if not is_transient(error) or time.monotonic() + wait >= give_up_at:
                raise
        time.sleep(wait)
        tries += 1


def is_transient(error: grpc.RpcError) -> bool:
    match error.code():
        case grpc.StatusCode.UNAVAILABLE | grpc.StatusCode.DEADLINE_EXCEEDED | grpc.StatusCode.ABORTED:
            return True
        case grpc.StatusCode.RESOURCE_EXHAUSTED:
            # Without it the request is too large, and always will be.
            return retry_after(error) > 0
        case _:
            return False


def backoff(error: grpc.RpcError, tries: int) -> float:
    """Doubles with each try, at random between half and whole so that clients spread; no less than the gateway asks."""
    whole = min(MAX_BACKOFF_S, FIRST_BACKOFF_S * 2 ** min(tries, 10))
    return max(retry_after(error), random.uniform(whole / 2, whole))


def retry_after(error: grpc.RpcError) -> float:
    """Seconds; 0 if the gateway did not say."""
    for key, value in error.trailing_metadata() or ():
        if key == "retry-after" and value.isdecimal():
            return float(value)
    return 0
