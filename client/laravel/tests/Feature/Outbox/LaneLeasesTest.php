<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Feature\Outbox;

use Illuminate\Database\Connection;
use Illuminate\Support\Facades\DB;
use Msab\Laravel\Outbox\DatabaseClock;
use Msab\Laravel\Outbox\Lane;
use Msab\Laravel\Outbox\LaneLeases;
use Msab\Laravel\Outbox\LiveWorkers;
use Msab\Laravel\Tests\Support\UsesDatabases;
use Msab\Laravel\Tests\TestCase;
use PHPUnit\Framework\Attributes\DataProvider;

final class LaneLeasesTest extends TestCase
{
    use UsesDatabases;

    private const LEASE_MS = 30_000;

    /** Seconds by which the workers' own clocks are ahead. */
    private float $monotonic = 0;

    private float $wall = 0;

    #[DataProvider('databases')]
    public function test_one_worker_has_a_lane_until_its_lease_runs_out(string $database): void
    {
        $this->useDatabase($database);
        [$a, $b] = [$this->leases('a'), $this->leases('b')];
        self::assertSame(Lane::all(), $a->claim());
        self::assertSame([], $b->claim());
        self::assertSame(Lane::all(), $a->claim(), 'a renewal in the same millisecond counts, too');

        $this->runOut();
        self::assertSame(Lane::all(), $b->claim());
        self::assertSame([], $a->claim());
    }

    #[DataProvider('databases')]
    public function test_two_workers_share_the_lanes_and_one_takes_over_when_the_other_ends(string $database): void
    {
        $this->useDatabase($database);
        [$a, $b] = [$this->leases('a', 8), $this->leases('b', 8)];
        self::assertCount(8, $a->claim());
        self::assertCount(8, $b->claim());
        self::assertSame([], array_intersect($a->claim(), $b->claim()));
        $b->release();
        self::assertCount(16, array_unique([...$a->claim(), ...$this->leases('c')->claim()]));
    }

    #[DataProvider('databases')]
    public function test_a_worker_that_comes_later_gets_its_part_and_leaves_it_when_it_ends(string $database): void
    {
        $this->useDatabase($database);
        [$a, $b, $c] = [$this->leases('a'), $this->leases('b'), $this->leases('c')];
        self::assertCount(16, $a->claim());
        self::assertSame([], $b->claim(), 'b waits, and is known to');

        self::assertCount(16, $a->claim(), 'in the middle of a pass all are kept');
        $a->giveUp();
        self::assertCount(8, $b->claim());
        self::assertCount(8, $a->claim());
        self::assertSame([], array_intersect($a->claim(), $b->claim()));

        $c->claim();
        foreach ([$a, $b] as $worker) {
            $worker->claim();
            $worker->giveUp();
        }
        $counts = array_map(fn (LaneLeases $leases): int => count($leases->claim()), [$c, $a, $b]);
        sort($counts);
        self::assertSame([5, 5, 6], $counts);

        $c->release();
        $b->release();
        self::assertCount(16, $a->claim());
    }

    #[DataProvider('databases')]
    public function test_the_part_of_a_worker_that_died_is_the_others(string $database): void
    {
        $this->useDatabase($database);
        [$a, $b] = [$this->leases('a'), $this->leases('b')];
        $b->claim();
        self::assertCount(0, $a->claim());
        $b->claim();
        $b->giveUp();
        self::assertCount(8, $a->claim());
        $this->runOut();
        self::assertCount(16, $a->claim());
        $this->runOut();
        $a->claim();
        self::assertSame(['a'], DB::table('msab_outbox_workers')->pluck('owner')->all(), 'and it is forgotten');
    }

    #[DataProvider('databases')]
    public function test_who_takes_a_lane_over_does_not_inherit_why_it_stood_still(string $database): void
    {
        $this->useDatabase($database);
        [$a, $b] = [$this->leases('a'), $this->leases('b')];
        $a->claim();
        $a->note([3], 'UNAVAILABLE: away');
        $a->claim();
        self::assertSame('UNAVAILABLE: away', DB::table('msab_outbox_lanes')->where('lane', 3)->value('error'));
        $this->runOut();
        $b->claim();
        self::assertNull(DB::table('msab_outbox_lanes')->where('lane', 3)->value('error'));
    }

    #[DataProvider('databases')]
    public function test_relays_have_lanes_of_their_own(string $database): void
    {
        $this->useDatabase($database);
        self::assertSame(Lane::all(), $this->leases('a')->claim());
        self::assertSame(Lane::all(), $this->leases('b', relay: 'other')->claim());
    }

    public function test_it_is_renewed_in_time_and_not_all_the_time(): void
    {
        $this->useDatabase('sqlite');
        $leases = $this->leases('a');
        $leases->heldFor(2);
        $leases->heldFor(2);
        self::assertSame(1, $this->renewals());
        $this->monotonic += 11;
        self::assertSame(Lane::all(), $leases->heldFor(2));
        self::assertSame(2, $this->renewals());
    }

    public function test_who_stood_still_finds_that_its_time_is_over(): void
    {
        $this->useDatabase('sqlite');
        // A stopped process: both clocks went on. A sleeping machine: the monotonic one stood still.
        foreach (['monotonic', 'wall'] as $clock) {
            $leases = $this->leases("a-{$clock}");
            self::assertSame(Lane::all(), $leases->heldFor(2));
            $this->runOut();
            $other = $this->leases("b-{$clock}");
            $other->claim();
            $this->{$clock} += 60;
            self::assertSame([], $leases->heldFor(2));
            $other->release();
            $leases->release();
        }
    }

    #[DataProvider('databases')]
    public function test_claiming_touches_no_row_of_the_outbox(string $database): void
    {
        $this->useDatabase($database);
        $queries = [];
        DB::listen(function ($query) use (&$queries): void {
            $queries[] = $query->sql;
        });
        $this->leases('a')->claim();
        self::assertNotSame([], $queries);
        foreach ($queries as $sql) {
            self::assertDoesNotMatchRegularExpression('/msab_outbox["`]/', $sql);
        }
    }

    private function leases(string $owner, int $most = Lane::COUNT, string $relay = 'default'): LaneLeases
    {
        $database = DB::connection('outbox');
        assert($database instanceof Connection);
        $clock = new DatabaseClock($database);
        $leases = new LaneLeases(
            $database, $clock, 'msab_outbox_lanes', $relay, $owner, self::LEASE_MS,
            new LiveWorkers($database, $clock, 'msab_outbox_workers', $relay, $owner, self::LEASE_MS, $most),
            fn (): float => 1000 + $this->monotonic, fn (): float => 2000 + $this->wall,
        );
        $leases->prepare();

        return $leases;
    }

    private function runOut(): void
    {
        DB::table('msab_outbox_lanes')->decrement('expires_ms', self::LEASE_MS + 1);
        DB::table('msab_outbox_workers')->decrement('expires_ms', self::LEASE_MS + 1);
    }

    private function renewals(): int
    {
        $renewals = DB::table('msab_outbox_lanes')->max('renewals');

        return is_numeric($renewals) ? (int) $renewals : -1;
    }
}
