<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests;

use Msab\Laravel\Tests\Support\TestRelay;
use Msab\Laravel\Tests\Support\Until;
use Symfony\Component\Process\Process;

/**
 * A test with a real relay, and a database that other processes of the application share: those that
 * the test starts, and the application within the test, are one application.
 */
abstract class RelayTestCase extends TestCase
{
    protected TestRelay $relay;

    private string $work;

    /** @var list<Process> */
    private array $processes = [];

    protected function setUp(): void
    {
        $this->work = sys_get_temp_dir().'/msab-laravel-'.bin2hex(random_bytes(6));
        mkdir($this->work);
        $this->relay = $this->startRelay();
        parent::setUp();
        $this->migrate();
    }

    protected function tearDown(): void
    {
        foreach ($this->processes as $process) {
            if ($process->isRunning()) {
                $process->signal(SIGCONT);
                $process->stop(5);
            }
        }
        parent::tearDown();
        $this->relay->kill();
        (new Process(['rm', '-rf', $this->work]))->mustRun();
    }

    protected function startRelay(): TestRelay
    {
        return TestRelay::started();
    }

    protected function environment(): array
    {
        return $this->relay->environment() + [
            'MSAB_TEST_WORK' => $this->work,
            'MSAB_TRANSPORT' => 'auto',
            'DB_DATABASE' => "$this->work/database.sqlite",
            'APP_PACKAGES_CACHE' => "$this->work/packages.php",
            'APP_SERVICES_CACHE' => "$this->work/services.php",
            'APP_CONFIG_CACHE' => "$this->work/config.php",
            'APP_ROUTES_CACHE' => "$this->work/routes.php",
            'APP_EVENTS_CACHE' => "$this->work/events.php",
        ];
    }

    protected function workDirectory(): string
    {
        return $this->work;
    }

    /**
     * A command of the application, in a process of its own, to its end.
     *
     * @param  list<string>  $arguments
     * @param  array<string, string|false>  $environment  false: without it
     */
    protected function command(array $arguments, array $environment = []): Process
    {
        $process = new Process([PHP_BINARY, __DIR__.'/app/artisan', ...$arguments], env: $environment, timeout: 60);
        $process->run();

        return $process;
    }

    /** A real queue worker, until the end of the test. */
    protected function startWorker(): Process
    {
        return $this->startProcess([PHP_BINARY, __DIR__.'/app/artisan', 'queue:work', '--sleep=0.05', '--tries=1']);
    }

    /**
     * @param  list<string>  $command
     * @param  array<string, string>  $environment
     */
    protected function startProcess(array $command, array $environment = []): Process
    {
        $process = new Process($command, env: $environment, timeout: null);
        $process->start();

        return $this->processes[] = $process;
    }

    /** Until no job waits or runs. */
    protected function untilQueueIsEmpty(float $seconds = 30): void
    {
        Until::true(fn () => $this->app->make('db')->table('jobs')->count() === 0, 'the queue to be empty', $seconds);
    }
}
