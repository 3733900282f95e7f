<?php

declare(strict_types=1);

namespace Msab\Laravel\Contract;

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

    /** The payload's field of `msab.v1.EmitEventRequest`. */
    public function requestField(): int;

    /** The payload's message, serialised. Only after `check()` found nothing. */
    public function toBytes(): string;
}
