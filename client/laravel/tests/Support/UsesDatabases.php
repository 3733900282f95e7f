<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Support;

use Illuminate\Database\Connection;
use Illuminate\Database\Migrations\Migration;
use Illuminate\Support\Facades\DB;
use PHPUnit\Framework\Attributes\After;

/** Runs a test on each of the databases that the package knows; the connection `outbox` is the one in turn. */
trait UsesDatabases
{
    private ?string $sqlite = null;

    /** @return array<string, array{string}> */
    public static function databases(): array
    {
        return ['SQLite' => ['sqlite'], 'MariaDB' => ['mariadb'], 'PostgreSQL' => ['pgsql']];
    }

    /** @return array<string, array{string}> those that lock rows, not the whole file */
    public static function databaseServers(): array
    {
        return ['MariaDB' => ['mariadb'], 'PostgreSQL' => ['pgsql']];
    }

    /** Makes an empty database with the package's tables; `outbox` and `second` are two sessions of it. */
    protected function useDatabase(string $kind): Connection
    {
        DB::purge('outbox');
        DB::purge('second');
        $connection = match ($kind) {
            'mariadb' => MariaDb::get()->connection(),
            'pgsql' => PostgreSql::get()->connection(),
            default => $this->sqliteConnection(),
        };
        config([
            'database.connections.outbox' => $connection,
            'database.connections.second' => $connection,
            'database.default' => 'outbox',
            'msab.outbox.database' => null,
            'msab.webhook.database' => null,
        ]);
        foreach (glob(__DIR__.'/../../database/migrations/*.php') ?: [] as $file) {
            /** @var Migration&object{up: callable} $migration */
            $migration = require $file;
            $migration->up();
        }

        return DB::connection('outbox');
    }

    #[After]
    protected function closeDatabases(): void
    {
        if ($this->app) {
            DB::purge('outbox');
            DB::purge('second');
        }
        if ($this->sqlite !== null) {
            array_map(unlink(...), glob("{$this->sqlite}*") ?: []);
        }
    }

    /** @return array<string, mixed> */
    private function sqliteConnection(): array
    {
        $this->sqlite = (string) tempnam(sys_get_temp_dir(), 'msab-sqlite-');

        return ['driver' => 'sqlite', 'database' => $this->sqlite, 'prefix' => '', 'foreign_key_constraints' => true, 'busy_timeout' => 5000, 'journal_mode' => 'wal'];
    }
}
