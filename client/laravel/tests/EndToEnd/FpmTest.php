<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\EndToEnd;

use Msab\Laravel\Tests\RelayTestCase;
use Msab\Laravel\Tests\Support\FpmServer;
use PHPUnit\Framework\Attributes\Group;

/** The application under Debian's PHP-FPM and nginx, with many requests at once. */
#[Group('long')]
final class FpmTest extends RelayTestCase
{
    private FpmServer $server;

    protected function setUp(): void
    {
        parent::setUp();
        $this->server = new FpmServer($this->workDirectory());
        $this->startProcess($this->server->fpmCommand());
        $this->startProcess($this->server->nginxCommand());
        $this->server->untilReady();
    }

    protected function environment(): array
    {
        // The machine that tests run on is busy; the deadline is not what is tested.
        return ['MSAB_DEADLINE_REQUEST' => '10'] + parent::environment();
    }

    public function test_emits_of_many_requests_at_once_are_all_accepted(): void
    {
        $users = range(1, 160);
        $client = $this->relay->connect(17);
        $answers = $this->server->post(array_map(fn (int $user) => "/users/$user/balance?coins=$user", $users), atOnce: 16);

        foreach ($answers as $path => [$status, $body]) {
            $this->assertSame(200, $status, "$path: $body");
            $this->assertSame('grpc', json_decode($body, true)['transport']);
        }
        $this->assertSame('17', $client->next('balance.updated')['data']['coins']);
        $this->assertSame((float) count($users), $this->relay->metric('msab_emits_accepted_total'));
    }

    public function test_workers_run_processes_between_emits_and_outlive_a_restart_of_the_relay(): void
    {
        $run = fn (int $from) => $this->server->post(array_map(fn (int $user) => "/users/$user/process", range($from, $from + 15)), atOnce: 8);
        foreach ($run(1) as $path => [$status, $body]) {
            $this->assertSame(200, $status, "$path: $body");
            $this->assertSame('hello', json_decode($body, true)['output']);
        }

        $this->relay->stop();
        foreach ($this->server->post(['/users/1/balance?coins=1'], 1) as [$status]) {
            $this->assertSame(500, $status);  // emitNow() throws; emit() is another test's
        }
        $this->relay->start();
        usleep(1_200_000);  // the longest that gRPC waits before it tries a connection again
        foreach ($run(101) as $path => [$status, $body]) {
            $this->assertSame(200, $status, "$path: $body");
        }
    }
}
