<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Feature\Webhook;

use Illuminate\Contracts\Debug\ExceptionHandler;
use Illuminate\Support\Carbon;
use Illuminate\Support\Facades\DB;
use Illuminate\Support\Facades\Exceptions;
use Illuminate\Testing\TestResponse;
use Msab\Laravel\Tests\Support\SignedPost;
use Msab\Laravel\Tests\Support\UsesDatabases;
use Msab\Laravel\Tests\TestCase;
use Msab\Laravel\Webhook\Accepted;
use Msab\Laravel\Webhook\CommandRunner;
use Msab\Laravel\Webhook\GiftCommand;
use Msab\Laravel\Webhook\GiftHandler;
use Msab\Laravel\Webhook\Receipts;
use Msab\Laravel\Webhook\Rejected;
use Msab\Laravel\Webhook\TryLater;
use PHPUnit\Framework\Attributes\DataProvider;
use RuntimeException;
use Symfony\Component\HttpFoundation\Response;

final class WebhookTest extends TestCase
{
    use UsesDatabases;

    protected function setUp(): void
    {
        parent::setUp();
        $this->useDatabase('sqlite');
        config(['msab.webhook.secrets' => SignedPost::SECRET]);
    }

    public function test_every_command_gets_its_result_and_none_takes_another_with_it(): void
    {
        Exceptions::fake();
        $this->handle(fn (GiftCommand $gift): Accepted|Rejected => match ($gift->giftId) {
            1 => Accepted::all(),
            2 => new Rejected('INSUFFICIENT_BALANCE', 'Not enough coins.'),
            3 => throw new TryLater(700),
            4 => throw new RuntimeException('broken'),
            default => Accepted::recipients([$gift->recipientIds[1]]),
        });
        $response = $this->deliver(SignedPost::of(
            SignedPost::gift('a', ['giftId' => 1]),
            SignedPost::gift('b', ['giftId' => 2]),
            SignedPost::gift('c', ['giftId' => 3]),
            SignedPost::gift('d', ['giftId' => 4]),
            SignedPost::gift('e', ['giftId' => 5, 'recipientIds' => [43, 44]]),
            SignedPost::gift('f', ['quantity' => 0]),
            SignedPost::command('g', 'room:paint', ['colour' => 'red']),
        ));
        $response->assertOk()->assertExactJson(['results' => [
            ['id' => 'a', 'status' => 'accepted', 'data' => ['acceptedRecipientIds' => [43]]],
            ['id' => 'b', 'status' => 'rejected', 'code' => 'INSUFFICIENT_BALANCE', 'reason' => 'Not enough coins.'],
            ['id' => 'c', 'status' => 'retry', 'retryAfterMs' => 700],
            ['id' => 'd', 'status' => 'retry', 'retryAfterMs' => 500],
            ['id' => 'e', 'status' => 'accepted', 'data' => ['acceptedRecipientIds' => [44]]],
            ['id' => 'f', 'status' => 'rejected', 'code' => 'INVALID_COMMAND', 'reason' => 'data.quantity: must be an integer from 1 to 9999'],
            ['id' => 'g', 'status' => 'rejected', 'code' => 'INVALID_COMMAND', 'reason' => 'type: "room:paint" is none that this version of msab/laravel knows'],
        ]]);
        Exceptions::assertReported(fn (RuntimeException $error): bool => $error->getMessage() === 'broken');
        Exceptions::assertNotReported(TryLater::class);
    }

    public function test_gifts_are_rejected_where_nobody_handles_them(): void
    {
        $this->app->offsetUnset(GiftHandler::class);
        $this->deliver(SignedPost::of(SignedPost::gift('a')))->assertOk()->assertJsonPath('results.0.code', 'GIFTS_NOT_HANDLED');
    }

    public function test_it_needs_no_session_no_cookie_and_no_form_token(): void
    {
        $this->deliver(SignedPost::of())->assertOk()->assertExactJson(['results' => []])->assertHeaderMissing('set-cookie');
    }

    #[DataProvider('forgeries')]
    public function test_who_is_not_the_relay_is_401_and_nothing_runs(?string $secrets, int $off, string $signer): void
    {
        config(['msab.webhook.secrets' => $secrets]);
        $this->handle(fn (): never => self::fail('it ran'));
        $body = json_encode(['v' => 1, 'commands' => [SignedPost::gift('a')]], JSON_THROW_ON_ERROR);
        $this->deliver(SignedPost::body($body, time() + $off, $signer))->assertUnauthorized();
    }

    /** @return array<string, array{?string, int, string}> the application's secrets, how far the clock is off, the signer's */
    public static function forgeries(): array
    {
        return [
            'signed with another secret' => [SignedPost::SECRET, 0, 'whsec_'.base64_encode(str_repeat('x', 32))],
            'recorded long ago' => [SignedPost::SECRET, -302, SignedPost::SECRET],
            'from the future' => [SignedPost::SECRET, 320, SignedPost::SECRET],
            'no secret here' => [null, 0, SignedPost::SECRET],
            'a broken secret here' => ['whsec_short', 0, SignedPost::SECRET],
        ];
    }

    public function test_a_rotation_takes_both_secrets_meanwhile(): void
    {
        $new = 'whsec_'.base64_encode(str_repeat('n', 32));
        config(['msab.webhook.secrets' => $new.','.SignedPost::SECRET]);
        $this->deliver(SignedPost::body('{"v":1,"commands":[]}'))->assertOk();
        $this->deliver(SignedPost::body('{"v":1,"commands":[]}', secret: $new))->assertOk();
        config(['msab.webhook.secrets' => $new]);
        $this->deliver(SignedPost::body('{"v":1,"commands":[]}'))->assertUnauthorized();
        $this->deliver(SignedPost::body('{"v":1,"commands":[]}', secret: $new.','.SignedPost::SECRET))->assertOk();
    }

    #[DataProvider('malformed')]
    public function test_what_the_relay_never_sends_is_refused(string $body, int $status): void
    {
        $this->deliver(SignedPost::body($body))->assertStatus($status);
    }

    /** @return array<string, array{string, int}> */
    public static function malformed(): array
    {
        return [
            'no JSON' => ['{', 400],
            'another version' => ['{"v":2,"commands":[]}', 400],
            'no commands' => ['{"v":1}', 400],
            'commands that are none' => ['{"v":1,"commands":[1]}', 400],
            'no id' => ['{"v":1,"commands":[{"type":"gift:send"}]}', 400],
            'too many' => [json_encode(['v' => 1, 'commands' => array_fill(0, 33, ['id' => 'a'])], JSON_THROW_ON_ERROR), 400],
            'too large' => [str_pad('{"v":1,"commands":[]}', 256 * 1024 + 1), 413],
            'as large as can be' => [str_pad('{"v":1,"commands":[]}', 256 * 1024), 200],
        ];
    }

    public function test_what_is_not_begun_in_time_is_left_to_the_next_attempt(): void
    {
        $now = 1_000_000;
        $this->handle(function () use (&$now): Accepted {
            $now += 30_000_000;

            return Accepted::all();
        });
        $runner = new CommandRunner(
            fn (): GiftHandler => $this->app->make(GiftHandler::class),
            fn (): never => self::fail('nobody joins'),
            fn (): Receipts => $this->app->make(Receipts::class),
            $this->app->make(ExceptionHandler::class),
            50,
            function () use (&$now): int {
                return $now;
            },
        );
        $commands = array_map(fn (string $id): \stdClass => (object) json_decode((string) json_encode(SignedPost::gift($id))), ['a', 'b', 'c']);
        $results = $runner->run($commands);
        self::assertSame(['accepted', 'accepted', 'retry'], array_column($results, 'status'));
        self::assertSame(['id' => 'c', 'status' => 'retry', 'retryAfterMs' => 50], $results[2]);
    }

    #[DataProvider('databases')]
    public function test_a_transaction_is_charged_once_whoever_repeats_it(string $database): void
    {
        $this->useDatabase($database);
        $charges = 0;
        $this->handle(function () use (&$charges): Accepted {
            $charges++;

            return Accepted::recipients([43]);
        });
        $first = SignedPost::of(SignedPost::gift('a', ['transactionId' => 't', 'recipientIds' => [43, 44]]));
        $accepted = ['status' => 'accepted', 'data' => ['acceptedRecipientIds' => [43]]];
        // The relay's own repeat; the client's, in another batch; somebody who recorded the first.
        foreach ([$first, SignedPost::of(SignedPost::gift('z', ['transactionId' => 't', 'recipientIds' => [43, 44]])), $first] as $post) {
            $result = $this->deliver($post)->json('results.0');
            unset($result['id']);
            self::assertEquals($accepted, $result);
        }
        self::assertSame(1, $charges);
        // Twice in one batch, and of another user: another key.
        $this->deliver(SignedPost::of(
            SignedPost::gift('b', ['transactionId' => 'u', 'recipientIds' => [43, 44]]),
            SignedPost::gift('c', ['transactionId' => 'u', 'recipientIds' => [43, 44]]),
            SignedPost::gift('d', ['transactionId' => 't', 'recipientIds' => [43, 44]], user: 9),
        ))->assertJsonPath('results.1.status', 'accepted');
        self::assertSame(3, $charges);
    }

    #[DataProvider('databases')]
    public function test_a_transaction_id_for_another_gift_is_a_mismatch(string $database): void
    {
        $this->useDatabase($database);
        $this->handle(fn (): Accepted => Accepted::all());
        $this->deliver(SignedPost::of(SignedPost::gift('a', ['transactionId' => 't'])))->assertJsonPath('results.0.status', 'accepted');
        foreach ([['giftId' => 8], ['quantity' => 2], ['recipientIds' => [44]], ['roomId' => '8'], ['batchId' => 'x']] as $other) {
            $this->deliver(SignedPost::of(SignedPost::gift('b', ['transactionId' => 't'] + $other)))
                ->assertJsonPath('results.0.status', 'rejected')->assertJsonPath('results.0.code', 'TRANSACTION_MISMATCH');
        }
        // Ids that a collation might take for one.
        foreach (['T', 't ', "t\u{0}", 'ţ'] as $id) {
            $this->deliver(SignedPost::of(SignedPost::gift('b', ['transactionId' => $id, 'giftId' => 8])))->assertJsonPath('results.0.status', 'accepted');
        }
    }

    #[DataProvider('databases')]
    public function test_a_rejection_is_rolled_back_and_not_kept(string $database): void
    {
        $this->useDatabase($database);
        DB::statement('create table ledger (user_id integer)');
        $poor = true;
        $this->handle(function (GiftCommand $gift) use (&$poor): Accepted|Rejected {
            DB::table('ledger')->insert(['user_id' => $gift->userId]);

            return $poor ? new Rejected('INSUFFICIENT_BALANCE') : Accepted::all();
        });
        $this->deliver(SignedPost::of(SignedPost::gift('a')))->assertJsonPath('results.0.status', 'rejected');
        self::assertSame([0, 0], [DB::table('ledger')->count(), DB::table('msab_receipts')->count()]);
        $poor = false;
        $this->deliver(SignedPost::of(SignedPost::gift('a')))->assertJsonPath('results.0.status', 'accepted');
        self::assertSame([1, 1], [DB::table('ledger')->count(), DB::table('msab_receipts')->count()]);
    }

    #[DataProvider('databases')]
    public function test_an_accident_is_rolled_back_and_tried_again(string $database): void
    {
        $this->useDatabase($database);
        Exceptions::fake();
        DB::statement('create table ledger (user_id integer)');
        $answers = [fn () => throw new RuntimeException('power cut'), fn () => Accepted::recipients([99]), fn () => Accepted::all()];
        $this->handle(function (GiftCommand $gift) use (&$answers): Accepted {
            DB::table('ledger')->insert(['user_id' => $gift->userId]);

            return array_shift($answers)();
        });
        foreach (['retry', 'retry', 'accepted'] as $status) {
            $this->deliver(SignedPost::of(SignedPost::gift('a')))->assertJsonPath('results.0.status', $status);
        }
        self::assertSame(1, DB::table('ledger')->count());
    }

    #[DataProvider('databases')]
    public function test_receipts_are_kept_for_a_day_at_least(string $database): void
    {
        $this->useDatabase($database);
        $this->handle(fn (): Accepted => Accepted::all());
        $this->deliver(SignedPost::of(SignedPost::gift('a'), SignedPost::gift('b')));
        DB::table('msab_receipts')->where('transaction_id', 't-a')->decrement('created_ms', 49 * 3_600_000);
        $this->artisan('msab:prune-receipts --hours=23')->assertFailed();
        $this->artisan('msab:prune-receipts')->assertSuccessful();
        self::assertSame(['t-b'], DB::table('msab_receipts')->pluck('transaction_id')->all());
    }

    /** @param  \Closure(GiftCommand): (Accepted|Rejected)  $handle */
    private function handle(\Closure $handle): void
    {
        $this->app->instance(GiftHandler::class, new class($handle) implements GiftHandler
        {
            public function __construct(private \Closure $handle) {}

            public function handleGift(GiftCommand $gift): Accepted|Rejected
            {
                return ($this->handle)($gift);
            }
        });
    }

    /** @return TestResponse<Response> */
    private function deliver(SignedPost $post): TestResponse
    {
        Carbon::setTestNow();

        return $this->call('POST', '/msab/webhook', server: $post->server(), content: $post->body);
    }
}
