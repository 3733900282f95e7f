<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Feature;

use Illuminate\Foundation\Testing\RefreshDatabase;
use Illuminate\Support\Facades\DB;
use Msab\Laravel\Emission;
use Msab\Laravel\Events\BalanceUpdated;
use Msab\Laravel\Facades\Msab;
use Msab\Laravel\Tests\TestCase;

/** As an application tests itself: each test in a transaction of its own, which is never committed. */
final class RefreshDatabaseTest extends TestCase
{
    use RefreshDatabase;

    public function test_the_transaction_around_a_test_holds_nothing_back(): void
    {
        $fake = Msab::fake();
        $emitted = fn (): array => $fake->emitted(BalanceUpdated::class)->map(fn (Emission $emission) => $emission->target->text())->all();

        Msab::toUser(1)->emit(new BalanceUpdated);
        $this->assertSame(['user:1'], $emitted());

        DB::transaction(function () use ($emitted) {
            Msab::toUser(2)->emit(new BalanceUpdated);
            DB::transaction(fn () => Msab::toUser(3)->emit(new BalanceUpdated));
            $this->assertSame(['user:1'], $emitted());
        });
        DB::beginTransaction();
        Msab::toUser(4)->emit(new BalanceUpdated);
        DB::rollBack();

        $this->assertSame(['user:1', 'user:2', 'user:3'], $emitted());
    }
}
