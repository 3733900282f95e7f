<?php

declare(strict_types=1);

namespace Msab\Laravel\Webhook;

use Closure;
use Illuminate\Database\ConnectionInterface;
use JsonException;
use Msab\Laravel\Outbox\DatabaseClock;
use RuntimeException;
use stdClass;

/**
 * Accepted answers, kept by (user, type, transaction id) in the same transaction as what they stand for: a command
 * that comes again, from the relay, from the client, or from somebody who recorded it, is answered and not done again.
 */
final readonly class Receipts
{
    /** How often a transaction that met a deadlock is run in all. */
    private const ATTEMPTS = 3;

    public function __construct(private ConnectionInterface $database, private string $table, private DatabaseClock $clock) {}

    /**
     * Runs `$handle` inside a transaction, unless the gift was accepted before. Of two that arrive at once the
     * second waits for the first.
     *
     * @param  Closure(GiftCommand): (Accepted|Rejected)  $handle
     * @return array<string, mixed>|Rejected the accepted answer's data
     */
    public function once(GiftCommand $gift, Closure $handle): array|Rejected
    {
        try {
            return $this->database->transaction(fn (): array => $this->inTransaction($gift, $handle), self::ATTEMPTS);
        } catch (Undone $undone) {
            return $undone->rejected;
        }
    }

    /**
     * Forgets what was accepted more than `$milliseconds` ago.
     *
     * @return int how many
     */
    public function prune(int $milliseconds): int
    {
        return $this->database->table($this->table)
            ->where('created_ms', '<', $this->clock->now() - $milliseconds)
            ->delete();
    }

    /**
     * @param  Closure(GiftCommand): (Accepted|Rejected)  $handle
     * @return array<string, mixed>
     *
     * @throws Undone to roll back
     */
    private function inTransaction(GiftCommand $gift, Closure $handle): array
    {
        $id = self::idOf($gift);
        $fingerprint = $gift->fingerprint();
        // Waits where another transaction has just inserted the same key. If that one was rolled back, this row is
        // the first; if it was committed, its row is read below, past any snapshot, because the read locks.
        $this->database->table($this->table)->insertOrIgnore([
            'id' => $id,
            'user_id' => $gift->userId,
            'type' => GiftCommand::TYPE,
            // For people: the key is the id. PostgreSQL takes no NUL.
            'transaction_id' => addcslashes($gift->transactionId, "\0..\37\\"),
            'fingerprint' => $fingerprint,
            'created_ms' => $this->clock->now(),
        ]);
        $receipt = $this->database->table($this->table)->where('id', $id)->lockForUpdate()->first(['fingerprint', 'answer']);
        if (! $receipt instanceof stdClass) {
            throw new RuntimeException("The receipt {$id} could not be written to {$this->table}.");
        }
        if ($receipt->fingerprint !== $fingerprint) {
            throw new Undone(new Rejected('TRANSACTION_MISMATCH', 'This transactionId was used for another gift.'));
        }
        if (is_string($receipt->answer)) {
            return self::decoded($receipt->answer);
        }

        $answer = $handle($gift);
        if ($answer instanceof Rejected) {
            throw new Undone($answer);
        }
        $data = $answer->dataFor($gift);
        $this->database->table($this->table)->where('id', $id)->update(['answer' => json_encode($data, JSON_THROW_ON_ERROR)]);

        return $data;
    }

    /** The key as one text of fixed length, compared byte by byte whatever the table's collation is. */
    private static function idOf(GiftCommand $gift): string
    {
        return hash('sha256', $gift->userId.' '.GiftCommand::TYPE.' '.$gift->transactionId);
    }

    /**
     * @return array<string, mixed>
     *
     * @throws JsonException
     */
    private static function decoded(string $answer): array
    {
        /** @var array<string, mixed> */
        return json_decode($answer, true, flags: JSON_THROW_ON_ERROR);
    }
}
