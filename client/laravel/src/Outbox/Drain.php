<?php

declare(strict_types=1);

namespace Msab\Laravel\Outbox;

use Closure;
use Google\Protobuf\Internal\GPBDecodeException;
use Msab\Laravel\Delivery\Outcomes;
use Msab\Laravel\Transport\EmitFailure;
use Msab\Laravel\Transport\EmitResult;
use Msab\Laravel\Transport\StatusCode;
use Msab\Laravel\Transport\Transport;
use Msab\V1\EmitEventRequest;

/**
 * Sends to one relay what waits for it, as long as this worker holds the lanes.
 *
 * A row leaves the outbox only once the relay has answered for it, so each is sent at least once, and the relay takes
 * it once by its event id. What the relay can't take now stops its lane, so that nothing overtakes it; what it refuses
 * for good is dead, and the lane goes on. No transaction is open during a call.
 */
final class Drain
{
    /** Seconds for one call. */
    public const DEADLINE = 2.0;

    /**
     * @param  Closure(): Transport  $transport
     * @param  int  $batch  rows of one call at most
     */
    public function __construct(
        private readonly OutboxTable $outbox,
        private readonly LaneLeases $leases,
        private readonly Closure $transport,
        private readonly Outcomes $outcomes,
        private readonly Pauses $pauses,
        private readonly string $relay,
        private readonly int $batch = 256,
    ) {}

    /**
     * Sends the oldest rows, up to one batch.
     *
     * @return int how many left the outbox, as sent or as dead
     */
    public function pass(): int
    {
        $this->leases->giveUp();
        $lanes = $this->pauses->ready($this->leases->heldFor(self::DEADLINE));
        $rows = $this->outbox->due($this->relay, $lanes, $this->batch);
        $sent = [];
        $dead = 0;
        try {
            foreach (self::rounds($rows) as $round) {
                // A lane that was lost or has stopped is out until the next pass, which begins with its oldest row: what is
                // next here must not overtake what was left out.
                $lanes = array_intersect($lanes, $this->leases->heldFor(self::DEADLINE));
                $round = array_values(array_filter($round, fn (Row $row): bool => in_array($row->lane, $lanes, true)));
                if ($round !== []) {
                    [$buried, $stopped] = $this->send($round, $sent);
                    $dead += $buried;
                    $lanes = array_diff($lanes, $stopped);
                }
            }
        } finally {
            $this->outbox->markSent($sent);
        }

        return count($sent) + $dead;
    }

    /** Whether nothing is due, for any worker. */
    public function isEmpty(): bool
    {
        return $this->outbox->due($this->relay, Lane::all(), 1) === [];
    }

    /** Gives the lanes to whoever wants them. */
    public function release(): void
    {
        $this->leases->release();
    }

    /**
     * Rows in calls, no two of one audience in the same: the relay may refuse the first for now and take the second,
     * and the order would be lost.
     *
     * @param  list<Row>  $rows
     * @return list<non-empty-list<Row>>
     */
    private static function rounds(array $rows): array
    {
        $rounds = [];
        $of = [];
        foreach ($rows as $row) {
            $round = $of[$row->envelope->audience] = ($of[$row->envelope->audience] ?? -1) + 1;
            $rounds[$round][] = $row;
        }

        return array_values($rounds);
    }

    /**
     * @param  non-empty-list<Row>  $rows
     * @param  list<int>  $sent  gets the ids of those that the relay has
     * @return array{int, list<int>} how many are dead, and the lanes that have stopped
     */
    private function send(array $rows, array &$sent): array
    {
        $dead = 0;
        $well = [];
        $stopped = [];
        $answers = $this->call($rows);
        foreach ($rows as $i => $row) {
            $answer = $answers[$i];
            if ($answer instanceof EmitFailure && $answer->violations === [] && count($rows) > 1 && self::refuses($answer, $row)) {
                // Perhaps the call was refused, and not this row: that shows when it is sent alone.
                [$answer] = $this->call([$row]);
            }
            if ($answer instanceof EmitResult) {
                $sent[] = $row->id;
                $well[$row->lane] = $row->lane;
                $this->outcomes->emitted($row->envelope, $answer);
            } elseif (self::refuses($answer, $row)) {
                $dead++;
                $well[$row->lane] = $row->lane;
                $this->bury($row, $answer);
            } else {
                $stopped[$row->lane] ??= $answer;
            }
        }

        return [$dead, $this->settle(array_values(array_diff_key($well, $stopped)), $stopped)];
    }

    /**
     * @param  non-empty-list<Row>  $rows
     * @return non-empty-list<EmitResult|EmitFailure> one for each
     */
    private function call(array $rows): array
    {
        $answers = ($this->transport)()->emitBatch(array_map(fn (Row $row): string => $row->envelope->bytes, $rows), self::DEADLINE);
        if (count($answers) !== count($rows)) {
            $broken = new EmitFailure(StatusCode::Internal, count($answers).' results for '.count($rows).' events');

            return array_map(fn (): EmitFailure => $broken, $rows);
        }

        return $answers;
    }

    /**
     * Whether it is for good. What is wrong with the whole conversation, such as the key, is not: the rows wait until
     * somebody has put it right.
     */
    private static function refuses(EmitFailure $failure, Row $row): bool
    {
        return match ($failure->code) {
            StatusCode::InvalidArgument, StatusCode::AlreadyExists, StatusCode::OutOfRange, StatusCode::FailedPrecondition => true,
            StatusCode::ResourceExhausted => ! $failure->isTransient(),
            // A parser that gives up says this, but so does a broken connection.
            StatusCode::Internal, StatusCode::Unknown => ! self::parses($row),
            default => false,
        };
    }

    private static function parses(Row $row): bool
    {
        try {
            (new EmitEventRequest)->mergeFromString($row->envelope->bytes);

            return $row->envelope->bytes !== '';
        } catch (GPBDecodeException|\Exception) {
            return false;
        }
    }

    private function bury(Row $row, EmitFailure $failure): void
    {
        $this->outbox->markDead($row->id, [
            'code' => $failure->code->text(),
            'message' => $failure->message,
            'violations' => array_map(
                fn ($violation): array => ['field' => $violation->field, 'description' => $violation->description],
                $failure->violations,
            ),
        ]);
        $this->outcomes->failed($row->envelope, $failure->toException());
    }

    /**
     * @param  list<int>  $well
     * @param  array<int, EmitFailure>  $stopped  by lane
     * @return list<int> the lanes that stand still now
     */
    private function settle(array $well, array $stopped): array
    {
        $recovered = $this->pauses->succeeded($well);
        if ($recovered !== []) {
            $this->leases->note($recovered, null);
        }
        if ($stopped === []) {
            return [];
        }
        $failure = reset($stopped);
        // Nothing came through: the relay is away, and the other lanes need not find that out one by one.
        $lanes = $well === []
            ? array_values(array_unique([...array_keys($stopped), ...$this->leases->heldFor(0)]))
            : array_keys($stopped);
        $this->pauses->failed($lanes, $failure->retryAfter);
        $this->leases->note($lanes, "{$failure->code->text()}: {$failure->message}");

        return $lanes;
    }
}
