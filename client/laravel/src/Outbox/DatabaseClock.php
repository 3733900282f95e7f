<?php

declare(strict_types=1);

namespace Msab\Laravel\Outbox;

use Illuminate\Contracts\Database\Query\Expression;
use Illuminate\Database\Connection;
use RuntimeException;

/**
 * The database's clock, in milliseconds since 1970 whatever the time zones are: one clock for all processes that share
 * the table, however far apart their own are.
 */
final readonly class DatabaseClock
{
    public function __construct(private Connection $database) {}

    /** SQL for now, plus `$offsetMs`. */
    public function sql(int $offsetMs = 0): Expression
    {
        $now = match ($driver = $this->database->getDriverName()) {
            'sqlite' => "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)",
            'mysql', 'mariadb' => "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)",
            // Not now(): that is when the transaction began.
            'pgsql' => 'CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)',
            default => throw new RuntimeException("The outbox and the receipts know SQLite, MySQL, MariaDB and PostgreSQL; the connection {$this->database->getName()} is {$driver}."),
        };

        return $this->database->raw($offsetMs === 0 ? $now : "({$now} + ({$offsetMs}))");
    }

    /** ms since 1970 */
    public function now(): int
    {
        $sql = $this->sql()->getValue($this->database->getQueryGrammar());
        $now = $this->database->scalar("select {$sql}", [], false);

        return is_numeric($now) ? (int) $now : throw new RuntimeException('The database did not tell the time.');
    }
}
