<?php

declare(strict_types=1);

namespace Msab\Laravel\Outbox;

use Illuminate\Contracts\Config\Repository;
use Msab\Laravel\Console\Checkup;
use Msab\Laravel\Console\Diagnosis;
use stdClass;
use Throwable;

/** The outbox: its tables, whether somebody sends what is in it, what waits, what was refused. */
final readonly class OutboxCheckup implements Checkup
{
    /** Older than this, what waits doesn't just wait for its turn. */
    private const MAX_AGE_SECONDS = 60;

    public function __construct(private Outbox $outbox, private Repository $config) {}

    public function run(Diagnosis $diagnosis, string $relay): void
    {
        $isUsed = $this->config->get('msab.delivery') === 'outbox';
        try {
            $missing = $this->outbox->missingTables();
            if ($missing === []) {
                $this->look($diagnosis, $relay, $isUsed);
            } elseif ($isUsed) {
                $diagnosis->bad('Outbox', 'no '.implode(', ', $missing)." on the connection '{$this->outbox->databaseName()}': php artisan msab:install --outbox, then migrate");
            }
        } catch (Throwable $exception) {
            if ($isUsed) {
                $diagnosis->bad('Outbox', "the database can't be asked: {$exception->getMessage()}");
            }
        }
    }

    private function look(Diagnosis $diagnosis, string $relay, bool $isUsed): void
    {
        $rows = ['pending' => 0, 'dead' => 0];
        $oldest = 0.0;
        foreach ($this->outbox->table()->counts() as $count) {
            if ($count['connection'] === $relay) {
                $rows[$count['state']] = $count['rows'];
                $oldest = $count['state'] === RowState::Pending->value ? $count['oldestSeconds'] : $oldest;
            }
        }
        if (! $isUsed && $rows['pending'] + $rows['dead'] === 0) {
            return;
        }
        $this->checkWorkers($diagnosis, $relay);
        $waiting = "{$rows['pending']} rows wait".($oldest >= 1 ? ', the oldest for '.round($oldest).' s' : '');
        $oldest > self::MAX_AGE_SECONDS ? $diagnosis->bad('Outbox backlog', $waiting) : $diagnosis->good('Outbox backlog', $waiting);
        if ($rows['dead'] > 0) {
            $diagnosis->note('Outbox refusals', "{$rows['dead']} rows that the relay refused: php artisan msab:outbox status");
        }
    }

    private function checkWorkers(Diagnosis $diagnosis, string $relay): void
    {
        $lanes = array_filter($this->outbox->lanes(), fn (stdClass $lane): bool => $lane->connection === $relay);
        $served = array_filter($lanes, fn (stdClass $lane): bool => $lane->seconds_left > 0);
        $workers = count(array_filter($this->outbox->workers(), fn (stdClass $worker): bool => $worker->connection === $relay));
        $left = array_diff(Lane::all(), array_map(fn (stdClass $lane): int => (int) $lane->lane, $served));
        if ($served === []) {
            $diagnosis->bad('Outbox worker', 'none is running: php artisan msab:outbox work');
        } elseif ($left !== []) {
            $diagnosis->bad('Outbox worker', "$workers, and nobody serves the lanes ".implode(', ', $left).': start one without --lanes');
        } else {
            $diagnosis->good('Outbox worker', "$workers for all lanes");
        }
        $errors = array_count_values(array_filter(array_map(fn (stdClass $lane): string => (string) $lane->error, $lanes)));
        foreach ($errors as $error => $count) {
            $diagnosis->bad('Outbox lanes', "$count stand still. $error");
        }
    }
}
