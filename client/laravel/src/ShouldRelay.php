<?php

declare(strict_types=1);

namespace Msab\Laravel;

use Msab\Laravel\Contract\RelayEvent;

/**
 * For an event of the application's own: what the relay's clients hear of it.
 *
 * Asked when the event is dispatched, so it sees the models as they are then; sent when the
 * transaction that is open then commits, and not at all if it is rolled back.
 */
interface ShouldRelay
{
    /**
     * @return RelayEvent|PendingEmit|iterable<RelayEvent|PendingEmit>|null an event whose payload names
     *                                                                      whom it is for; or
     *                                                                      `Msab::toUser(…)->event(…)`;
     *                                                                      several; or nothing
     */
    public function toRelay(): RelayEvent|PendingEmit|iterable|null;
}
