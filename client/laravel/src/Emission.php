<?php

declare(strict_types=1);

namespace Msab\Laravel;

use Msab\Laravel\Contract\RelayEvent;
use Msab\Laravel\Contract\Target;
use Msab\Laravel\Delivery\Envelope;

/** One `emit()`: the event as it goes out, whom to, and the envelopes that carry it. */
final readonly class Emission
{
    /** @param  non-empty-list<Envelope>  $envelopes several where it is for more than 10,000 users */
    public function __construct(
        public string $eventId,
        public RelayEvent $event,
        public Target $target,
        public EmitOptions $options,
        public array $envelopes,
    ) {}
}
