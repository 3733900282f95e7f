<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\EndToEnd;

use App\Models\User;
use Illuminate\Support\Facades\DB;
use Msab\Laravel\Events\AgencyDissolved;
use Msab\Laravel\Events\RewardEarned;
use Msab\Laravel\Facades\Msab;
use Msab\Laravel\Outbox\Outbox;
use Msab\Laravel\Tests\RelayTestCase;
use Msab\Laravel\Tests\Support\SharesDatabase;
use Msab\Laravel\Tests\Support\Until;
use Msab\Laravel\Tests\Support\WsClient;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\Attributes\Group;
use Symfony\Component\Process\Process;

/** Real databases, workers in processes of their own, a real relay, real sockets. */
#[Group('long')]
final class OutboxTest extends RelayTestCase
{
    use SharesDatabase {
        environment as databaseEnvironment;
    }

    private const USER = 42;

    protected function environment(): array
    {
        return ['MSAB_DELIVERY' => 'outbox', 'MSAB_OUTBOX_LEASE' => '3'] + $this->databaseEnvironment();
    }

    #[DataProvider('databases')]
    public function test_what_was_written_while_the_relay_was_away_arrives_once_and_in_order(string $database): void
    {
        $this->useDatabase($database);
        $user = User::query()->create(['name' => 'Ada']);
        $this->relay->stop();
        $worker = $this->startOutboxWorker();
        $this->postJson("/users/{$user->id}/purchases", ['coins' => 5, 'fails' => true])->assertStatus(402);
        $this->postJson("/users/{$user->id}/purchases", ['coins' => 7])->assertOk();
        foreach (range(1, 20) as $i) {
            $this->reward($i);
        }
        Until::true(fn () => DB::table('msab_outbox_lanes')->whereNotNull('error')->exists(), 'the worker to meet the absence');

        // Held still until the clients are there: the relay's log begins anew with it.
        $worker->signal(SIGSTOP);
        $this->relay->start();
        [$client, $buyer] = [$this->relay->connect(self::USER), $this->relay->connect($user->id)];
        $worker->signal(SIGCONT);

        self::assertSame(range(1, 20), $this->rewards($client, 20));
        self::assertSame('7', $buyer->next('balance.updated')['data']['coins']);
        $this->untilOutboxIsEmpty();
        self::assertSame([], $client->drain());
        self::assertSame([], $buyer->drain());
        self::assertSame(0, DB::table('msab_outbox')->where('state', 'dead')->count());
    }

    #[DataProvider('databases')]
    public function test_a_worker_that_stands_still_in_a_call_holds_up_neither_the_application_nor_its_successor(string $database): void
    {
        $this->useDatabase($database);
        $client = $this->relay->connect(self::USER);
        $first = $this->startOutboxWorker();
        Until::true(fn () => $this->owner() !== '', 'the first worker');
        $owner = $this->owner();

        // The relay stands still, so that the worker's call doesn't end; then the worker, in the middle of it.
        $this->relay->signal(SIGSTOP);
        $this->reward(1);
        Until::true(fn () => $this->relay->unreadBytes() > 0, 'the worker to have called');
        $first->signal(SIGSTOP);

        // The application goes on, in the same audience, without waiting for a lock.
        match ($database) {
            'mariadb' => DB::statement('set innodb_lock_wait_timeout = 1'),
            'pgsql' => DB::statement("set lock_timeout = '1s'"),
            default => DB::statement('pragma busy_timeout = 1000'),
        };
        DB::transaction(function (): void {
            $this->reward(2);
            $this->reward(3);
        });

        $this->relay->signal(SIGCONT);
        $this->startOutboxWorker();
        Until::true(fn () => ! in_array($this->owner(), ['', $owner], true), 'the second worker to take over');
        self::assertSame([1, 2, 3], $this->rewards($client, 3));
        $this->untilOutboxIsEmpty();

        // The first wakes, and finds that its time is over.
        $first->signal(SIGCONT);
        $this->reward(4);
        self::assertSame([4], $this->rewards($client, 1));
        $this->untilOutboxIsEmpty();
        self::assertSame([], $client->drain(1), 'each arrived once');
        self::assertTrue($first->isRunning());
    }

    public function test_ten_thousand_members_hear_of_a_dissolved_agency_by_one_row_in_one_call(): void
    {
        $this->useDatabase('sqlite');
        [$first, $last, $stranger] = [$this->relay->connect(1), $this->relay->connect(10_000), $this->relay->connect(10_001)];
        Msab::toUsers(range(1, 10_000))->emit(new AgencyDissolved(agencyId: 7, agencyName: 'Stars'));
        self::assertSame(1, DB::table('msab_outbox')->count());
        self::assertSame(0, $this->command(['msab:outbox', 'work', '--stop-when-empty'])->getExitCode());
        foreach ([$first, $last] as $client) {
            self::assertSame(['agency_id' => 7, 'agency_name' => 'Stars'], $client->next('agency.dissolved')['data']);
        }
        self::assertSame([], $stranger->drain());
        self::assertSame(1.0, $this->relay->metric('msab_emits_accepted_total'));
    }

    public function test_what_the_relay_refuses_is_dead_and_says_why_and_can_be_sent_again(): void
    {
        $this->useDatabase('sqlite');
        Msab::toUser(self::USER)->id('same')->emit($this->event(1));
        Msab::toUser(self::USER)->id('same')->emit($this->event(2));
        $this->reward(3);
        $client = $this->relay->connect(self::USER);
        $this->command(['msab:outbox', 'work', '--stop-when-empty']);
        self::assertSame([1, 3], $this->rewards($client, 2));
        self::assertStringContainsString('ALREADY_EXISTS', $this->command(['msab:outbox', 'status'])->getOutput());

        $this->relay->stop();
        $this->relay->start();
        $client = $this->relay->connect(self::USER);
        $this->command(['msab:outbox', 'retry', '--all']);
        $this->command(['msab:outbox', 'work', '--stop-when-empty']);
        self::assertSame([2], $this->rewards($client, 1));
    }

    public function test_a_wrong_key_kills_no_row(): void
    {
        $this->useDatabase('sqlite');
        $this->reward(1);
        $this->command(['msab:outbox', 'work', '--once'], ['MSAB_API_KEY' => 'wrong']);
        self::assertSame('pending', DB::table('msab_outbox')->value('state'));
        self::assertStringContainsString('UNAUTHENTICATED', $this->command(['msab:outbox', 'status'])->getOutput());
    }

    public function test_a_worker_ends_at_a_signal_and_gives_its_lanes_back(): void
    {
        $this->useDatabase('sqlite');
        // Laravel traps no signals in an application under test.
        $worker = $this->startOutboxWorker(['APP_ENV' => 'local']);
        Until::true(fn () => $this->owner() !== '', 'the worker');
        $worker->signal(SIGTERM);
        self::assertSame(0, $worker->wait());
        self::assertSame('', $this->owner());
    }

    public function test_two_workers_share_the_work_and_one_goes_on_when_the_other_dies(): void
    {
        $this->useDatabase('sqlite');
        $this->startOutboxWorker();
        Until::true(fn () => $this->lanesByOwner() === [16], 'the first worker to hold all lanes');
        $second = $this->startOutboxWorker();
        Until::true(fn () => $this->lanesByOwner() === [8, 8], 'both to hold half');

        $client = $this->relay->connect(self::USER);
        foreach (range(1, 60) as $i) {
            Msab::toUser(100 + $i)->emit($this->event($i));
            $this->reward($i);
        }
        self::assertSame(range(1, 60), $this->rewards($client, 60));
        $this->untilOutboxIsEmpty();
        self::assertSame(120.0, $this->relay->metric('msab_emits_accepted_total'));

        $second->signal(SIGKILL);
        Until::true(fn () => $this->lanesByOwner() === [16], 'the first to hold all again');
    }

    /** @return list<int> how many lanes each live worker holds */
    private function lanesByOwner(): array
    {
        $lanes = $this->app->make(Outbox::class)->lanes();

        return array_values(array_count_values(array_column(array_filter($lanes, fn (\stdClass $lane): bool => $lane->seconds_left > 0), 'owner')));
    }

    /** @param  array<string, string>  $environment */
    private function startOutboxWorker(array $environment = []): Process
    {
        return $this->startProcess([PHP_BINARY, dirname(__DIR__).'/app/artisan', 'msab:outbox', 'work', '--idle=20'], $environment);
    }

    private function reward(int $number): void
    {
        Msab::toUser(self::USER)->emit($this->event($number));
    }

    private function event(int $number): RewardEarned
    {
        return new RewardEarned(reward: new RewardEarned\Reward(id: $number, type: 'coins', amount: '1', description: ''));
    }

    /** @return list<int> the numbers of the next rewards that arrive */
    private function rewards(WsClient $client, int $count): array
    {
        return array_map(fn (): int => $client->next('reward.earned', 20)['data']['reward']['id'], range(1, $count));
    }

    private function untilOutboxIsEmpty(): void
    {
        Until::true(fn () => DB::table('msab_outbox')->where('state', 'pending')->doesntExist(), 'the outbox to be empty');
    }

    /** Of the lane of our user. */
    private function owner(): string
    {
        return (string) DB::table('msab_outbox_lanes')->where('lane', \Msab\Laravel\Outbox\Lane::of('user:'.self::USER))->value('owner');
    }
}
