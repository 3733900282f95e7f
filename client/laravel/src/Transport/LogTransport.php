<?php

declare(strict_types=1);

namespace Msab\Laravel\Transport;

use Msab\V1\EmitEventRequest;
use Psr\Log\LoggerInterface;

/** Writes events to the application's log instead of sending them: `MSAB_TRANSPORT=log`. */
final class LogTransport implements Transport
{
    public function __construct(private readonly LoggerInterface $log) {}

    public function emit(string $bytes, ?float $deadline = null): EmitResult
    {
        $request = new EmitEventRequest;
        $request->mergeFromString($bytes);
        $this->log->info('msab: '.$request->getEvent(), json_decode($request->serializeToJsonString(), true));

        return new EmitResult($request->getEventId(), $this->cursor());
    }

    public function emitBatch(array $requests, ?float $deadline = null): array
    {
        return array_map(fn (string $bytes) => $this->emit($bytes), $requests);
    }

    public function cursor(?float $deadline = null): string
    {
        return '0-0';
    }

    public function name(): string
    {
        return 'log';
    }
}
