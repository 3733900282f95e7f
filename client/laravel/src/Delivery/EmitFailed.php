<?php

declare(strict_types=1);

namespace Msab\Laravel\Delivery;

/** An event will not reach the relay any more, unless somebody sends it again. */
final readonly class EmitFailed
{
    /**
     * @param  string  $eventName  as clients see it: `balance.updated`
     * @param  Envelope|null  $envelope  null where the event broke the contract, and none was made
     */
    public function __construct(
        public string $eventName,
        public ?Envelope $envelope,
        public \Throwable $exception,
    ) {}
}
