<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Support;

/**
 * For a test whose processes share one of the databases: the application within the test and those that the test starts
 * find it in the environment.
 */
trait SharesDatabase
{
    /** @var array<string, string> */
    private array $databaseEnvironment = [];

    /** @return array<string, array{string}> */
    public static function databases(): array
    {
        return ['SQLite' => ['sqlite'], 'MariaDB' => ['mariadb'], 'PostgreSQL' => ['pgsql']];
    }

    protected function environment(): array
    {
        return $this->databaseEnvironment + parent::environment();
    }

    /** Moves the application to an empty database with its tables and the package's. */
    protected function useDatabase(string $kind): void
    {
        if ($kind !== 'sqlite') {
            $connection = ($kind === 'mariadb' ? MariaDb::get() : PostgreSql::get())->connection();
            $this->databaseEnvironment = [
                'DB_CONNECTION' => $kind,
                'DB_SOCKET' => (string) ($connection['unix_socket'] ?? ''),
                'DB_HOST' => (string) $connection['host'],
                'DB_PORT' => (string) $connection['port'],
                'DB_DATABASE' => (string) $connection['database'],
                'DB_USERNAME' => (string) $connection['username'],
                'DB_PASSWORD' => '',
            ];
            $this->refreshApplication();
            $this->migrate();
        }
        $this->artisan('migrate', ['--path' => dirname(__DIR__, 2).'/database/migrations', '--realpath' => true])->run();
    }

    protected function tearDown(): void
    {
        parent::tearDown();
        foreach (array_keys($this->databaseEnvironment) as $name) {
            putenv($name);
            unset($_ENV[$name], $_SERVER[$name]);
        }
    }
}
