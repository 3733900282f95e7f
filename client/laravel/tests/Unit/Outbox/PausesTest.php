<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Unit\Outbox;

use Msab\Laravel\Outbox\Lane;
use Msab\Laravel\Outbox\Pauses;
use PHPUnit\Framework\TestCase;

final class PausesTest extends TestCase
{
    private float $now = 1000.0;

    public function test_a_lane_waits_longer_with_every_failure_up_to_a_bound(): void
    {
        $pauses = $this->pauses();
        $waits = [];
        for ($i = 0; $i < 9; $i++) {
            $pauses->failed([3], null);
            $waits[] = $this->waits($pauses, 3);
        }
        self::assertEqualsWithDelta([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0], $waits, 0.001);
    }

    public function test_it_waits_as_long_as_the_relay_says(): void
    {
        $pauses = $this->pauses();
        $pauses->failed([3], 20.0);
        self::assertEqualsWithDelta(20.0, $this->waits($pauses, 3), 0.001);
    }

    public function test_other_lanes_go_on_and_success_forgets(): void
    {
        $pauses = $this->pauses();
        $pauses->failed([3], null);
        $pauses->failed([3], null);
        self::assertSame([2, 4], $pauses->ready([2, 3, 4]));
        self::assertSame([3], $pauses->succeeded([2, 3]));
        self::assertSame([], $pauses->succeeded([2, 3]));
        self::assertSame([2, 3, 4], $pauses->ready([2, 3, 4]));
        $pauses->failed([3], null);
        self::assertEqualsWithDelta(0.1, $this->waits($pauses, 3), 0.001);
    }

    public function test_one_audience_is_one_lane_and_all_lanes_are_used(): void
    {
        self::assertSame(crc32('user:42') % 16, Lane::of('user:42'));
        $lanes = array_map(fn (int $id): int => Lane::of("user:{$id}"), range(1, 500));
        sort($lanes);
        self::assertSame(Lane::all(), array_values(array_unique($lanes)));
    }

    private function waits(Pauses $pauses, int $lane): float
    {
        $waited = 0.0;
        for (; $pauses->ready([$lane]) === []; $waited += 0.0125) {
            $this->now += 0.0125;
        }

        return $waited;
    }

    private function pauses(): Pauses
    {
        return new Pauses(fn (): float => $this->now, fn (): float => 1.0);
    }
}
