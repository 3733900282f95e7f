<?php

declare(strict_types=1);

namespace Msab\Laravel\Outbox;

use Closure;
use Illuminate\Contracts\Config\Repository;
use Illuminate\Database\Connection;
use Illuminate\Database\DatabaseManager;
use InvalidArgumentException;
use Msab\Laravel\Delivery\Outcomes;
use Msab\Laravel\Transport\Transport;

/** Puts the outbox's parts together as `msab.outbox` says. */
final readonly class Outbox
{
    public function __construct(
        private DatabaseManager $databases,
        private Repository $config,
        private Outcomes $outcomes,
    ) {}

    public function table(): OutboxTable
    {
        return new OutboxTable($this->database(), $this->clock(), $this->name());
    }

    /**
     * @param  string  $relay  a connection of `msab.connections`
     * @param  Closure(): Transport  $transport
     * @param  int  $lanes  to hold at most
     */
    public function drain(string $relay, Closure $transport, int $lanes = Lane::COUNT): Drain
    {
        $owner = self::owner();
        $leaseMs = (int) (1000 * $this->number('lease', 15, 3, 3600));
        $workers = new LiveWorkers($this->database(), $this->clock(), $this->workersName(), $relay, $owner, $leaseMs, max(1, min(Lane::COUNT, $lanes)));
        $leases = new LaneLeases($this->database(), $this->clock(), $this->lanesName(), $relay, $owner, $leaseMs, $workers);
        $leases->prepare();

        return new Drain($this->table(), $leases, $transport, $this->outcomes, new Pauses, $relay, (int) $this->number('batch', 256, 1, Transport::MAX_BATCH));
    }

    /** @return list<string> those of its tables that are not there */
    public function missingTables(): array
    {
        $schema = $this->database()->getSchemaBuilder();

        return array_values(array_filter([$this->name(), $this->lanesName(), $this->workersName()], fn (string $table): bool => ! $schema->hasTable($table)));
    }

    /** The connection of config/database.php that they are on. */
    public function databaseName(): string
    {
        return (string) $this->database()->getName();
    }

    /** @return list<\stdClass> of connection, lane, owner, seconds_left, error: the lanes that somebody has served */
    public function lanes(): array
    {
        $now = $this->clock()->now();

        return array_values($this->database()->table($this->lanesName())->orderBy('connection')->orderBy('lane')->get()
            ->map(function (\stdClass $lane) use ($now): \stdClass {
                $lane->seconds_left = max(0, (int) $lane->expires_ms - $now) / 1000;

                return $lane;
            })->all());
    }

    /** @return list<\stdClass> of connection, owner: the workers that are alive */
    public function workers(): array
    {
        return array_values($this->database()->table($this->workersName())->where('expires_ms', '>', $this->clock()->sql())
            ->orderBy('connection')->orderBy('owner')->get(['connection', 'owner'])->all());
    }

    public function keepSentMs(): int
    {
        return (int) (3_600_000 * $this->number('keep_sent_hours', 24, 0, 87600));
    }

    public function keepDeadMs(): int
    {
        return (int) (86_400_000 * $this->number('keep_dead_days', 14, 0, 3650));
    }

    private function number(string $key, float $default, float $min, float $max): float
    {
        $value = $this->config->get("msab.outbox.{$key}") ?? $default;
        if (! is_numeric($value) || $value < $min || $value > $max) {
            throw new InvalidArgumentException("msab.outbox.{$key} must be a number from {$min} to {$max}.");
        }

        return (float) $value;
    }

    private function database(): Connection
    {
        $name = $this->config->get('msab.outbox.database');

        return $this->databases->connection(is_string($name) ? $name : null);
    }

    private function clock(): DatabaseClock
    {
        return new DatabaseClock($this->database());
    }

    private function name(): string
    {
        $name = $this->config->get('msab.outbox.table');

        return is_string($name) ? $name : 'msab_outbox';
    }

    private function lanesName(): string
    {
        return $this->name().'_lanes';
    }

    private function workersName(): string
    {
        return $this->name().'_workers';
    }

    private static function owner(): string
    {
        return substr((string) gethostname(), 0, 96).':'.getmypid().':'.bin2hex(random_bytes(6));
    }
}
