<?php

declare(strict_types=1);

namespace Msab\Laravel;

use Carbon\CarbonImmutable;

/** What a {@see PendingEmit} was told beside its event and its target. */
final readonly class EmitOptions
{
    /** Visible ASCII, up to 128 bytes. */
    public const CONNECTION_ID = '/^[!-~]{1,128}$/D';

    /**
     * @param  int|null  $ttlMs  from `occurred_at`; null: as long as the relay keeps it
     * @param  string|null  $exceptConnectionId  a connection that doesn't get it
     * @param  string|null  $delivery  a name as in `msab.delivery`; null: as configured
     */
    public function __construct(
        public ?string $eventId = null,
        public ?CarbonImmutable $occurredAt = null,
        public ?int $ttlMs = null,
        public ?string $exceptConnectionId = null,
        public ?string $delivery = null,
        public ?string $queue = null,
        public int $delaySeconds = 0,
    ) {}

    /**
     * A connection's id as a client sent it (`X-Socket-ID`). What can't be one names none: a client must not be
     * able to make an event unfit to be sent.
     */
    public static function connectionId(mixed $given): ?string
    {
        return is_string($given) && preg_match(self::CONNECTION_ID, $given) === 1 ? $given : null;
    }

    /** @param  array<string, mixed>  $changes by property */
    public function with(array $changes): self
    {
        return new self(...($changes + get_object_vars($this)));
    }
}
