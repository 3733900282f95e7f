<?php

declare(strict_types=1);

namespace Msab\Laravel\Outbox;

use Closure;
use Illuminate\Database\Connection;
use Illuminate\Database\Query\Builder;
use stdClass;

/**
 * Which worker serves which lane of one relay. A lease runs out by the database's clock; whoever holds it renews it
 * before that, and whoever finds it run out takes it, in one conditional UPDATE.
 *
 * One for each worker and relay.
 */
final class LaneLeases
{
    /** @var list<int> */
    private array $held = [];

    /** How many of them this worker may keep. */
    private int $share = Lane::COUNT;

    /** Until when by our own clocks, monotonic and wall: seconds. */
    private float $monotonicEnd = 0;

    private float $wallEnd = 0;

    /** @var Closure(): float seconds of a monotonic clock */
    private readonly Closure $monotonic;

    /** @var Closure(): float */
    private readonly Closure $wall;

    /**
     * @param  string  $relay  the name of the connection to the relay
     * @param  string  $owner  this worker: unique, up to 128 characters
     * @param  int  $leaseMs  how long a lease runs
     * @param  LiveWorkers  $workers  with whom the lanes are shared
     */
    public function __construct(
        private readonly Connection $database,
        private readonly DatabaseClock $clock,
        private readonly string $table,
        private readonly string $relay,
        private readonly string $owner,
        private readonly int $leaseMs,
        private readonly LiveWorkers $workers,
        ?Closure $monotonic = null,
        ?Closure $wall = null,
    ) {
        $this->monotonic = $monotonic ?? static fn (): float => hrtime(true) / 1e9;
        $this->wall = $wall ?? static fn (): float => microtime(true);
    }

    /** Makes the rows of the lanes, where they aren't yet. */
    public function prepare(): void
    {
        $this->database->table($this->table)->insertOrIgnore(array_map(
            fn (int $lane): array => ['connection' => $this->relay, 'lane' => $lane, 'owner' => '', 'expires_ms' => 0, 'renewals' => 0],
            Lane::all(),
        ));
    }

    /**
     * Takes of what is free up to this worker's share, and renews what is held.
     *
     * @return list<int> the lanes now held
     */
    public function claim(): array
    {
        $monotonic = ($this->monotonic)();
        $wall = ($this->wall)();
        $this->workers->announce();
        $this->share = $this->workers->share();
        $wanted = $this->wanted();
        if ($wanted !== []) {
            // Before `owner`, which MySQL would have changed already: why it stood still is its last owner's to know.
            $mine = $this->database->escape($this->owner);
            // `renewals` changes with every renewal: MySQL counts, and some drivers report, changed rows only.
            $this->mineOrFree()->whereIntegerInRaw('lane', $wanted)->update([
                'error' => $this->database->raw("case when owner = {$mine} then error end"),
                'owner' => $this->owner,
                'expires_ms' => $this->clock->sql($this->leaseMs),
                'renewals' => $this->database->raw('renewals + 1'),
            ]);
        }
        $this->held = $this->lanes(
            $this->all()->where('owner', $this->owner)->where('expires_ms', '>', $this->clock->sql())
        );
        $this->monotonicEnd = $monotonic + $this->leaseMs / 1000;
        $this->wallEnd = $wall + $this->leaseMs / 1000;

        return $this->held;
    }

    /**
     * The lanes held for the next `$seconds` at least, after a renewal where that is needed. Asked before every call to
     * the relay: a process that was stopped meanwhile, alone or with its machine, finds that its time is over.
     *
     * @return list<int>
     */
    public function heldFor(float $seconds): array
    {
        $left = $this->secondsLeft();
        // Renewed in the first third, so that a renewal that fails can be repeated.
        if ($left < $seconds || $left < $this->leaseMs / 1000 * 2 / 3) {
            $this->claim();
        }

        return $this->secondsLeft() >= $seconds ? $this->held : [];
    }

    /**
     * Gives up what is more than this worker's share, for those that have less. Not while rows of these lanes are under
     * way or are not marked yet.
     */
    public function giveUp(): void
    {
        $surplus = array_slice($this->held, $this->share);
        if ($surplus !== []) {
            $this->free($this->all()->whereIntegerInRaw('lane', $surplus));
            $this->held = array_slice($this->held, 0, $this->share);
        }
    }

    /** Gives all lanes back, for others to take at once. */
    public function release(): void
    {
        if ($this->monotonicEnd > 0) {
            $this->workers->leave();
            $this->monotonicEnd = 0;
        }
        if ($this->held !== []) {
            $this->free($this->all());
            $this->held = [];
        }
    }

    /**
     * Notes why lanes stand still, or that they no longer do: for `msab:outbox status`.
     *
     * @param  list<int>  $lanes
     */
    public function note(array $lanes, ?string $error): void
    {
        $this->all()->whereIntegerInRaw('lane', $lanes)->where('owner', $this->owner)
            ->update(['error' => $error === null ? null : mb_substr(mb_scrub($error, 'UTF-8'), 0, 1000, 'UTF-8')]);
    }

    private function secondsLeft(): float
    {
        // The monotonic clock stands still while a machine sleeps; the wall's may be set back.
        return min($this->monotonicEnd - ($this->monotonic)(), $this->wallEnd - ($this->wall)());
    }

    /** @return list<int> */
    private function wanted(): array
    {
        if ($this->share >= Lane::COUNT) {
            return Lane::all();
        }
        $mine = $this->lanes($this->all()->where('owner', $this->owner));
        $free = array_values(array_diff($this->lanes($this->mineOrFree()), $mine));
        // Workers that start together ask for different ones.
        shuffle($free);

        return [...$mine, ...array_slice($free, 0, max(0, $this->share - count($mine)))];
    }

    private function free(Builder $lanes): void
    {
        $lanes->where('owner', $this->owner)->update(['owner' => '', 'expires_ms' => 0]);
    }

    private function all(): Builder
    {
        return $this->database->table($this->table)->where('connection', $this->relay);
    }

    private function mineOrFree(): Builder
    {
        return $this->all()->where(fn (Builder $query) => $query
            ->where('owner', $this->owner)
            ->orWhere('expires_ms', '<=', $this->clock->sql()));
    }

    /** @return list<int> */
    private function lanes(Builder $query): array
    {
        return array_values($query->useWritePdo()->orderBy('lane')->get(['lane'])->map(fn (stdClass $row): int => (int) $row->lane)->all());
    }
}
