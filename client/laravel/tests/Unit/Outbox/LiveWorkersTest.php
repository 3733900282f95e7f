<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Unit\Outbox;

use Msab\Laravel\Outbox\Lane;
use Msab\Laravel\Outbox\LiveWorkers;
use PHPUnit\Framework\Attributes\TestWith;
use PHPUnit\Framework\TestCase;

final class LiveWorkersTest extends TestCase
{
    /**
     * @param  array<string, int>  $most
     * @param  array<string, int>  $shares
     */
    #[TestWith([['a' => 16], ['a' => 16]])]
    #[TestWith([['a' => 16, 'b' => 16], ['a' => 8, 'b' => 8]])]
    #[TestWith([['b' => 16, 'a' => 16, 'c' => 16], ['a' => 6, 'b' => 5, 'c' => 5]])]
    #[TestWith([['a' => 16, 'b' => 4], ['a' => 12, 'b' => 4]])]
    #[TestWith([['a' => 2, 'b' => 3], ['a' => 2, 'b' => 3]])]
    #[TestWith([['1' => 16, '2' => 16], ['1' => 8, '2' => 8]])]
    public function test_lanes_are_shared_evenly_and_none_is_left_out(array $most, array $shares): void
    {
        $this->assertEqualsCanonicalizing($shares, LiveWorkers::shares($most));
        $this->assertSame(min(Lane::COUNT, array_sum($most)), array_sum(LiveWorkers::shares($most)));
    }

    public function test_of_more_workers_than_lanes_some_stand_by(): void
    {
        $shares = LiveWorkers::shares(array_fill_keys(array_map(fn (int $i): string => "w$i", range(1, 20)), 16));
        $this->assertSame([1 => 16, 0 => 4], array_count_values($shares));
    }
}
