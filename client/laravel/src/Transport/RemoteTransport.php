<?php

declare(strict_types=1);

namespace Msab\Laravel\Transport;

use Msab\Laravel\Exceptions\RelayException;

/** What the ways over the network have in common: deadlines, the {@see Guard}, batches in parts. */
abstract class RemoteTransport implements Transport
{
    public function __construct(
        private readonly Deadlines $deadlines,
        private readonly Guard $guard,
    ) {}

    public function emit(string $bytes, ?float $deadline = null): EmitResult
    {
        return $this->guard->run(
            fn (float $seconds) => $this->callEmit($this->encode($bytes), $seconds),
            $deadline ?? $this->deadlines->seconds(),
        );
    }

    public function emitBatch(array $requests, ?float $deadline = null): array
    {
        $deadline ??= $this->deadlines->seconds();
        $results = [];
        $failure = null;
        foreach ($this->parts($requests) as $part) {
            if ($failure === null) {
                try {
                    $answers = $this->guard->run(fn (float $seconds) => $this->callEmitBatch($part, $seconds), $deadline);
                    array_push($results, ...$answers);

                    continue;
                } catch (RelayException $exception) {
                    $failure = $exception->failure;
                }
            }
            array_push($results, ...array_fill(0, count($part), $failure));
        }

        return $results;
    }

    public function cursor(?float $deadline = null): string
    {
        return $this->guard->run(
            fn (float $seconds) => $this->callCursor($seconds),
            $deadline ?? $this->deadlines->seconds(),
        );
    }

    /**
     * As it goes over the wire.
     *
     * @param  string  $bytes  a serialised `msab.v1.EmitEventRequest`
     */
    abstract protected function encode(string $bytes): string;

    /** @throws RelayException */
    abstract protected function callEmit(string $request, float $seconds): EmitResult;

    /**
     * @param  non-empty-list<string>  $requests  encoded, within the relay's limits
     * @return list<EmitResult|EmitFailure> one for each
     *
     * @throws RelayException
     */
    abstract protected function callEmitBatch(array $requests, float $seconds): array;

    /** @throws RelayException */
    abstract protected function callCursor(float $seconds): string;

    /**
     * @param  list<string>  $requests
     * @return \Generator<int, non-empty-list<string>> encoded
     */
    private function parts(array $requests): \Generator
    {
        $part = [];
        $size = 0;
        foreach ($requests as $bytes) {
            $request = $this->encode($bytes);
            $more = strlen($request) + 8;  // the item's own framing
            if ($part !== [] && (count($part) === self::MAX_BATCH || $size + $more > self::MAX_BATCH_BYTES)) {
                yield $part;
                [$part, $size] = [[], 0];
            }
            $part[] = $request;
            $size += $more;
        }
        if ($part !== []) {
            yield $part;
        }
    }
}
