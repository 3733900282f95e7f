<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Feature\Outbox;

use Illuminate\Database\Connection;
use Illuminate\Support\Facades\DB;
use Illuminate\Support\Facades\Event;
use Msab\Laravel\Contract\Violation;
use Msab\Laravel\Delivery\EmitFailed;
use Msab\Laravel\Delivery\EventEmitted;
use Msab\Laravel\Delivery\Outcomes;
use Msab\Laravel\Events\AgencyDissolved;
use Msab\Laravel\Events\BalanceUpdated;
use Msab\Laravel\Facades\Msab;
use Msab\Laravel\Outbox\DatabaseClock;
use Msab\Laravel\Outbox\Drain;
use Msab\Laravel\Outbox\Lane;
use Msab\Laravel\Outbox\LaneLeases;
use Msab\Laravel\Outbox\LiveWorkers;
use Msab\Laravel\Outbox\OutboxTable;
use Msab\Laravel\Outbox\Pauses;
use Msab\Laravel\Tests\Support\ScriptedTransport;
use Msab\Laravel\Tests\Support\UsesDatabases;
use Msab\Laravel\Tests\TestCase;
use Msab\Laravel\Transport\EmitFailure;
use Msab\Laravel\Transport\StatusCode;
use Msab\Laravel\Transport\Transport;
use PHPUnit\Framework\Attributes\DataProvider;

final class DrainTest extends TestCase
{
    use UsesDatabases;

    private ScriptedTransport $relay;

    private ?Drain $last = null;

    /** Seconds by which the worker's clock is ahead. */
    private float $later = 0;

    protected function setUp(): void
    {
        parent::setUp();
        config(['msab.delivery' => 'outbox']);
        $this->relay = new ScriptedTransport;
    }

    #[DataProvider('databases')]
    public function test_each_row_is_sent_once_and_in_its_audiences_order(string $database): void
    {
        $this->useDatabase($database);
        for ($i = 0; $i < 4; $i++) {
            $this->emitTo(42, "a{$i}");
            $this->emitTo(43, "b{$i}");
        }
        self::assertSame(8, $this->drain()->pass());
        self::assertSame(['a0', 'a1', 'a2', 'a3'], $this->accepted('a'));
        self::assertSame(['b0', 'b1', 'b2', 'b3'], $this->accepted('b'));
        self::assertSame(['sent' => 8], $this->states());
        self::assertSame(0, $this->drain()->pass());
        self::assertCount(8, $this->relay->accepted);
    }

    #[DataProvider('databases')]
    public function test_a_call_holds_no_two_of_one_audience_and_no_more_than_a_batch(string $database): void
    {
        $this->useDatabase($database);
        config(['msab.outbox.batch' => 5]);
        foreach (['a0', 'a1', 'b0', 'c0', 'd0', 'e0', 'f0'] as $id) {
            $this->emitTo(ord($id[0]), $id);
        }
        $drain = $this->drain();
        $drain->pass();
        $drain->pass();
        self::assertSame([['a0', 'b0', 'c0', 'd0'], ['a1'], ['e0', 'f0']], $this->relay->calls);
    }

    #[DataProvider('databases')]
    public function test_what_the_relay_cannot_take_now_stops_its_lane_and_no_other(string $database): void
    {
        $this->useDatabase($database);
        [$stopped, $other] = self::usersOfTwoLanes();
        foreach ([1, 2, 3] as $i) {
            $this->emitTo($stopped, "s{$i}");
            $this->emitTo($other, "o{$i}");
        }
        $full = true;
        $this->relay->script = function (string $id) use (&$full): ?EmitFailure {
            return $full && $id === 's1' ? new EmitFailure(StatusCode::ResourceExhausted, 'an inbox is full', retryAfter: 0.05) : null;
        };
        $drain = $this->drain();
        self::assertSame(3, $drain->pass());
        self::assertSame(['o1', 'o2', 'o3'], $this->relay->accepted);
        self::assertSame(0, $drain->pass(), 'the lane waits as long as it was told');
        self::assertStringContainsString('an inbox is full', (string) DB::table('msab_outbox_lanes')->where('lane', Lane::of("user:{$stopped}"))->value('error'));

        $full = false;
        $this->later += 0.11;
        self::assertSame(3, $drain->pass());
        self::assertSame(['s1', 's2', 's3'], $this->accepted('s'));
        self::assertNull(DB::table('msab_outbox_lanes')->whereNotNull('error')->first());
    }

    public function test_a_lane_stays_stopped_for_the_rest_of_the_pass_even_if_its_pause_is_over(): void
    {
        $this->useDatabase('sqlite');
        foreach ([1, 2, 3] as $i) {
            $this->emitTo(42, "a{$i}");
        }
        $this->relay->script = function (): EmitFailure {
            $this->relay->script = null;

            return new EmitFailure(StatusCode::Unavailable, 'just starting');
        };
        // No pause at all, as on a machine that is slow enough.
        $drain = $this->drain(jitter: 0.0);
        self::assertSame(0, $drain->pass());
        self::assertSame(3, $drain->pass());
        self::assertSame(['a1', 'a2', 'a3'], $this->relay->accepted);
    }

    public function test_a_relay_that_is_away_is_asked_once_and_not_for_every_lane(): void
    {
        $this->useDatabase('sqlite');
        foreach (range(1, 40) as $user) {
            $this->emitTo($user, "x{$user}");
            $this->emitTo($user, "y{$user}");
        }
        $this->relay->script = fn (): EmitFailure => new EmitFailure(StatusCode::Unavailable, 'connection refused');
        $drain = $this->drain();
        self::assertSame(0, $drain->pass());
        self::assertSame(0, $drain->pass());
        self::assertCount(1, $this->relay->calls);
        self::assertSame(['pending' => 80], $this->states());
    }

    #[DataProvider('databases')]
    public function test_a_refusal_is_dead_with_its_violations_and_the_lane_goes_on(string $database): void
    {
        $this->useDatabase($database);
        Event::fake([EmitFailed::class, EventEmitted::class]);
        foreach (['a1', 'a2', 'a3'] as $id) {
            $this->emitTo(42, $id);
        }
        $this->relay->script = fn (string $id): ?EmitFailure => $id === 'a2'
            ? new EmitFailure(StatusCode::InvalidArgument, 'coins', [new Violation('coins', 'must be a decimal')])
            : null;
        self::assertSame(3, $this->drain()->pass());
        self::assertSame(['a1', 'a3'], $this->relay->accepted);
        self::assertSame(['dead' => 1, 'sent' => 2], $this->states());
        self::assertJsonStringEqualsJsonString(
            '{"code":"INVALID_ARGUMENT","message":"coins","violations":[{"field":"coins","description":"must be a decimal"}]}',
            (string) DB::table('msab_outbox')->where('state', 'dead')->value('error'),
        );
        Event::assertDispatchedTimes(EventEmitted::class, 2);
        Event::assertDispatched(EmitFailed::class, fn (EmitFailed $failed): bool => $failed->envelope?->eventId === 'a2');
    }

    public function test_a_call_that_is_refused_as_a_whole_kills_only_who_is_refused_alone(): void
    {
        $this->useDatabase('sqlite');
        foreach ([1, 2, 3] as $user) {
            $this->emitTo($user, "x{$user}");
        }
        $this->relay->script = fn (string $id, int $size): ?EmitFailure => $size > 1 || $id === 'x2'
            ? new EmitFailure(StatusCode::ResourceExhausted, 'larger than max (4194304)')
            : null;
        self::assertSame(3, $this->drain()->pass());
        self::assertSame(['x1', 'x3'], $this->relay->accepted);
        self::assertSame(['dead' => 1, 'sent' => 2], $this->states());
    }

    #[DataProvider('passingFaults')]
    public function test_what_is_wrong_with_the_conversation_kills_no_row(StatusCode $code): void
    {
        $this->useDatabase('sqlite');
        $this->emitTo(42, 'a1');
        $this->relay->script = fn (): EmitFailure => new EmitFailure($code, 'wrong');
        self::assertSame(0, $this->drain()->pass());
        self::assertSame(['pending' => 1], $this->states());
    }

    /** @return list<array{StatusCode}> */
    public static function passingFaults(): array
    {
        return array_map(fn (StatusCode $code): array => [$code], [
            StatusCode::Unauthenticated, StatusCode::PermissionDenied, StatusCode::Unimplemented, StatusCode::Internal,
            StatusCode::Unknown, StatusCode::DeadlineExceeded, StatusCode::Cancelled, StatusCode::Aborted,
        ]);
    }

    #[DataProvider('databaseServers')]
    public function test_a_row_that_becomes_visible_late_is_not_missed(string $database): void
    {
        $this->useDatabase($database);
        $drain = $this->drain();
        DB::connection('outbox')->beginTransaction();
        $this->emitTo(42, 'first');
        config(['msab.outbox.database' => 'second']);
        $this->emitTo(43, 'second');
        config(['msab.outbox.database' => null]);
        self::assertGreaterThan(
            (int) DB::connection('outbox')->table('msab_outbox')->where('event_id', 'first')->value('id'),
            (int) DB::connection('second')->table('msab_outbox')->where('event_id', 'second')->value('id'),
        );

        // The worker has a session of its own.
        $worker = $this->drain('second');
        $worker->pass();
        self::assertSame(['second'], $this->relay->accepted);
        DB::connection('outbox')->commit();
        $worker->pass();
        self::assertSame(['second', 'first'], $this->relay->accepted);
    }

    #[DataProvider('databases')]
    public function test_no_transaction_is_open_during_a_call_and_the_application_inserts(string $database): void
    {
        $this->useDatabase($database);
        config(['database.connections.second.busy_timeout' => 1000]);
        $this->emitTo(42, 'a1');
        $this->relay->script = function () use ($database): ?EmitFailure {
            self::assertSame(0, DB::connection('outbox')->transactionLevel());
            config(['msab.outbox.database' => 'second']);
            match ($database) {
                'mariadb' => DB::connection('second')->statement('set innodb_lock_wait_timeout = 1'),
                'pgsql' => DB::connection('second')->statement("set lock_timeout = '1s'"),
                default => null,
            };
            // Before and behind the row under way, and the row's own audience.
            DB::connection('second')->transaction(fn () => $this->emitTo(42, 'a2'));
            config(['msab.outbox.database' => null]);

            return null;
        };
        $drain = $this->drain();
        self::assertSame(1, $drain->pass());
        $this->relay->script = null;
        self::assertSame(1, $drain->pass());
        self::assertSame(['a1', 'a2'], $this->relay->accepted);
    }

    #[DataProvider('databases')]
    public function test_a_worker_that_lost_its_lane_sends_no_more_of_it(string $database): void
    {
        $this->useDatabase($database);
        foreach (['a1', 'a2', 'a3'] as $id) {
            $this->emitTo(42, $id);
        }
        $this->relay->script = function (): ?EmitFailure {
            $this->relay->script = null;
            // As if this process had stood still for longer than its lease, and another had come.
            DB::table('msab_outbox_lanes')->update(['owner' => 'another', 'expires_ms' => PHP_INT_MAX]);
            $this->later = 60;

            return null;
        };
        $drain = $this->drain();
        self::assertSame(1, $drain->pass());
        self::assertSame(['a1'], $this->relay->accepted);
        self::assertSame(['pending' => 2, 'sent' => 1], $this->states());
    }

    #[DataProvider('databases')]
    public function test_a_delayed_event_waits_and_holds_up_nobody(string $database): void
    {
        $this->useDatabase($database);
        Msab::toUser(42)->id('later')->delay(1)->emit(new BalanceUpdated(coins: '1'));
        $this->emitTo(42, 'now');
        $drain = $this->drain();
        self::assertSame(1, $drain->pass());
        self::assertSame(['now'], $this->relay->accepted);
        DB::table('msab_outbox')->where('event_id', 'later')->decrement('available_ms', 1000);
        self::assertSame(1, $drain->pass());
    }

    #[DataProvider('databases')]
    public function test_the_row_shares_the_transactions_fate(string $database): void
    {
        $this->useDatabase($database);
        try {
            DB::transaction(function (): never {
                $this->emitTo(42, 'undone');
                throw new \DomainException;
            });
        } catch (\DomainException) {
        }
        self::assertSame([], $this->states());
        DB::transaction(fn () => $this->emitTo(42, 'done'));
        self::assertSame(['pending' => 1], $this->states());
    }

    #[DataProvider('databases')]
    public function test_events_for_ten_thousand_users_are_one_row_and_one_call(string $database): void
    {
        $this->useDatabase($database);
        Msab::toUsers(range(1, 10_000))->emit(new AgencyDissolved(agencyId: 7, agencyName: 'Stars'));
        self::assertSame(['pending' => 1], $this->states());
        $this->drain()->pass();
        self::assertCount(1, $this->relay->calls);
        self::assertSame(['sent' => 1], $this->states());
    }

    /** Of one session of the database; its leases and pauses run by a clock that a test can move. */
    private function drain(string $connection = 'outbox', float $jitter = 1.0): Drain
    {
        $database = DB::connection($connection);
        assert($database instanceof Connection);
        $clock = new DatabaseClock($database);
        $monotonic = fn (): float => hrtime(true) / 1e9 + $this->later;
        $owner = bin2hex(random_bytes(4));
        $workers = new LiveWorkers($database, $clock, 'msab_outbox_workers', 'default', $owner, 15_000);
        $leases = new LaneLeases($database, $clock, 'msab_outbox_lanes', 'default', $owner, 15_000, $workers, $monotonic);
        $leases->prepare();
        // A test's earlier drain gives way, as a worker does that ends.
        $this->last?->release();

        return $this->last = new Drain(
            new OutboxTable($database, $clock, 'msab_outbox'), $leases, fn (): Transport => $this->relay,
            $this->app->make(Outcomes::class), new Pauses($monotonic, fn (): float => $jitter), 'default', (int) config('msab.outbox.batch'),
        );
    }

    private function emitTo(int $user, string $id): void
    {
        Msab::toUser($user)->id($id)->emit(new BalanceUpdated(coins: '1500'));
    }

    /** @return list<string> */
    private function accepted(string $prefix): array
    {
        return array_values(array_filter($this->relay->accepted, fn (string $id): bool => str_starts_with($id, $prefix)));
    }

    /** @return array<string, int> rows by state */
    private function states(): array
    {
        return DB::table('msab_outbox')->groupBy('state')->orderBy('state')->selectRaw('state, count(*) as total')
            ->pluck('total', 'state')->map(fn (mixed $total): int => is_numeric($total) ? (int) $total : -1)->all();
    }

    /** @return array{int, int} */
    private static function usersOfTwoLanes(): array
    {
        for ($user = 2; Lane::of("user:{$user}") === Lane::of('user:1'); $user++);

        return [1, $user];
    }
}
