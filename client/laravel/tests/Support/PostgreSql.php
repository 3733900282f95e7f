<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Support;

final class PostgreSql extends DatabaseServer
{
    private int $databases = 0;

    public function connection(): array
    {
        $name = 'msab_'.++$this->databases;
        $this->open()->exec("create database {$name} strategy file_copy");

        return [
            'driver' => 'pgsql', 'host' => $this->directory, 'port' => 5432, 'database' => $name,
            'username' => $this->user(), 'password' => '', 'charset' => 'utf8', 'prefix' => '', 'search_path' => 'public', 'sslmode' => 'disable',
        ];
    }

    protected function initialise(): void
    {
        if (self::isRoot()) {
            chown($this->directory, 'postgres');
        }
        $this->execute([
            ...$this->as(), $this->program('initdb'), '-D', "{$this->directory}/data", '-U', $this->user(), '-A', 'trust',
            '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync',
        ]);
    }

    protected function command(): array
    {
        return [
            ...$this->as(), $this->program('postgres'), '-D', "{$this->directory}/data", '-k', $this->directory,
            // With the default, what is killed leaves its shared memory behind.
            '-c', 'listen_addresses=', '-c', 'fsync=off', '-c', 'max_connections=40', '-c', 'dynamic_shared_memory_type=mmap',
        ];
    }

    protected function stopSignal(): int
    {
        return SIGQUIT;  // at once, but its shared memory and its children go, too
    }

    protected function dsn(): string
    {
        return "pgsql:host={$this->directory};dbname=postgres";
    }

    protected function user(): string
    {
        return 'postgres';
    }

    /** @return list<string> PostgreSQL refuses to run as root. */
    private function as(): array
    {
        return self::isRoot() ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups', '--pdeathsig', 'KILL', '--'] : [];
    }

    /** Debian keeps the programs out of the path. */
    private function program(string $name): string
    {
        $found = glob("/usr/lib/postgresql/*/bin/{$name}") ?: [];

        return end($found) ?: $name;
    }
}
