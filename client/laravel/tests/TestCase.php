<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests;

use Illuminate\Foundation\Application;
use Illuminate\Foundation\Testing\TestCase as BaseTestCase;

/**
 * A test inside the test application (tests/app), booted anew for each test, with an SQLite database
 * in memory and the package's own defaults. Nothing is sent anywhere unless a test says so: the
 * transport is `null`.
 */
abstract class TestCase extends BaseTestCase
{
    public function createApplication(): Application
    {
        foreach (['DB_DATABASE' => ':memory:', 'MSAB_TRANSPORT' => 'null'] + $this->environment() as $name => $value) {
            putenv("$name=$value");
            $_ENV[$name] = $_SERVER[$name] = $value;
        }
        $app = require __DIR__.'/app/bootstrap/app.php';
        $app->make(\Illuminate\Contracts\Console\Kernel::class)->bootstrap();

        return $app;
    }

    /** @return array<string, string> */
    protected function environment(): array
    {
        return [];
    }

    /** The test application's tables, in the database of this test. */
    protected function migrate(): void
    {
        $this->artisan('migrate')->run();
    }
}
