<?php

declare(strict_types=1);

namespace Msab\Laravel\Outbox;

use Illuminate\Database\Connection;
use Illuminate\Database\Query\Builder;
use stdClass;

/**
 * The workers of one relay that are alive, whether they hold lanes or wait for some: each says so whenever it claims its
 * lanes, and is gone once it hasn't for as long as a lease. From them follows how many lanes each may hold.
 *
 * One for each worker and relay.
 */
final readonly class LiveWorkers
{
    /**
     * @param  string  $owner  this worker, as in {@see LaneLeases}
     * @param  int  $leaseMs  how long it counts as alive
     * @param  int  $most  lanes that it holds at most
     */
    public function __construct(
        private Connection $database,
        private DatabaseClock $clock,
        private string $table,
        private string $relay,
        private string $owner,
        private int $leaseMs,
        private int $most = Lane::COUNT,
    ) {}

    /** Says that this worker is alive. */
    public function announce(): void
    {
        $alive = ['lanes' => $this->most, 'expires_ms' => $this->clock->sql($this->leaseMs)];
        if ($this->all()->where('owner', $this->owner)->update($alive) === 0) {
            $this->database->table($this->table)->insertOrIgnore(['connection' => $this->relay, 'owner' => $this->owner] + $alive);
        }
        $gone = $this->all()->where('expires_ms', '<', $this->clock->sql(-$this->leaseMs))->useWritePdo()->pluck('owner')->all();
        if ($gone !== []) {
            $this->all()->whereIn('owner', $gone)->delete();
        }
    }

    /** How many lanes this worker may hold, so that each has its part. */
    public function share(): int
    {
        $most = [];
        foreach ($this->all()->where('expires_ms', '>', $this->clock->sql())->useWritePdo()->get(['owner', 'lanes']) as $worker) {
            /** @var stdClass $worker */
            $most[(string) $worker->owner] = (int) $worker->lanes;
        }

        return self::shares([$this->owner => $this->most] + $most)[$this->owner];
    }

    public function leave(): void
    {
        $this->all()->where('owner', $this->owner)->delete();
    }

    /**
     * All lanes, as evenly as may be: all workers come to the same shares, and leave no lane out that one of them may hold.
     *
     * @param  non-empty-array<string, int>  $most  how many a worker may hold, by worker
     * @return non-empty-array<string, int>
     */
    public static function shares(array $most): array
    {
        $owners = array_map(strval(...), array_keys($most));
        usort($owners, fn (string $a, string $b): int => [$most[$a], $a] <=> [$most[$b], $b]);
        $left = Lane::COUNT;
        $shares = [];
        foreach ($owners as $i => $owner) {
            // Who may hold little is served first; what it leaves is the others'.
            $shares[$owner] = min($most[$owner], (int) ceil($left / (count($owners) - $i)));
            $left -= $shares[$owner];
        }

        return $shares;
    }

    private function all(): Builder
    {
        return $this->database->table($this->table)->where('connection', $this->relay);
    }
}
