<?php

declare(strict_types=1);

namespace Msab\Laravel\Contract;

/** An object within an event's data. What implements it is generated; see `bin/generate`. */
interface Payload
{
    public function check(Checker $check): void;

    /** @return array<string, mixed> in the contract's own keys */
    public function toArray(): array;

    /** Its message, serialised. Only after `check()` found nothing. */
    public function toBytes(): string;
}
