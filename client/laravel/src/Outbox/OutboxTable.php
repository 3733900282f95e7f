<?php

declare(strict_types=1);

namespace Msab\Laravel\Outbox;

use Illuminate\Database\Connection;
use Illuminate\Database\MySqlConnection;
use Illuminate\Database\Query\Builder;
use Msab\Laravel\Delivery\Envelope;
use stdClass;

/**
 * The events that wait to be sent, and for a while those that were.
 *
 * Nothing here but write() takes part in a transaction: a worker's statements stand alone, so that it holds no lock
 * while it calls the relay.
 */
final readonly class OutboxTable
{
    /** How many rows one statement of prune() deletes, so that it blocks nobody for long. */
    private const PRUNE_CHUNK = 1000;

    public function __construct(private Connection $database, private DatabaseClock $clock, private string $table) {}

    /** In the transaction that is open on this connection, if one is. */
    public function write(Envelope $envelope): void
    {
        $this->database->table($this->table)->insert([
            'connection' => $envelope->connection,
            'lane' => Lane::of($envelope->audience),
            'event_id' => $envelope->eventId,
            'event_name' => $envelope->eventName,
            'audience' => $envelope->audience,
            'body' => base64_encode($envelope->bytes),
            'state' => RowState::Pending->value,
            'occurred_ms' => $envelope->occurredAtMs,
            'expires_ms' => $envelope->expiresAtMs,
            'created_ms' => $this->clock->sql(),
            'available_ms' => $this->clock->sql($envelope->delaySeconds * 1000),
        ]);
    }

    /**
     * The oldest rows that wait in these lanes. Always from the beginning: ids become visible in the order of the
     * commits, not of the numbers, and a row behind the last one that was seen must not be missed.
     *
     * @param  list<int>  $lanes
     * @return list<Row>
     */
    public function due(string $connection, array $lanes, int $limit): array
    {
        if ($lanes === []) {
            return [];
        }
        $rows = $this->state(RowState::Pending)
            // Left to itself, MySQL may walk the primary key instead, through everything that was sent today.
            ->when($this->database instanceof MySqlConnection, fn (Builder $query) => $query->forceIndex("{$this->table}_due"))
            ->where('connection', $connection)
            ->where('available_ms', '<=', $this->clock->sql())
            ->when(count($lanes) < Lane::COUNT, fn (Builder $query) => $query->whereIntegerInRaw('lane', $lanes))
            ->orderBy('id')
            ->limit($limit)
            ->useWritePdo()
            ->get(Row::COLUMNS)
            ->all();

        return array_map(Row::fromDatabase(...), array_values($rows));
    }

    /** @param  list<int>  $ids */
    public function markSent(array $ids): void
    {
        if ($ids === []) {
            return;
        }
        // By the primary key alone: any other condition might choose an index whose gaps the app inserts into.
        $this->database->table($this->table)->whereIntegerInRaw('id', $ids)->update([
            'state' => RowState::Sent->value,
            'error' => null,
            'finished_ms' => $this->clock->sql(),
        ]);
    }

    /** @param  array<string, mixed>  $error  what the relay said */
    public function markDead(int $id, array $error): void
    {
        $this->database->table($this->table)->where('id', $id)->update([
            'state' => RowState::Dead->value,
            'error' => json_encode($error, JSON_THROW_ON_ERROR | JSON_INVALID_UTF8_SUBSTITUTE),
            'finished_ms' => $this->clock->sql(),
        ]);
    }

    /**
     * Dead rows wait again, at their old place.
     *
     * @param  ?list<int>  $ids  null: all of them
     * @return int how many
     */
    public function retry(?array $ids): int
    {
        return $this->state(RowState::Dead)
            ->when($ids !== null, fn (Builder $query) => $query->whereIntegerInRaw('id', $ids ?? []))
            ->update(['state' => RowState::Pending->value, 'error' => null, 'finished_ms' => 0]);
    }

    /**
     * Forgets rows that have been in `$state` for longer than `$milliseconds`.
     *
     * @return int how many
     */
    public function prune(RowState $state, int $milliseconds): int
    {
        $before = $this->clock->now() - $milliseconds;
        $pruned = 0;
        foreach ($this->state($state)->distinct()->pluck('connection') as $connection) {
            $last = 0;
            do {
                // From the oldest on. Rows end nearly in the order of their ids: where none of so many is old enough,
                // none behind them is worth the search.
                $rows = $this->state($state)->where('connection', $connection)->where('id', '>', $last)
                    ->orderBy('id')->limit(self::PRUNE_CHUNK)->get(['id', 'finished_ms'])->all();
                $ids = [];
                foreach ($rows as $row) {
                    $last = (int) $row->id;
                    if ((int) $row->finished_ms < $before) {
                        $ids[] = $last;
                    }
                }
                $pruned += $ids === [] ? 0 : $this->database->table($this->table)->whereIntegerInRaw('id', $ids)->delete();
            } while ($ids !== [] && count($rows) === self::PRUNE_CHUNK);
        }

        return $pruned;
    }

    /**
     * @return list<array{connection: string, state: string, rows: int, oldestSeconds: float}> by relay and state; how long
     *                                                                                         ago the oldest was due
     */
    public function counts(): array
    {
        $now = $this->clock->now();
        $groups = $this->database->table($this->table)
            ->groupBy('connection', 'state')->orderBy('connection')->orderBy('state')
            ->get(['connection', 'state', $this->database->raw('count(*) as total'), $this->database->raw('min(available_ms) as oldest')]);

        return array_values($groups->map(fn (stdClass $group): array => [
            'connection' => $group->connection,
            'state' => $group->state,
            'rows' => (int) $group->total,
            'oldestSeconds' => max(0, $now - (int) $group->oldest) / 1000,
        ])->all());
    }

    /**
     * The latest rows that the relay refused.
     *
     * @return list<stdClass> of id, event_id, event_name, audience, error
     */
    public function dead(int $limit): array
    {
        return array_values($this->state(RowState::Dead)
            ->orderByDesc('id')->limit($limit)->get(['id', 'event_id', 'event_name', 'audience', 'error'])->all());
    }

    private function state(RowState $state): Builder
    {
        return $this->database->table($this->table)->where('state', $state->value);
    }
}
