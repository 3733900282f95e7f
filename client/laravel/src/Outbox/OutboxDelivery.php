<?php

declare(strict_types=1);

namespace Msab\Laravel\Outbox;

use Msab\Laravel\Delivery\Delivery;
use Msab\Laravel\Delivery\Envelope;

/**
 * Writes the event beside what it tells of, in the same transaction: both are committed, or neither. `msab:outbox work`
 * sends it. Throws what the database throws: an event that can't be written must not be committed without.
 */
final readonly class OutboxDelivery implements Delivery
{
    public function __construct(private Outbox $outbox) {}

    public function deliver(Envelope $envelope): void
    {
        // Asked anew: the application may have exchanged its connection since.
        $this->outbox->table()->write($envelope);
    }
}
