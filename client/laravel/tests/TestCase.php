<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests;

use Illuminate\Contracts\Console\Kernel;
use Illuminate\Foundation\Application;
use Illuminate\Foundation\Testing\TestCase as BaseTestCase;

/**
 * A test inside the test application (tests/app), booted anew for each test, with an SQLite database
 * in memory and the package's own defaults. Nothing is sent anywhere unless a test says so: the
 * transport is `null`.
 */
abstract class TestCase extends BaseTestCase
{
    /** @var array<string, string|false> what the environment was before this test */
    private array $before = [];

    public function createApplication(): Application
    {
        foreach ($this->environment() + ['DB_DATABASE' => ':memory:', 'MSAB_TRANSPORT' => 'null'] as $name => $value) {
            $this->before += [$name => getenv($name)];
            self::setEnvironment($name, $value);
        }
        $app = require __DIR__.'/app/bootstrap/app.php';
        $app->make(Kernel::class)->bootstrap();

        return $app;
    }

    protected function tearDown(): void
    {
        parent::tearDown();
        foreach ($this->before as $name => $value) {
            self::setEnvironment($name, $value);
        }
        $this->before = [];
    }

    /** @return array<string, string> for the application, and for every process that the test starts */
    protected function environment(): array
    {
        return [];
    }

    /** The test application's tables, in the database of this test. */
    protected function migrate(): void
    {
        $this->artisan('migrate')->run();
    }

    private static function setEnvironment(string $name, string|false $value): void
    {
        if ($value === false) {
            putenv($name);
            unset($_ENV[$name], $_SERVER[$name]);
        } else {
            putenv("$name=$value");
            $_ENV[$name] = $_SERVER[$name] = $value;
        }
    }
}
