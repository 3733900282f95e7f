<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Feature;

use App\Models\User;
use Illuminate\Support\Defer\DeferredCallbackCollection;
use Illuminate\Support\Facades\DB;
use Illuminate\Support\Facades\Event;
use Illuminate\Support\Facades\Exceptions;
use Illuminate\Support\Facades\Queue;
use Illuminate\Support\Facades\Route;
use Msab\Laravel\Delivery\EmitFailed;
use Msab\Laravel\Delivery\EmitJob;
use Msab\Laravel\Delivery\EventEmitted;
use Msab\Laravel\Delivery\Outcomes;
use Msab\Laravel\Events\BalanceUpdated;
use Msab\Laravel\Facades\Msab;
use Msab\Laravel\Support\Counters;
use Msab\Laravel\Tests\Support\Ports;
use Msab\Laravel\Tests\TestCase;
use Msab\Laravel\Transport\Transports;
use PHPUnit\Framework\Attributes\TestWith;

final class NeverInTheWayTest extends TestCase
{
    protected function setUp(): void
    {
        parent::setUp();
        $this->migrate();
    }

    public function test_nothing_leaves_before_the_commit_and_nothing_of_a_rollback(): void
    {
        Queue::fake();
        DB::transaction(function () {
            Msab::toUser(1)->emit(new BalanceUpdated);
            DB::transaction(fn () => Msab::toUser(2)->emit(new BalanceUpdated));
            Queue::assertNothingPushed();
        });
        Queue::assertPushed(EmitJob::class, 2);

        try {
            DB::transaction(function () {
                Msab::toUser(3)->emit(new BalanceUpdated);
                throw new \RuntimeException;
            });
        } catch (\RuntimeException) {
        }
        Queue::assertPushed(EmitJob::class, 2);
    }

    #[TestWith(['queue'])]
    #[TestWith(['sync'])]
    #[TestWith(['defer'])]
    #[TestWith(['outbox'])]
    public function test_of_a_savepoint_that_is_rolled_back_nothing_leaves_and_the_rest_does(string $delivery): void
    {
        config(['msab.delivery' => $delivery, 'queue.default' => 'sync']);
        $this->artisan('migrate', ['--path' => dirname(__DIR__, 2).'/database/migrations', '--realpath' => true])->run();
        $emitted = [];
        Event::listen(EventEmitted::class, function (EventEmitted $event) use (&$emitted) {
            $emitted[] = $event->envelope->audience;
        });
        Route::post('/emit', fn () => DB::transaction(function () {
            Msab::toUser(1)->emit(new BalanceUpdated);
            try {
                DB::transaction(function () {
                    Msab::toUser(2)->emit(new BalanceUpdated);
                    DB::transaction(fn () => Msab::toUser(3)->emit(new BalanceUpdated));
                    throw new \DomainException;
                });
            } catch (\DomainException) {
            }
            DB::transaction(fn () => Msab::toUser(4)->emit(new BalanceUpdated));

            return 'ok';
        }));

        $this->post('/emit')->assertOk();
        $this->artisan('msab:outbox work --stop-when-empty')->assertSuccessful();

        $this->assertSame(['user:1', 'user:4'], $emitted);
    }

    #[TestWith(['queue'])]
    #[TestWith(['sync'])]
    #[TestWith(['defer'])]
    public function test_of_a_rollback_no_delivery_sends_anything(string $delivery): void
    {
        config(['msab.delivery' => $delivery]);
        Event::fake([EventEmitted::class, EmitFailed::class]);
        Route::post('/rolled-back', function () {
            DB::beginTransaction();
            Msab::toUser(3)->emit(new BalanceUpdated);
            DB::rollBack();

            return 'ok';
        });

        $this->post('/rolled-back')->assertOk();

        Event::assertNotDispatched(EventEmitted::class);
        $this->assertSame(0, DB::table('jobs')->count());
    }

    public function test_with_redis_down_the_request_and_its_other_callbacks_go_on(): void
    {
        config([
            'queue.default' => 'redis',
            'database.redis.client' => 'phpredis',
            'database.redis.default' => ['host' => '127.0.0.1', 'port' => Ports::free(), 'database' => 0, 'timeout' => 0.5],
        ]);
        Exceptions::fake();
        Event::fake([EmitFailed::class]);
        $after = [];

        $result = DB::transaction(function () use (&$after) {
            $user = User::create(['name' => 'A', 'coins' => 5]);
            DB::afterCommit(function () use (&$after) {
                $after[] = 'before';
            });
            Msab::toUser($user)->emit(new BalanceUpdated(coins: '5'));
            DB::afterCommit(function () use (&$after) {
                $after[] = 'behind';
            });

            return $user->id;
        });

        $this->assertSame(1, $result);
        $this->assertSame(['before', 'behind'], $after);
        $this->assertSame(5, User::find(1)->coins);
        Exceptions::assertReportedCount(1);
        Event::assertDispatched(EmitFailed::class, fn (EmitFailed $event) => $event->envelope->audience === 'user:1');
        $this->assertSame(1, app(Counters::class)->get(Outcomes::FAILED));
    }

    #[TestWith(['grpc'])]
    #[TestWith(['http'])]
    public function test_sync_jobs_and_the_sync_delivery_survive_a_relay_that_is_away(string $transport): void
    {
        config(['msab.connections.default' => [
            'transport' => $transport, 'key' => 'k',
            'grpc' => ['address' => '127.0.0.1:'.Ports::free()],
            'http' => ['url' => 'http://127.0.0.1:'.Ports::free()],
        ]]);
        config(['queue.default' => 'sync']);
        Exceptions::fake();
        Event::fake([EmitFailed::class]);
        Route::post('/emit', fn () => (string) (Msab::toUser(1)->emit(new BalanceUpdated) !== null
            && Msab::toUser(1)->via('sync')->emit(new BalanceUpdated) !== null
            && Msab::toUser(1)->via('defer')->emit(new BalanceUpdated) !== null));

        $this->post('/emit')->assertOk()->assertContent('1');

        Event::assertDispatchedTimes(EmitFailed::class, 3);
        Exceptions::assertReportedCount(3);
    }

    public function test_deferred_emits_leave_after_the_response_in_one_call(): void
    {
        config(['msab.delivery' => 'defer']);
        $during = null;
        $emitted = [];
        Event::listen(EventEmitted::class, function (EventEmitted $event) use (&$emitted) {
            $emitted[] = $event->envelope->audience;
        });
        Route::post('/emit', function () use (&$during, &$emitted) {
            DB::transaction(fn () => Msab::toUser(1)->emit(new BalanceUpdated));
            Msab::toUser(2)->emit(new BalanceUpdated);
            $during = $emitted;
            abort(422);  // committed all the same
        });

        $this->post('/emit')->assertUnprocessable();

        $this->assertSame([], $during);
        $this->assertSame(['user:1', 'user:2'], $emitted);
    }

    /** As under Octane, when a request dies before its deferred work is done. */
    public function test_deferred_emits_go_on_after_a_request_that_never_ended(): void
    {
        config(['msab.delivery' => 'defer']);
        $emitted = [];
        Event::listen(EventEmitted::class, function (EventEmitted $event) use (&$emitted) {
            $emitted[] = $event->envelope->audience;
        });
        Msab::toUser(1)->emit(new BalanceUpdated);
        $this->app->forgetScopedInstances();

        Msab::toUser(2)->emit(new BalanceUpdated);
        $this->app->make(DeferredCallbackCollection::class)->invoke();
        $this->assertSame(['user:1', 'user:2'], $emitted);

        Msab::toUser(3)->emit(new BalanceUpdated);
        $this->app->make(DeferredCallbackCollection::class)->invoke();
        $this->assertSame(['user:1', 'user:2', 'user:3'], $emitted);
    }

    public function test_what_a_listener_emits_while_deferred_emits_leave_leaves_too(): void
    {
        config(['msab.delivery' => 'defer']);
        $emitted = [];
        Event::listen(EventEmitted::class, function (EventEmitted $event) use (&$emitted) {
            $emitted[] = $event->envelope->audience;
            if (count($emitted) === 1) {
                Msab::toUser(2)->emit(new BalanceUpdated);
            }
        });
        Msab::toUser(1)->emit(new BalanceUpdated);
        $this->app->make(DeferredCallbackCollection::class)->invoke();

        $this->assertSame(['user:1', 'user:2'], $emitted);
    }

    public function test_an_application_that_defers_nothing_in_its_tests_loses_none(): void
    {
        config(['msab.delivery' => 'defer']);
        $this->withoutDefer();
        $emitted = [];
        Event::listen(EventEmitted::class, function (EventEmitted $event) use (&$emitted) {
            $emitted[] = $event->envelope->audience;
        });

        Msab::toUser(1)->emit(new BalanceUpdated);
        Msab::toUser(2)->emit(new BalanceUpdated);

        $this->assertSame(['user:1', 'user:2'], $emitted);
    }

    /** Octane gives each request a copy of the application, and forgets it. */
    public function test_what_must_last_is_shared_by_the_copies_of_the_application(): void
    {
        $one = clone $this->app;
        $two = clone $this->app;
        foreach ([Counters::class, Transports::class] as $class) {
            $this->assertSame($one->make($class), $two->make($class), $class);
        }
    }

    public function test_a_listener_that_throws_fails_nothing(): void
    {
        config(['msab.delivery' => 'sync']);
        Exceptions::fake();
        Event::listen(EventEmitted::class, fn () => throw new \LogicException('a bug of the listener'));

        $this->assertNotNull(Msab::toUser(1)->emit(new BalanceUpdated));

        Exceptions::assertReported(\LogicException::class);
    }

    public function test_two_requests_through_one_kernel_keep_no_state(): void
    {
        Queue::fake();
        Route::post('/emit', fn () => Msab::toUser(1)->toOthers()->emit(new BalanceUpdated));
        $this->withHeaders(['X-Socket-ID' => 'c-1'])->post('/emit')->assertOk();
        $this->flushHeaders()->post('/emit')->assertOk();
        Route::post('/broken', function () {
            DB::beginTransaction();
            Msab::toUser(2)->emit(new BalanceUpdated);
            DB::rollBack();
        });
        $this->post('/broken')->assertOk();
        $this->post('/emit')->assertOk();

        $except = Queue::pushed(EmitJob::class)->map(function (EmitJob $job) {
            $request = new \Msab\V1\EmitEventRequest;
            $request->mergeFromString($job->envelope->bytes);

            return $request->getExceptConnectionId();
        });
        $this->assertSame(['c-1', '', ''], $except->all());
    }
}
