<?php

declare(strict_types=1);

namespace Msab\Laravel\Transport;

use Msab\Laravel\Exceptions\RelayException;

/** A way to the relay. Same rules and same errors, whichever it is. */
interface Transport
{
    /** The most events in one call. */
    public const MAX_BATCH = 1000;

    /** The most bytes in one call; the relay's limit is 4 MiB, its own framing included. */
    public const MAX_BATCH_BYTES = 4_000_000;

    /**
     * Emits one event.
     *
     * @param  string  $bytes  a serialised `msab.v1.EmitEventRequest`
     * @param  float|null  $deadline  seconds; null: 0.3 within a request, 2 in a worker, as configured
     *
     * @throws RelayException where the relay refuses it or can't be reached
     */
    public function emit(string $bytes, ?float $deadline = null): EmitResult;

    /**
     * Emits events in their order, in as few calls as the relay's limits allow. Never throws a
     * RelayException: where a whole call fails, so does each of its events and each after it.
     *
     * @param  list<string>  $requests  serialised `msab.v1.EmitEventRequest`
     * @param  float|null  $deadline  seconds for each call; null: as configured
     * @return list<EmitResult|EmitFailure> one for each request, in the same order
     */
    public function emitBatch(array $requests, ?float $deadline = null): array;

    /**
     * The head of the relay's stream. Read it before building a page's state, and give it out with
     * the state: a first connection that resumes from it misses nothing in between.
     *
     * @throws RelayException
     */
    public function cursor(?float $deadline = null): string;

    /** `grpc`, `http`, `log` or `null`: the one really used. */
    public function name(): string;
}
