<?php

declare(strict_types=1);

namespace Msab\Laravel\Delivery;

/**
 * A way for an emit to leave the application (`msab.delivery`).
 *
 * Called in the middle of the application's work, perhaps inside a database transaction. What fails
 * here must not fail that work: an implementation reports and tells (`EmitFailed`) instead of
 * throwing, and sends nothing of a transaction that is rolled back. The outbox alone may throw:
 * its row belongs to the transaction.
 */
interface Delivery
{
    public function deliver(Envelope $envelope): void;
}
