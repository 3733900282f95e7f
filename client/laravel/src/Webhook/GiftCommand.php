<?php

declare(strict_types=1);

namespace Msab\Laravel\Webhook;

use Carbon\CarbonImmutable;

/** `gift:send`: a user gives a gift to participants of a room. */
final readonly class GiftCommand extends Command
{
    public const TYPE = 'gift:send';

    /**
     * @param  int  $userId  who gives, and pays
     * @param  non-empty-list<int>  $recipientIds  who is to get it: 1 to 30
     * @param  int  $quantity  how many each gets: 1 to 9999
     * @param  string  $transactionId  the same on every repeat: together with the user it is charged once
     * @param  ?string  $batchId  groups the gifts of one combo
     */
    public function __construct(
        int $userId,
        public string $roomId,
        public int $giftId,
        public array $recipientIds,
        public int $quantity,
        public string $transactionId,
        public ?string $batchId = null,
        string $connectionId = '',
        ?CarbonImmutable $receivedAt = null,
    ) {
        parent::__construct($userId, $connectionId, $receivedAt);
    }

    /** @throws InvalidCommand */
    public static function fromData(Fields $data, int $userId, string $connectionId, CarbonImmutable $receivedAt): self
    {
        return new self(
            userId: $userId,
            roomId: $data->room('roomId'),
            giftId: $data->id('giftId'),
            recipientIds: $data->ids('recipientIds', 30),
            quantity: $data->integer('quantity', 1, 9999),
            transactionId: $data->string('transactionId', 1, 128),
            batchId: $data->optionalString('batchId', 1, 128),
            connectionId: $connectionId,
            receivedAt: $receivedAt,
        );
    }

    /**
     * The event id under which the relay shows this gift to the room: whoever emits `gift:received` for it
     * under the same id shows it no second time.
     */
    public function eventId(): string
    {
        return "gift:{$this->userId}:{$this->transactionId}";
    }

    /** One text for equal gifts: what a repeat of the transaction must agree with. */
    public function fingerprint(): string
    {
        return hash('sha256', json_encode(
            [$this->roomId, $this->giftId, $this->recipientIds, $this->quantity, $this->batchId],
            JSON_THROW_ON_ERROR | JSON_INVALID_UTF8_SUBSTITUTE,
        ));
    }
}
