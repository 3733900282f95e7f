<?php

declare(strict_types=1);

namespace Msab\Laravel\Outbox;

use Msab\Laravel\Delivery\Envelope;
use stdClass;

/** A row that waits to be sent. */
final readonly class Row
{
    public const COLUMNS = ['id', 'connection', 'lane', 'event_id', 'event_name', 'audience', 'body', 'occurred_ms', 'expires_ms'];

    public function __construct(public int $id, public int $lane, public Envelope $envelope) {}

    /** From the columns of COLUMNS; some drivers give numbers as text. */
    public static function fromDatabase(stdClass $row): self
    {
        return new self((int) $row->id, (int) $row->lane, new Envelope(
            eventId: $row->event_id,
            eventName: $row->event_name,
            audience: $row->audience,
            bytes: (string) base64_decode($row->body, true),
            occurredAtMs: (int) $row->occurred_ms,
            expiresAtMs: $row->expires_ms === null ? null : (int) $row->expires_ms,
            connection: $row->connection,
        ));
    }
}
