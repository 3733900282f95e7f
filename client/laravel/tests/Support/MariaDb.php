<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Support;

final class MariaDb extends DatabaseServer
{
    private int $databases = 0;

    public function connection(): array
    {
        $name = 'msab_'.++$this->databases;
        $this->open()->exec("create database {$name} character set utf8mb4");

        // Laravel's own settings, strict mode among them, and InnoDB's default isolation.
        return [
            'driver' => 'mariadb', 'unix_socket' => $this->socket(), 'host' => 'localhost', 'port' => 0,
            'database' => $name, 'username' => $this->user(), 'password' => '',
            'charset' => 'utf8mb4', 'collation' => 'utf8mb4_unicode_ci', 'prefix' => '', 'strict' => true, 'engine' => null,
        ];
    }

    protected function initialise(): void
    {
        $this->execute([
            'mariadb-install-db', '--no-defaults', "--datadir={$this->directory}/data", '--skip-test-db',
            '--auth-root-authentication-method=normal', "--user={$this->account()}",
        ]);
    }

    protected function command(): array
    {
        return [
            'mariadbd', '--no-defaults', "--datadir={$this->directory}/data", "--socket={$this->socket()}",
            "--pid-file={$this->directory}/pid", "--user={$this->account()}", '--skip-networking', '--innodb-buffer-pool-size=128M',
        ];
    }

    protected function dsn(): string
    {
        return "mysql:unix_socket={$this->socket()}";
    }

    protected function user(): string
    {
        return 'root';
    }

    private function socket(): string
    {
        return "{$this->directory}/socket";
    }

    private function account(): string
    {
        return posix_getpwuid(posix_geteuid())['name'] ?? 'root';
    }
}
