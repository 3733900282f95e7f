<?php

declare(strict_types=1);

namespace Msab\Laravel\Webhook;

use Carbon\CarbonImmutable;

/** `room:join` of a room that the application guards: one named `private-…` or `presence-…`, or any (`rooms.authorize`). */
final readonly class JoinCommand extends Command
{
    public const TYPE = 'room:join';

    public function __construct(
        int $userId,
        public string $roomId,
        string $connectionId = '',
        ?CarbonImmutable $receivedAt = null,
    ) {
        parent::__construct($userId, $connectionId, $receivedAt);
    }

    /** @throws InvalidCommand */
    public static function fromData(Fields $data, int $userId, string $connectionId, CarbonImmutable $receivedAt): self
    {
        return new self($userId, $data->room('roomId'), $connectionId, $receivedAt);
    }
}
