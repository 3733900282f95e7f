<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Feature\Outbox;

use Illuminate\Support\Facades\DB;
use Illuminate\Support\Facades\Schema;
use Msab\Laravel\Events\BalanceUpdated;
use Msab\Laravel\Facades\Msab;
use Msab\Laravel\Outbox\Lane;
use Msab\Laravel\Outbox\OutboxCheckup;
use Msab\Laravel\Tests\Support\Diagnoses;
use Msab\Laravel\Tests\Support\UsesDatabases;
use Msab\Laravel\Tests\TestCase;
use PHPUnit\Framework\Attributes\DataProvider;

final class OutboxCheckupTest extends TestCase
{
    use UsesDatabases;

    protected function setUp(): void
    {
        parent::setUp();
        config(['msab.delivery' => 'outbox']);
    }

    #[DataProvider('databases')]
    public function test_it_finds_what_keeps_rows_from_being_sent(string $database): void
    {
        $this->useDatabase($database);
        $this->assertFinds(true, 'Outbox worker none is running: php artisan msab:outbox work');

        $this->serve(range(0, 15));
        Msab::toUser(42)->delay(3600)->emit(new BalanceUpdated(coins: '1'));
        $this->assertFinds(false, 'Outbox worker 1 for all lanes', 'Outbox backlog 1 rows wait');

        Msab::toUser(43)->id('old')->emit(new BalanceUpdated(coins: '1'));
        DB::table('msab_outbox')->where('event_id', 'old')->decrement('available_ms', 90_000);
        $this->assertFinds(true, '2 rows wait, the oldest for 9');

        DB::table('msab_outbox')->update(['state' => 'dead']);
        $this->assertFinds(false, 'Outbox refusals 2 rows that the relay refused');

        DB::table('msab_outbox_lanes')->where('lane', 3)->update(['error' => 'UNAUTHENTICATED: unknown key']);
        $this->assertFinds(true, 'Outbox lanes 1 stand still UNAUTHENTICATED: unknown key');

        DB::table('msab_outbox_lanes')->whereIn('lane', [4, 5])->update(['expires_ms' => 0]);
        $this->assertFinds(true, 'nobody serves the lanes 4, 5: start one without --lanes');
    }

    #[DataProvider('databases')]
    public function test_it_says_which_tables_are_missing(string $database): void
    {
        $this->useDatabase($database);
        Schema::drop('msab_outbox_workers');
        $this->assertFinds(true, 'no msab_outbox_workers on the connection \'outbox\': php artisan msab:install --outbox, then migrate');
    }

    public function test_a_database_that_is_away_is_called_that(): void
    {
        config(['database.connections.away' => ['driver' => 'sqlite', 'database' => '/no/such/file'], 'msab.outbox.database' => 'away']);
        $this->assertFinds(true, 'the database can\'t be asked');
    }

    public function test_who_does_not_use_it_hears_nothing_of_it(): void
    {
        config(['msab.delivery' => 'queue']);
        $this->useDatabase('sqlite');
        $this->assertSame([false, ''], Diagnoses::of($this->app->make(OutboxCheckup::class)));

        Msab::toUser(43)->via('outbox')->emit(new BalanceUpdated(coins: '1'));
        $this->assertFinds(true, 'Outbox worker none is running');
    }

    /** @param  list<int>  $lanes */
    private function serve(array $lanes): void
    {
        DB::table('msab_outbox_workers')->insert(['connection' => 'default', 'owner' => 'host:7', 'lanes' => Lane::COUNT, 'expires_ms' => PHP_INT_MAX]);
        foreach ($lanes as $lane) {
            DB::table('msab_outbox_lanes')->insert(['connection' => 'default', 'lane' => $lane, 'owner' => 'host:7', 'expires_ms' => PHP_INT_MAX, 'renewals' => 1]);
        }
    }

    private function assertFinds(bool $ill, string ...$lines): void
    {
        [$isIll, $output] = Diagnoses::of($this->app->make(OutboxCheckup::class));
        foreach ($lines as $line) {
            $this->assertStringContainsString($line, $output);
        }
        $this->assertSame($ill, $isIll, $output);
    }
}
