<?php

declare(strict_types=1);

namespace Msab\Laravel\Contract;

use Msab\V1\EmitEventRequest;

/** An event for clients: one of the contract's (`Msab\Laravel\Events`), or a {@see CustomEvent}. */
interface RelayEvent
{
    /** As clients see it: `balance.updated`. */
    public function eventName(): string;

    /** Adds what breaks the contract's rules, field by field. */
    public function check(Checker $check): void;

    /**
     * Its data as clients see it, in the contract's own keys.
     *
     * @return array<string, mixed>
     */
    public function toArray(): array;

    /** Puts the payload into a request. Only after `check()` found nothing. */
    public function putInto(EmitEventRequest $request): void;
}
