<?php

declare(strict_types=1);

namespace Msab\Laravel\Delivery;

use Msab\Laravel\Transport\EmitResult;

/**
 * The relay accepted an event that the application had handed over with `emit()`. Where
 * `$result->usersOnline` is 0 it is the moment for a push notification.
 */
final readonly class EventEmitted
{
    public function __construct(
        public Envelope $envelope,
        public EmitResult $result,
    ) {}
}
