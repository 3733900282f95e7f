<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Feature\Outbox;

use Illuminate\Support\Facades\Artisan;
use Illuminate\Support\Facades\DB;
use Msab\Laravel\Events\BalanceUpdated;
use Msab\Laravel\Facades\Msab;
use Msab\Laravel\Tests\Support\UsesDatabases;
use Msab\Laravel\Tests\TestCase;
use PHPUnit\Framework\Attributes\DataProvider;

final class OutboxCommandTest extends TestCase
{
    use UsesDatabases;

    protected function setUp(): void
    {
        parent::setUp();
        config(['msab.delivery' => 'outbox']);
    }

    #[DataProvider('databases')]
    public function test_work_until_nothing_is_due(string $database): void
    {
        $this->useDatabase($database);
        foreach (range(1, 20) as $user) {
            Msab::toUser($user)->emit(new BalanceUpdated(coins: '1'));
        }
        self::assertSame(0, Artisan::call('msab:outbox work --stop-when-empty'));
        self::assertSame(20, DB::table('msab_outbox')->where('state', 'sent')->count());
        self::assertSame(0, DB::table('msab_outbox_lanes')->where('owner', '!=', '')->count(), 'the lanes are given back');
    }

    #[DataProvider('databases')]
    public function test_status_tells_what_waits_and_why(string $database): void
    {
        $this->useDatabase($database);
        Artisan::call('msab:outbox status');
        self::assertStringContainsString('The outbox is empty.', Artisan::output());
        self::assertStringContainsString('No worker is running.', $this->report());

        Msab::toUser(42)->id('waits')->emit(new BalanceUpdated(coins: '1'));
        Msab::toUser(43)->id('refused')->emit(new BalanceUpdated(coins: '1'));
        DB::table('msab_outbox')->where('event_id', 'refused')->update(['state' => 'dead', 'error' => '{"code":"INVALID_ARGUMENT","message":"x","violations":[{"field":"coins","description":"must be a decimal"}]}']);
        DB::table('msab_outbox_lanes')->insert(['connection' => 'default', 'lane' => 3, 'owner' => 'host:7', 'expires_ms' => PHP_INT_MAX, 'renewals' => 1, 'error' => 'UNAVAILABLE: refused']);
        DB::table('msab_outbox_workers')->insert(['connection' => 'default', 'owner' => 'host:8', 'lanes' => 16, 'expires_ms' => PHP_INT_MAX]);
        $text = $this->report();
        self::assertStringContainsString('INVALID_ARGUMENT coins: must be a decimal', $text);
        self::assertStringContainsString('host:7 (default): 1 of 16 lanes', $text);
        self::assertStringContainsString('host:8 (default): 0 of 16 lanes', $text);
        self::assertStringContainsString('Lane 3 of default stands still. UNAVAILABLE: refused', $text);

        $rows = json_decode($this->report('--json'), true)['rows'];
        self::assertEqualsCanonicalizing([['dead', 1], ['pending', 1]], array_map(fn (array $row): array => [$row['state'], $row['rows']], $rows));

        // Later, as it was asked to be.
        Msab::toUser(44)->delay(86_400)->emit(new BalanceUpdated(coins: '1'));
        DB::table('msab_outbox')->where('audience', 'user:44')->decrement('created_ms', 3_601_000);
        self::assertSame(0, Artisan::call('msab:outbox status --max-age=3600'));
        DB::table('msab_outbox')->where('event_id', 'waits')->decrement('available_ms', 3_601_000);
        self::assertSame(1, Artisan::call('msab:outbox status --max-age=3600'));
    }

    #[DataProvider('databases')]
    public function test_retry_by_id_or_all(string $database): void
    {
        $this->useDatabase($database);
        foreach ([1, 2, 3] as $user) {
            Msab::toUser($user)->emit(new BalanceUpdated(coins: '1'));
        }
        DB::table('msab_outbox')->update(['state' => 'dead', 'error' => '{}', 'finished_ms' => 1]);
        self::assertSame(2, Artisan::call('msab:outbox retry'));
        self::assertSame(2, Artisan::call('msab:outbox retry x'));
        $id = DB::table('msab_outbox')->min('id');
        self::assertSame(0, Artisan::call("msab:outbox retry {$id}"));
        self::assertSame([$id], DB::table('msab_outbox')->where('state', 'pending')->whereNull('error')->where('finished_ms', 0)->pluck('id')->all());
        Artisan::call('msab:outbox retry --all');
        self::assertSame(0, DB::table('msab_outbox')->where('state', 'dead')->count());
        Artisan::call('msab:outbox work --stop-when-empty');
        self::assertSame(3, DB::table('msab_outbox')->where('state', 'sent')->count());
    }

    #[DataProvider('databases')]
    public function test_prune_forgets_what_was_sent_a_day_ago_and_has_been_dead_for_two_weeks(string $database): void
    {
        $this->useDatabase($database);
        $hours = ['sent' => ['sent', 23.9], 'old-sent' => ['sent', 24.1], 'dead' => ['dead', 24 * 13.9], 'old-dead' => ['dead', 24 * 14.1], 'waits' => ['pending', null]];
        foreach ($hours as $id => [$state, $age]) {
            Msab::toUser(42)->id($id)->emit(new BalanceUpdated(coins: '1'));
            DB::table('msab_outbox')->where('event_id', $id)->update([
                'state' => $state, 'created_ms' => 0, 'finished_ms' => $age === null ? 0 : (int) (microtime(true) * 1000 - $age * 3_600_000),
            ]);
        }
        self::assertSame(0, Artisan::call('msab:outbox prune'));
        self::assertSame(['dead', 'sent', 'waits'], DB::table('msab_outbox')->orderBy('event_id')->pluck('event_id')->all());
        Artisan::call('msab:outbox prune --sent-hours=0 --dead-days=0');
        self::assertSame(['waits'], DB::table('msab_outbox')->pluck('event_id')->all());
    }

    public function test_a_wrong_word_is_answered_with_the_right_ones(): void
    {
        self::assertSame(2, Artisan::call('msab:outbox run'));
        self::assertStringContainsString('work, status, retry or prune, not "run"', Artisan::output());
    }

    private function report(string $options = ''): string
    {
        Artisan::call("msab:outbox status {$options}");

        return Artisan::output();
    }
}
