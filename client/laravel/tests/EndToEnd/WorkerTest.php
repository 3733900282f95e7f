<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\EndToEnd;

use App\Events\BalanceBroadcast;
use App\Events\OrderShipped;
use App\Models\Agency;
use App\Models\User;
use App\Notifications\LevelReached;
use Illuminate\Support\Facades\DB;
use Msab\Laravel\Events\BalanceUpdated;
use Msab\Laravel\Facades\Msab;
use Msab\Laravel\Tests\RelayTestCase;
use Msab\Laravel\Tests\Support\Ports;
use Msab\Laravel\Tests\Support\Until;
use PHPUnit\Framework\Attributes\Group;

/** The application, a real queue worker in a process of its own, a real relay, real sockets. */
#[Group('long')]
final class WorkerTest extends RelayTestCase
{
    public function test_a_change_that_commits_reaches_the_socket_and_a_rollback_does_not(): void
    {
        $user = User::create(['name' => 'A']);
        $client = $this->relay->connect($user->id);
        $this->startWorker();

        $this->postJson("/users/$user->id/purchases", ['coins' => 100, 'fails' => true])->assertStatus(402);
        $this->postJson("/users/$user->id/purchases", ['coins' => 7])->assertOk()->assertJson(['coins' => 7]);

        $this->assertSame(['user_id' => $user->id, 'coins' => '7'], $client->next('balance.updated')['data']);
        $this->untilQueueIsEmpty();
        $this->assertSame([], $client->drain());
    }

    public function test_with_the_relay_stopped_the_request_is_unaffected_and_the_event_arrives_once_after_its_return(): void
    {
        $user = User::create(['name' => 'A']);
        $worker = $this->startWorker();
        $this->relay->stop();

        $this->postJson("/users/$user->id/purchases", ['coins' => 7])->assertOk()->assertJson(['coins' => 7]);
        Until::true(fn () => DB::table('jobs')->where('attempts', '>=', 2)->exists(), 'a second attempt');

        // Held still until the client is there: the relay's log begins anew with it.
        $worker->signal(SIGSTOP);
        $this->relay->start();
        $client = $this->relay->connect($user->id);
        $worker->signal(SIGCONT);

        $this->assertSame('7', $client->next('balance.updated', 30)['data']['coins']);
        $this->untilQueueIsEmpty();
        $this->assertSame([], $client->drain());
        $this->assertSame(0, DB::table('failed_jobs')->count());
    }

    public function test_what_the_relay_refuses_goes_to_failed_jobs_at_once(): void
    {
        Msab::toUser(1)->id('same')->emit(new BalanceUpdated(coins: '1'));
        Msab::toUser(1)->id('same')->emit(new BalanceUpdated(coins: '2'));
        $this->startWorker();
        Until::true(fn () => DB::table('failed_jobs')->exists(), 'the second to fail');
        $this->untilQueueIsEmpty();

        $failed = DB::table('failed_jobs')->get();
        $this->assertCount(1, $failed);
        $this->assertStringContainsString('ALREADY_EXISTS', $failed[0]->exception);
        $this->assertStringContainsString('Msab emit balance.updated', $failed[0]->payload);
    }

    public function test_ten_thousand_members_hear_of_a_dissolved_agency_in_one_call(): void
    {
        $owner = User::create(['name' => 'Owner']);
        $agency = Agency::create(['name' => 'Stars', 'owner_id' => $owner->id]);
        foreach (array_chunk(range(1, 10_000), 500) as $ids) {
            DB::table('users')->insertOrIgnore(array_map(fn (int $id) => ['id' => $id, 'name' => "User $id"], $ids));
            DB::table('agency_members')->insert(array_map(fn (int $id) => ['agency_id' => $agency->id, 'user_id' => $id], $ids));
        }
        [$first, $last, $stranger] = [$this->relay->connect(1), $this->relay->connect(10_000), $this->relay->connect(10_001)];

        $this->delete("/agencies/$agency->id")->assertNoContent();
        $this->assertSame(1, DB::table('jobs')->count());
        $this->startWorker();

        foreach ([$first, $last] as $client) {
            $this->assertSame(['agency_id' => $agency->id, 'agency_name' => 'Stars'], $client->next('agency.dissolved')['data']);
        }
        $this->untilQueueIsEmpty();
        $this->assertSame([], $stranger->drain());
        $this->assertSame(1.0, $this->relay->metric('msab_emits_accepted_total'));
    }

    public function test_ordinary_broadcasts_and_notifications_arrive(): void
    {
        $user = User::create(['name' => 'A', 'coins' => 9]);
        $client = $this->relay->connect($user->id);
        $this->startWorker();

        OrderShipped::dispatch(7, $user->id);
        BalanceBroadcast::dispatch($user);
        $user->notify(new LevelReached(3));

        $this->assertSame(['orderId' => 7, 'userId' => $user->id], $client->next('App\\Events\\OrderShipped')['data']);
        $this->assertSame(['user_id' => $user->id, 'coins' => '9'], $client->next('balance.updated')['data']);
        $this->assertSame(3, $client->next('order.level')['data']['level']);
        $this->untilQueueIsEmpty();
        $this->assertSame(0, DB::table('failed_jobs')->count());
    }

    public function test_a_broadcast_for_a_relay_that_is_away_is_kept_and_arrives_once(): void
    {
        $user = User::create(['name' => 'A', 'coins' => 9]);
        $this->relay->stop();
        $worker = $this->startWorker();
        BalanceBroadcast::dispatch($user);
        Until::true(fn () => DB::table('jobs')->where('payload', 'like', '%Msab emit balance.updated%')->exists(), 'the broadcast to be kept');

        $worker->signal(SIGSTOP);
        $this->relay->start();
        $client = $this->relay->connect($user->id);
        $worker->signal(SIGCONT);

        $this->assertSame('9', $client->next('balance.updated', 30)['data']['coins']);
        $this->untilQueueIsEmpty();
        $this->assertSame([], $client->drain());
        $this->assertSame(0, DB::table('failed_jobs')->count());
    }

    public function test_the_page_is_served_while_redis_is_down(): void
    {
        $user = User::create(['name' => 'A']);
        config(['queue.default' => 'redis', 'database.redis.default.port' => Ports::free(), 'database.redis.client' => 'phpredis']);

        $this->postJson("/users/$user->id/purchases", ['coins' => 7])->assertOk()->assertJson(['coins' => 7]);

        $this->assertSame(7, $user->fresh()->coins);
        $this->assertStringContainsString('Connection refused', (string) file_get_contents(storage_path('logs/laravel.log')));
    }

    public function test_a_real_redis_carries_the_job(): void
    {
        $port = Ports::free();
        $redis = ['QUEUE_CONNECTION' => 'redis', 'REDIS_CLIENT' => 'phpredis', 'REDIS_PORT' => (string) $port, 'REDIS_HOST' => '127.0.0.1'];
        $this->startProcess(['redis-server', '--port', (string) $port, '--bind', '127.0.0.1', '--save', '', '--dir', $this->workDirectory()]);
        Until::true(fn () => @fsockopen('127.0.0.1', $port), 'redis to listen');
        config(['queue.default' => 'redis', 'database.redis.default.port' => $port, 'database.redis.default.host' => '127.0.0.1', 'database.redis.client' => 'phpredis']);
        $user = User::create(['name' => 'A']);
        $client = $this->relay->connect($user->id);

        $this->postJson("/users/$user->id/purchases", ['coins' => 7])->assertOk();
        $this->startProcess([PHP_BINARY, dirname(__DIR__).'/app/artisan', 'queue:work', '--sleep=0.05'], $redis);

        $this->assertSame('7', $client->next('balance.updated', 20)['data']['coins']);
    }
}
