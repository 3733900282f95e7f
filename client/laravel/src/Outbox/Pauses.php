<?php

declare(strict_types=1);

namespace Msab\Laravel\Outbox;

use Closure;

/** How long each lane stands still after the relay could not take a row of it: doubling, with jitter, up to a bound. */
final class Pauses
{
    private const FIRST_SECONDS = 0.1;

    /** Less than the time in which an operator who has just repaired something starts to wonder. */
    private const MOST_SECONDS = 5.0;

    /** @var array<int, int> by lane: failures in a row */
    private array $failures = [];

    /** @var array<int, float> by lane: until when */
    private array $until = [];

    /** @var Closure(): float seconds of a monotonic clock */
    private readonly Closure $clock;

    /** @var Closure(): float from 0.5 to 1 */
    private readonly Closure $jitter;

    public function __construct(?Closure $clock = null, ?Closure $jitter = null)
    {
        $this->clock = $clock ?? static fn (): float => hrtime(true) / 1e9;
        $this->jitter = $jitter ?? static fn (): float => 0.5 + lcg_value() / 2;
    }

    /**
     * @param  list<int>  $lanes
     * @param  ?float  $told  seconds to wait at least, as the relay said
     */
    public function failed(array $lanes, ?float $told): void
    {
        foreach ($lanes as $lane) {
            $failures = $this->failures[$lane] = ($this->failures[$lane] ?? 0) + 1;
            $delay = min(self::MOST_SECONDS, self::FIRST_SECONDS * 2 ** min($failures - 1, 10)) * ($this->jitter)();
            $this->until[$lane] = ($this->clock)() + max($delay, $told ?? 0.0);
        }
    }

    /**
     * @param  list<int>  $lanes
     * @return list<int> those that had failed before
     */
    public function succeeded(array $lanes): array
    {
        $recovered = array_values(array_filter($lanes, fn (int $lane): bool => isset($this->failures[$lane])));
        foreach ($recovered as $lane) {
            unset($this->failures[$lane], $this->until[$lane]);
        }

        return $recovered;
    }

    /**
     * @param  list<int>  $lanes
     * @return list<int> those that may try now
     */
    public function ready(array $lanes): array
    {
        if ($this->until === []) {
            return $lanes;
        }
        $now = ($this->clock)();

        return array_values(array_filter($lanes, fn (int $lane): bool => ($this->until[$lane] ?? 0) <= $now));
    }
}
