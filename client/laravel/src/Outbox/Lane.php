<?php

declare(strict_types=1);

namespace Msab\Laravel\Outbox;

/**
 * One of 16 lines in which rows wait. All rows of one audience stand in one lane, and one worker at a time serves a
 * lane: so what is for one audience leaves in the order in which it was written.
 */
final readonly class Lane
{
    public const COUNT = 16;

    /** @param  string  $audience  in canonical text, as an Envelope has it */
    public static function of(string $audience): int
    {
        return crc32($audience) % self::COUNT;
    }

    /** @return non-empty-list<int> */
    public static function all(): array
    {
        return range(0, self::COUNT - 1);
    }
}
