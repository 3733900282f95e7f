<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\EndToEnd;

use App\Models\Gift;
use App\Models\User;
use Illuminate\Support\Facades\DB;
use Msab\Laravel\Tests\RelayTestCase;
use Msab\Laravel\Tests\Support\FpmServer;
use Msab\Laravel\Tests\Support\SignedPost;
use Msab\Laravel\Tests\Support\TestRelay;
use Msab\Laravel\Tests\Support\Until;
use PHPUnit\Framework\Attributes\Group;

/** The application under Debian's PHP-FPM and nginx, with many requests at once. */
#[Group('long')]
final class FpmTest extends RelayTestCase
{
    private FpmServer $server;

    protected function startRelay(): TestRelay
    {
        $this->server = new FpmServer($this->workDirectory());

        return TestRelay::started([
            'MSAB_LARAVEL_WEBHOOK_URL' => $this->server->url('/msab/webhook'),
            'MSAB_LARAVEL_WEBHOOK_SECRETS' => SignedPost::SECRET,
        ]);
    }

    protected function setUp(): void
    {
        parent::setUp();
        $this->startProcess($this->server->fpmCommand());
        $this->startProcess($this->server->nginxCommand());
        $this->server->untilReady();
    }

    protected function environment(): array
    {
        // The machine that tests run on is busy; the deadline is not what is tested.
        return ['MSAB_DEADLINE_REQUEST' => '10', 'MSAB_WEBHOOK_SECRETS' => SignedPost::SECRET] + parent::environment();
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
        // Each worker has a connection of its own, and gRPC waits up to a second before it tries one again.
        $next = 101;
        Until::true(function () use ($run, &$next): bool {
            $statuses = array_column($run($next), 0);
            $next += 16;

            return array_unique($statuses) === [200];
        }, 'all workers to find the relay again');
    }

    /** PHP forgets everything between two requests; what they met must not be forgotten with it. */
    public function test_a_silent_relay_is_not_waited_for_by_every_request(): void
    {
        $emit = fn (): string => array_values($this->server->post(['/users/1/balance?coins=1&deadline=0.2'], 1))[0][1];
        $this->relay->signal(SIGSTOP);
        for ($i = 0; $i < 3; $i++) {
            $this->assertStringContainsString('DEADLINE_EXCEEDED', $emit());
        }
        Until::true(fn () => str_contains($emit(), 'not tried'), 'a request that is not kept waiting');

        $this->relay->signal(SIGCONT);
        Until::true(fn () => str_contains($emit(), '"online":0'), 'requests to be served again');
        $this->assertSame([], glob(storage_path('framework/msab-timeouts-*')));
    }

    public function test_a_gift_is_charged_by_the_webhook(): void
    {
        $this->artisan('migrate', ['--path' => dirname(__DIR__, 2).'/database/migrations', '--realpath' => true])->run();
        User::query()->forceCreate(['id' => 1, 'name' => 'Ann', 'coins' => 100]);
        User::query()->forceCreate(['id' => 2, 'name' => 'Bob', 'coins' => 0]);
        Gift::query()->forceCreate(['id' => 1, 'name' => 'Rose', 'price' => 10]);
        $client = $this->relay->connect(1);
        $client->join('7');
        // Until it is known, as a client does whose gift a slow machine left without an answer.
        $reply = Until::true(function () use ($client): ?array {
            $reply = $client->request('gift:send', ['roomId' => '7', 'giftId' => 1, 'recipientId' => 2, 'transactionId' => 't']);

            return ($reply['error']['code'] ?? '') === 'UPSTREAM_UNAVAILABLE' ? null : $reply;
        }, 'the webhook to be answered');

        $this->assertTrue($reply['ok'], (string) json_encode($reply));
        $this->assertSame([2], $reply['data']['acceptedRecipientIds']);
        $this->assertSame([90, 5], User::query()->orderBy('id')->pluck('coins')->all());
        $this->assertSame(2, DB::table('jobs')->count(), 'the balances, once the charge was committed');
    }
}
