<?php

declare(strict_types=1);

namespace Msab\Laravel\Transport;

use Msab\V1\EmitEventRequest;

/** Takes everything and sends nothing: `MSAB_TRANSPORT=null`, e.g. in an application's own tests. */
final class NullTransport implements Transport
{
    public function emit(string $bytes, ?float $deadline = null): EmitResult
    {
        $request = new EmitEventRequest;
        $request->mergeFromString($bytes);

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
        return 'null';
    }
}
