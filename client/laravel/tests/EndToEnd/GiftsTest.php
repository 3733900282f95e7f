<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\EndToEnd;

use App\Models\Gift;
use App\Models\User;
use Illuminate\Support\Facades\DB;
use Msab\Laravel\Tests\RelayTestCase;
use Msab\Laravel\Tests\Support\Ports;
use Msab\Laravel\Tests\Support\SharesDatabase;
use Msab\Laravel\Tests\Support\SignedPost;
use Msab\Laravel\Tests\Support\TestRelay;
use Msab\Laravel\Tests\Support\Until;
use Msab\Laravel\Tests\Support\WebServer;
use Msab\Laravel\Tests\Support\WsClient;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\Attributes\Group;

/** From a client's gift:send to the charge in the database and back: real sockets, a real relay, the application behind HTTP. */
#[Group('long')]
final class GiftsTest extends RelayTestCase
{
    use SharesDatabase {
        environment as databaseEnvironment;
        tearDown as forgetDatabase;
    }

    private const NEW_SECRET = 'whsec_bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3';

    private const PRICE = 10;

    private WebServer $laravel;

    private WsClient $sender;

    private WsClient $other;

    protected function startRelay(): TestRelay
    {
        $port = Ports::free();
        $this->laravel = new WebServer($port);

        return TestRelay::started([
            'MSAB_LARAVEL_WEBHOOK_URL' => "http://127.0.0.1:{$port}/msab/webhook",
            // It signs with both while they rotate.
            'MSAB_LARAVEL_WEBHOOK_SECRETS' => self::NEW_SECRET.','.SignedPost::SECRET,
        ]);
    }

    protected function environment(): array
    {
        return ['MSAB_WEBHOOK_SECRETS' => SignedPost::SECRET] + $this->databaseEnvironment();
    }

    protected function tearDown(): void
    {
        $this->laravel->stop();
        $this->forgetDatabase();
    }

    public function test_an_accepted_gift_is_charged_and_shown_to_the_room(): void
    {
        $this->begin();
        $again = $this->connect(1);
        $reply = $this->sender->request('gift:send', ['roomId' => 7, 'giftId' => 1, 'recipientIds' => [2, 3, 99], 'quantity' => 2, 'transactionId' => 't']);
        self::assertTrue($reply['ok'], (string) json_encode($reply));
        self::assertSame(['transactionId' => 't', 'acceptedRecipientIds' => [2, 3]], $reply['data']);
        self::assertSame([100 - 4 * self::PRICE, 10, 10], $this->coins(1, 2, 3));
        foreach ([$this->other, $again] as $client) {
            $received = $client->next('gift:received');
            self::assertSame('7', $received['room']);
            self::assertEquals(
                ['senderId' => 1, 'roomId' => '7', 'giftId' => 1, 'recipientIds' => [2, 3], 'quantity' => 2, 'transactionId' => 't'],
                $received['data'],
            );
        }
        self::assertSame([], array_filter($this->sender->drain(), fn (array $frame): bool => $frame['event'] === 'gift:received'));
    }

    public function test_a_rejected_gift_changes_nothing_and_all_of_the_senders_connections_hear_of_it(): void
    {
        $this->begin();
        $again = $this->connect(1);
        $reply = $this->gift(['quantity' => 11, 'transactionId' => 't', 'batchId' => 'combo']);
        self::assertFalse($reply['ok']);
        self::assertSame('REJECTED', $reply['error']['code']);
        self::assertSame('INSUFFICIENT_BALANCE', $reply['error']['details']['code']);
        self::assertSame('Not enough coins.', $reply['error']['details']['reason']);
        foreach ([$this->sender, $again] as $client) {
            self::assertEquals(
                ['transactionId' => 't', 'code' => 'INSUFFICIENT_BALANCE', 'reason' => 'Not enough coins.', 'batchId' => 'combo'],
                $client->next('gift:error')['data'],
            );
        }
        self::assertSame([], $this->other->drain());
        self::assertSame([100, 0], $this->coins(1, 2));

        // Rejections are not kept: the same transaction may succeed once there is enough.
        User::query()->whereKey(1)->update(['coins' => 110]);
        $this->acceptedGift('t', ['quantity' => 11, 'batchId' => 'combo']);
    }

    public function test_with_laravel_down_the_outcome_is_unknown_and_a_repeat_is_charged_once(): void
    {
        $this->begin();
        $this->laravel->stop();
        $reply = $this->gift(['transactionId' => 't']);
        self::assertSame('UPSTREAM_UNAVAILABLE', $reply['error']['code']);
        self::assertSame(['t', 'UPSTREAM_UNAVAILABLE'], array_slice(array_values($this->sender->next('gift:error')['data']), 0, 2));
        $this->laravel->start();
        $reply = $this->acceptedGift('t');
        self::assertSame([2], $reply['data']['acceptedRecipientIds']);
        self::assertSame([90, 5], $this->coins(1, 2));
        self::assertSame('t', $this->other->next('gift:received')['data']['transactionId']);
    }

    public function test_a_slow_laravel_is_waited_for(): void
    {
        $this->begin();
        $this->laravel->signal(SIGSTOP);
        $id = $this->sender->ask('gift:send', ['roomId' => '7', 'giftId' => 1, 'recipientId' => 2]);
        Until::true(fn () => $this->laravel->unreadBytes() > 0, 'the relay to ask');
        self::assertSame([], $this->other->drain());
        $this->laravel->signal(SIGCONT);
        self::assertTrue($this->sender->reply($id)['ok']);
        self::assertSame([90, 5], $this->coins(1, 2));
        $this->other->next('gift:received');
        self::assertSame([], $this->other->drain());
    }

    public function test_a_yes_that_comes_too_late_for_the_sender_still_reaches_the_room(): void
    {
        $this->begin();
        $this->laravel->signal(SIGSTOP);
        $reply = $this->gift(['transactionId' => 't']);
        self::assertSame('UPSTREAM_UNAVAILABLE', $reply['error']['code']);
        $this->laravel->signal(SIGCONT);
        self::assertSame('t', $this->other->next('gift:received', 20)['data']['transactionId']);
        // The repeat is answered from the receipt, and shown no second time.
        $this->acceptedGift('t');
        self::assertSame([90, 5], $this->coins(1, 2));
        self::assertSame([], $this->other->drain());
    }

    public function test_a_repeated_transaction_is_charged_once_and_a_changed_one_is_refused(): void
    {
        $this->begin();
        $first = $this->acceptedGift('t');
        $second = $this->acceptedGift('t');
        self::assertSame($first['data'], $second['data']);
        $changed = $this->gift(['transactionId' => 't', 'quantity' => 2]);
        self::assertSame('TRANSACTION_MISMATCH', $changed['error']['details']['code']);
        self::assertSame([90, 5], $this->coins(1, 2));
        $this->other->next('gift:received');
        self::assertSame([], $this->other->drain());
    }

    #[DataProvider('databases')]
    public function test_the_same_gift_at_the_same_moment_is_charged_once(string $database): void
    {
        $this->begin($database);
        $gift = fn (string $id, array $data = []): SignedPost => SignedPost::of(SignedPost::gift($id, $data + ['giftId' => 1, 'recipientIds' => [2], 'transactionId' => 't'], 1));
        $posts = array_map(fn (int $i): SignedPost => $gift("c{$i}"), range(1, 8));
        $statuses = [];
        foreach (SignedPost::sendAll($this->laravel->url('/msab/webhook'), ...$posts, ...[$gift('m', ['quantity' => 2])]) as $answer) {
            self::assertSame(200, $answer['status'], $answer['body']);
            $statuses[] = json_decode($answer['body'], true)['results'][0]['status'];
        }
        // Two that deadlocked, or met a locked file, may say retry; none may charge.
        self::assertContains('accepted', $statuses);
        $again = json_decode(SignedPost::sendAll($this->laravel->url('/msab/webhook'), $gift('z'))[0]['body'], true)['results'][0];
        self::assertContains($again['status'], ['accepted', 'rejected']);
        self::assertContains($this->coins(1, 2), [[90, 5], [80, 10]]);
        self::assertSame(1, DB::table('msab_receipts')->count());
    }

    public function test_a_recorded_webhook_charges_nothing_and_a_forged_one_is_not_let_in(): void
    {
        $this->begin();
        $recorded = SignedPost::of(SignedPost::gift('c', ['giftId' => 1, 'recipientIds' => [2]], 1));
        [$first, $second] = [...SignedPost::sendAll($this->laravel->url('/msab/webhook'), $recorded), ...SignedPost::sendAll($this->laravel->url('/msab/webhook'), $recorded)];
        self::assertSame([200, 200], [$first['status'], $second['status']]);
        self::assertSame($first['body'], $second['body']);
        $forged = SignedPost::body(json_encode(['v' => 1, 'commands' => [SignedPost::gift('c', ['giftId' => 1, 'recipientIds' => [2]], 1)]], JSON_THROW_ON_ERROR), secret: 'whsec_'.base64_encode(random_bytes(32)));
        self::assertSame(401, SignedPost::sendAll($this->laravel->url('/msab/webhook'), $forged)[0]['status']);
        self::assertSame([90, 5], $this->coins(1, 2));
    }

    public function test_a_secret_rotates_without_a_lost_gift_and_a_wrong_one_is_told_to_the_operator(): void
    {
        $this->begin();
        $this->acceptedGift('with the old one');
        $this->laravel->stop();
        $this->laravel->start(['MSAB_WEBHOOK_SECRETS' => self::NEW_SECRET]);
        $this->acceptedGift('with the new one');
        self::assertTrue($this->relaySaysLaravelIsWell());

        $this->laravel->stop();
        $this->laravel->start(['MSAB_WEBHOOK_SECRETS' => 'whsec_'.base64_encode(random_bytes(32))]);
        self::assertSame('UPSTREAM_UNAVAILABLE', $this->gift()['error']['code']);
        self::assertFalse($this->relaySaysLaravelIsWell());
        self::assertSame([80, 10], $this->coins(1, 2));
    }

    public function test_the_applications_channels_say_who_may_join_a_private_room(): void
    {
        $this->begin();
        $joined = $this->sender->request('room:join', ['roomId' => 'private-orders.7']);
        self::assertTrue($joined['ok'], (string) json_encode($joined));
        self::assertSame([['id' => 1, 'name' => 'User 1']], array_map(
            fn (array $user): array => array_intersect_key($user, ['id' => 0, 'name' => 0]),
            $joined['data']['participants'],
        ));
        $refused = $this->sender->request('room:join', ['roomId' => 'private-orders.8']);
        self::assertSame('ROOM_FORBIDDEN', $refused['error']['code']);
        self::assertSame('ROOM_FORBIDDEN', $this->sender->request('room:join', ['roomId' => 'private-nowhere'])['error']['code']);
        // A user that the application doesn't know.
        self::assertSame('ROOM_FORBIDDEN', $this->relay->connect(999)->request('room:join', ['roomId' => 'private-orders.7'])['error']['code']);
    }

    private function begin(string $database = 'sqlite'): void
    {
        $this->useDatabase($database);
        foreach ([1 => 100, 2 => 0, 3 => 0] as $id => $coins) {
            User::query()->forceCreate(['id' => $id, 'name' => "User {$id}", 'coins' => $coins]);
        }
        Gift::query()->forceCreate(['id' => 1, 'name' => 'Rose', 'price' => self::PRICE]);
        $this->laravel->start();
        self::assertSame(200, SignedPost::sendAll($this->laravel->url('/msab/webhook'), SignedPost::of())[0]['status']);
        [$this->sender, $this->other] = [$this->connect(1), $this->connect(2)];
    }

    private function connect(int $user): WsClient
    {
        $client = $this->relay->connect($user);
        $client->join('7');
        $client->drain();

        return $client;
    }

    /**
     * @param  array<string, mixed>  $data
     * @return array<string, mixed>
     */
    private function gift(array $data = []): array
    {
        return $this->sender->request('gift:send', $data + ['roomId' => '7', 'giftId' => 1, 'recipientId' => 2]);
    }

    /**
     * As a client does that was told that the outcome is unknown: repeats until it is known. A slow machine may need it
     * anywhere.
     *
     * @param  array<string, mixed>  $data
     * @return array<string, mixed>
     */
    private function acceptedGift(string $transaction, array $data = []): array
    {
        $reply = Until::true(function () use ($transaction, $data): ?array {
            $reply = $this->gift(['transactionId' => $transaction] + $data);

            return ($reply['error']['code'] ?? '') === 'UPSTREAM_UNAVAILABLE' ? null : $reply;
        }, 'Laravel to answer');
        self::assertTrue($reply['ok'], "{$transaction}: ".json_encode($reply));

        return $reply;
    }

    /** @return list<int> */
    private function coins(int ...$users): array
    {
        return array_map(fn (int $user): int => (int) DB::table('users')->where('id', $user)->value('coins'), array_values($users));
    }

    private function relaySaysLaravelIsWell(): bool
    {
        $ready = json_decode((string) file_get_contents("http://127.0.0.1:{$this->relay->httpPort}/readyz"), true);
        self::assertTrue($ready['ready'], 'one named thing is degraded, and the relay is ready');

        return array_column($ready['checks'], 'ok', 'name')['laravel'];
    }
}
