<?php

declare(strict_types=1);

namespace Msab\Laravel\Support;

use Msab\Laravel\Delivery\EmitFailed;
use Msab\Laravel\Delivery\EventEmitted;

/**
 * What became of this process's emits, since it began. For a page of metrics under Octane or in a
 * worker; where processes are short, listen to {@see EventEmitted} and {@see EmitFailed}.
 */
final class Counters
{
    /** @var array<string, int> */
    private array $counts = [];

    public function add(string $name): void
    {
        $this->counts[$name] = ($this->counts[$name] ?? 0) + 1;
    }

    public function get(string $name): int
    {
        return $this->counts[$name] ?? 0;
    }

    /** @return array<string, int> */
    public function all(): array
    {
        return $this->counts;
    }
}
