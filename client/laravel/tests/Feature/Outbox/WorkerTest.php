<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Feature\Outbox;

use Illuminate\Contracts\Debug\ExceptionHandler;
use Illuminate\Support\Facades\DB;
use Illuminate\Support\Facades\Exceptions;
use Illuminate\Support\Facades\Schema;
use Msab\Laravel\Events\BalanceUpdated;
use Msab\Laravel\Facades\Msab;
use Msab\Laravel\Outbox\Outbox;
use Msab\Laravel\Outbox\Worker;
use Msab\Laravel\Tests\Support\ScriptedTransport;
use Msab\Laravel\Tests\Support\UsesDatabases;
use Msab\Laravel\Tests\TestCase;
use Msab\Laravel\Transport\Transport;

final class WorkerTest extends TestCase
{
    use UsesDatabases;

    private ScriptedTransport $relay;

    /** @var list<float> */
    private array $slept = [];

    protected function setUp(): void
    {
        parent::setUp();
        config(['msab.delivery' => 'outbox']);
        Exceptions::fake();
        $this->useDatabase('sqlite');
        $this->relay = new ScriptedTransport;
        Msab::toUser(42)->id('a1')->emit(new BalanceUpdated(coins: '1'));
    }

    /** @param  \Closure(int): void  $meanwhile  is told which rest it is: 1, 2 … */
    private function worker(\Closure $meanwhile): Worker
    {
        $drain = $this->app->make(Outbox::class)->drain('default', fn (): Transport => $this->relay);

        return new Worker([$drain], $this->app->make(ExceptionHandler::class), memory: 4096, sleep: function (float $seconds) use ($meanwhile): void {
            $this->slept[] = $seconds;
            $meanwhile(count($this->slept));
        });
    }

    public function test_a_database_that_is_away_is_waited_for_ever_longer(): void
    {
        Schema::rename('msab_outbox', 'away');
        $worker = $this->worker(function (int $rest) use (&$worker): void {
            if ($rest === 3) {
                Schema::rename('away', 'msab_outbox');
            } elseif ($rest > 3) {
                $worker->stop();
            }
        });
        self::assertSame(1, $worker->run());
        self::assertEquals([1, 2, 4, 0.25], $this->slept);
        self::assertSame(['a1'], $this->relay->accepted);
        self::assertFalse($worker->failed());
        Exceptions::assertReportedCount(3);
    }

    public function test_it_looks_again_while_nothing_waits_and_ends_when_it_is_told_to(): void
    {
        $worker = $this->worker(function (int $rest) use (&$worker): void {
            $rest === 1 ? Msab::toUser(42)->id('a2')->emit(new BalanceUpdated(coins: '2')) : $worker->stop();
        });
        self::assertSame(2, $worker->run());
        self::assertSame(['a1', 'a2'], $this->relay->accepted);
        self::assertSame('', DB::table('msab_outbox_lanes')->value('owner'), 'the lanes are given back');
        self::assertSame(0, DB::table('msab_outbox_workers')->count());
    }

    public function test_where_it_is_to_end_with_the_work_it_ends_at_the_first_error(): void
    {
        Schema::rename('msab_outbox', 'away');
        $worker = $this->worker(fn () => self::fail('it waited'));
        self::assertSame(0, $worker->run(untilEmpty: true));
        self::assertTrue($worker->failed());
    }
}
