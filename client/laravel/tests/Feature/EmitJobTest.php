<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Feature;

use Illuminate\Support\Facades\DB;
use Illuminate\Support\Facades\Event;
use Illuminate\Support\Facades\Exceptions;
use Illuminate\Support\Facades\Queue;
use Msab\Laravel\Delivery\EmitFailed;
use Msab\Laravel\Delivery\EmitJob;
use Msab\Laravel\Delivery\Envelope;
use Msab\Laravel\Delivery\EventEmitted;
use Msab\Laravel\Events\BalanceUpdated;
use Msab\Laravel\Exceptions\RelayException;
use Msab\Laravel\Facades\Msab;
use Msab\Laravel\Relay;
use Msab\Laravel\Tests\Support\AnsweringTransport;
use Msab\Laravel\Tests\TestCase;
use Msab\Laravel\Transport\EmitFailure;
use Msab\Laravel\Transport\EmitResult;
use Msab\Laravel\Transport\StatusCode;
use PHPUnit\Framework\Attributes\TestWith;

/** The job on Laravel's own database queue and worker; the relay's answers are the test's. */
final class EmitJobTest extends TestCase
{
    private AnsweringTransport $transport;

    protected function setUp(): void
    {
        parent::setUp();
        $this->migrate();
        $this->transport = new AnsweringTransport;
        $msab = new class($this->app, $this->transport) extends \Msab\Laravel\Msab
        {
            public function __construct($app, private readonly AnsweringTransport $transport)
            {
                parent::__construct($app);
            }

            protected function relay(string $name): Relay
            {
                return new Relay($name, $this->app, fn () => $this->transport);
            }
        };
        Msab::swap($msab);
    }

    private function work(): void
    {
        $this->artisan('queue:work', ['--once' => true, '--sleep' => 0])->run();
    }

    /** Seconds until the waiting job may run. */
    private function wait(): int
    {
        return DB::table('jobs')->value('available_at') - now()->getTimestamp();
    }

    public function test_it_tells_of_recipients_and_duplicates(): void
    {
        Event::fake([EventEmitted::class]);
        $this->transport->answers = [new EmitResult('a', '0-1', duplicate: true, usersOnline: 3)];
        Msab::toUser(1)->id('a')->emit(new BalanceUpdated);

        $this->work();

        Event::assertDispatched(EventEmitted::class, fn (EventEmitted $event) => $event->result->usersOnline === 3
            && $event->result->duplicate && $event->envelope->eventId === 'a');
        $this->assertSame(0, DB::table('jobs')->count());
    }

    #[TestWith([StatusCode::Unavailable])]
    #[TestWith([StatusCode::DeadlineExceeded])]
    public function test_while_the_relay_is_away_it_comes_back_with_the_same_bytes(StatusCode $code): void
    {
        $this->freezeSecond();
        Exceptions::fake();
        $this->transport->answers = array_fill(0, 8, new EmitFailure($code, 'away'));
        Msab::toUser(1)->emit(new BalanceUpdated(coins: '1'));

        foreach ([[1, 1], [1, 2], [2, 4], [4, 8], [8, 16], [16, 32], [30, 60], [30, 60]] as [$least, $most]) {
            $this->work();
            $this->assertGreaterThanOrEqual($least, $this->wait());
            $this->assertLessThanOrEqual($most, $this->wait());
            $this->travel($this->wait())->seconds();
        }
        $this->work();

        $this->assertCount(9, $this->transport->sent);
        $this->assertCount(1, array_unique($this->transport->sent));
        $this->assertSame(0, DB::table('jobs')->count());
        $this->assertSame(0, DB::table('failed_jobs')->count());
        Exceptions::assertNothingReported();
    }

    public function test_it_waits_as_long_as_the_relay_says(): void
    {
        $this->freezeSecond();
        $this->transport->answers = [new EmitFailure(StatusCode::ResourceExhausted, 'full', retryAfter: 17.2)];
        Msab::toUser(1)->emit(new BalanceUpdated);

        $this->work();

        $this->assertSame(18, $this->wait());
    }

    public function test_after_nine_minutes_it_is_a_failed_job(): void
    {
        $this->freezeSecond();
        Exceptions::fake();
        Event::fake([EmitFailed::class]);
        $this->transport->answers = array_fill(0, 30, new EmitFailure(StatusCode::Unavailable, 'away'));
        $begin = now()->getTimestamp();
        Msab::toUser(1)->emit(new BalanceUpdated);
        while (DB::table('jobs')->exists()) {
            $this->travel(max(0, $this->wait()))->seconds();
            $this->work();
        }

        $this->assertLessThanOrEqual(540, now()->getTimestamp() - $begin);
        $this->assertGreaterThan(420, now()->getTimestamp() - $begin);
        $this->assertStringContainsString('UNAVAILABLE: away', DB::table('failed_jobs')->value('exception'));
        Event::assertDispatchedTimes(EmitFailed::class, 1);
        Exceptions::assertReportedCount(1);
    }

    #[TestWith([StatusCode::InvalidArgument])]
    #[TestWith([StatusCode::Unauthenticated])]
    #[TestWith([StatusCode::PermissionDenied])]
    #[TestWith([StatusCode::AlreadyExists])]
    #[TestWith([StatusCode::ResourceExhausted])]
    public function test_a_refusal_is_not_tried_again(StatusCode $code): void
    {
        Exceptions::fake();
        Event::fake([EmitFailed::class]);
        $this->transport->answers = [new EmitFailure($code, 'no')];
        Msab::toUser(1)->emit(new BalanceUpdated);

        $this->work();

        $this->assertSame(0, DB::table('jobs')->count());
        $this->assertSame(1, DB::table('failed_jobs')->count());
        Event::assertDispatched(EmitFailed::class, fn (EmitFailed $event) => $event->exception instanceof RelayException
            && $event->exception->status() === $code && $event->envelope instanceof Envelope);
        Exceptions::assertReportedCount(1);
    }

    public function test_a_failed_job_can_be_tried_again_by_hand(): void
    {
        Exceptions::fake();
        $this->transport->answers = [new EmitFailure(StatusCode::Unauthenticated, 'wrong key')];
        Msab::toUser(1)->emit(new BalanceUpdated);
        $this->work();

        $this->travel(1)->hours();
        $this->artisan('queue:retry', ['id' => ['all']])->run();
        $this->work();

        $this->assertCount(2, $this->transport->sent);
        $this->assertSame($this->transport->sent[0], $this->transport->sent[1]);
        $this->assertSame(0, DB::table('failed_jobs')->count());
    }

    public function test_on_the_sync_queue_there_is_no_second_try(): void
    {
        config(['queue.default' => 'sync']);
        Exceptions::fake();
        Event::fake([EmitFailed::class]);
        $this->transport->answers = [new EmitFailure(StatusCode::Unavailable, 'away')];

        $this->assertNotNull(Msab::toUser(1)->emit(new BalanceUpdated));

        Event::assertDispatchedTimes(EmitFailed::class, 1);
        $this->assertCount(1, $this->transport->sent);
    }

    public function test_a_delayed_emit_has_its_nine_minutes_from_then(): void
    {
        $this->freezeSecond();
        Msab::toUser(1)->delay(3600)->emit(new BalanceUpdated);

        $payload = json_decode(DB::table('jobs')->value('payload'), true);
        $this->assertSame(now()->getTimestamp() + 3600 + 540, $payload['retryUntil']);
        $this->assertSame(3600, $this->wait());
    }

    public function test_applications_own_queue_fakes_see_it(): void
    {
        Queue::fake();
        Msab::toUser(1)->emit(new BalanceUpdated);
        Queue::assertPushed(fn (EmitJob $job) => $job->envelope->audience === 'user:1');
    }
}
