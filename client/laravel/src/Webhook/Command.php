<?php

declare(strict_types=1);

namespace Msab\Laravel\Webhook;

use Carbon\CarbonImmutable;
use stdClass;
use Throwable;

/**
 * What a client asked of the relay, and the relay asks of the application.
 *
 * The user comes from the session that the relay authenticated, never from what the client sent.
 */
abstract readonly class Command
{
    /**
     * @param  int  $userId  who sent it
     * @param  string  $connectionId  from which connection
     * @param  ?CarbonImmutable  $receivedAt  when the relay got it, by the relay's clock
     */
    public function __construct(
        public int $userId,
        public string $connectionId = '',
        public ?CarbonImmutable $receivedAt = null,
    ) {}

    /**
     * One member of a batch's `commands`, as {@see GiftCommand} or {@see JoinCommand}.
     *
     * @throws InvalidCommand naming the field and what would be right
     */
    public static function fromWire(stdClass $wire): self
    {
        $fields = new Fields($wire);
        $type = $fields->string('type', 1, 64);
        $userId = $fields->object('user')->id('id');
        $connectionId = $fields->string('connectionId', 0, 128);
        $receivedAt = self::moment($fields->string('receivedAt', 1, 64));
        $data = $fields->object('data');

        return match ($type) {
            GiftCommand::TYPE => GiftCommand::fromData($data, $userId, $connectionId, $receivedAt),
            JoinCommand::TYPE => JoinCommand::fromData($data, $userId, $connectionId, $receivedAt),
            default => throw new InvalidCommand("type: \"{$type}\" is none that this version of msab/laravel knows"),
        };
    }

    private static function moment(string $text): CarbonImmutable
    {
        try {
            return new CarbonImmutable($text);
        } catch (Throwable) {
            throw new InvalidCommand('receivedAt: must be a moment as RFC 3339 writes it');
        }
    }
}
