<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\EndToEnd;

use Msab\Laravel\Contract\Checker;
use Msab\Laravel\Contract\Target;
use Msab\Laravel\Contract\Wire;
use Msab\Laravel\EmissionFactory;
use Msab\Laravel\EmitOptions;
use Msab\Laravel\Events\AgencyDissolved;
use Msab\Laravel\Events\BadgeEarned;
use Msab\Laravel\Events\BadgeEarned\Badge;
use Msab\Laravel\Events\BalanceUpdated;
use Msab\Laravel\Events\Catalog;
use Msab\Laravel\Exceptions\RelayException;
use Msab\Laravel\Facades\Msab;
use Msab\Laravel\Tests\RelayTestCase;
use Msab\Laravel\Tests\Support\Samples;
use Msab\Laravel\Tests\Support\TestRelay;
use Msab\Laravel\Tests\Support\WsClient;
use Msab\Laravel\Transport\EmitFailure;
use Msab\Laravel\Transport\EmitResult;
use Msab\Laravel\Transport\StatusCode;
use Msab\Laravel\Transport\Transport;
use Msab\Laravel\Transport\Transports;
use Msab\V1\EmitEventRequest;
use PHPUnit\Framework\Attributes\Group;
use PHPUnit\Framework\Attributes\TestWith;

/** Both ways to a real relay: same rules, same answers, same errors. */
#[Group('long')]
final class TransportTest extends RelayTestCase
{
    private function transport(string $name, array $changes = []): Transport
    {
        config(['msab.connections.default' => $changes + ['transport' => $name] + config('msab.connections.default')]);

        return app(Transports::class)->make('default');
    }

    private static function bytes(string $id, int $user = 42, string $coins = '1', ?int $ttlMs = null): string
    {
        $emission = EmissionFactory::make('default', new BalanceUpdated(coins: $coins), Target::user($user), new EmitOptions($id, ttlMs: $ttlMs));

        return $emission->envelopes[0]->bytes;
    }

    private static function failure(\Closure $call): EmitFailure
    {
        try {
            $call();
        } catch (RelayException $exception) {
            return $exception->failure;
        }
        throw new \RuntimeException('was accepted');
    }

    #[TestWith(['grpc'])]
    #[TestWith(['http'])]
    public function test_every_event_arrives_as_the_contract_has_it(string $name): void
    {
        $client = $this->relay->connect(42, ['7']);
        $samples = Samples::all();
        $this->assertSame(array_keys(Catalog::EVENTS), array_keys($samples));
        config(['msab.connections.default.transport' => $name]);

        foreach ($samples as $event => [$payload, $target]) {
            $check = new Checker;
            $payload = $payload::targetKey() === null ? $payload : $payload->withTargetId($target->roomId ?? $target->userIds[0]);
            $payload->check($check);
            $this->assertSame([], $check->violations(), $event);
            $bytes = EmissionFactory::make('default', $payload, $target, new EmitOptions)->envelopes[0]->bytes;
            $result = app(Transports::class)->get('default')->emit($bytes);

            $this->assertGreaterThan(0, $result->usersOnline, $event);
            $this->assertEquals($payload->toArray(), $client->next($event)['data'], $event);
            $this->assertSame($payload->toArray(), $payload::fromArray($payload->toArray(), $check)->toArray(), $event);
            $this->assertSame([], $check->violations(), $event);
        }
    }

    #[TestWith(['grpc'])]
    #[TestWith(['http'])]
    public function test_answers(string $name): void
    {
        $transport = $this->transport($name);
        $this->assertSame($name, $transport->name());
        $client = $this->relay->connect(42);

        $first = $transport->emit(self::bytes('a-1'));
        $this->assertSame('a-1', $first->eventId);
        $this->assertSame([1, 1, 1], [$first->usersTargeted, $first->usersOnline, $first->connections]);
        $this->assertSame($first->cursor, $transport->cursor());
        $this->assertFalse($first->duplicate || $first->superseded || $first->expired);
        $this->assertSame($first->cursor, $client->next('balance.updated')['cursor']);
        $this->assertSame(0, $transport->emit(self::bytes('a-2', 43))->usersOnline);

        $old = EmissionFactory::make('default', new BalanceUpdated(coins: '0'), Target::user(42), new EmitOptions(
            occurredAt: now()->subMinute()->toImmutable(),
        ));
        $this->assertTrue($transport->emit($old->envelopes[0]->bytes)->superseded);
        $late = EmissionFactory::make('default', new AgencyDissolved(1, 'A'), Target::user(42), new EmitOptions(
            occurredAt: now()->subMinute()->toImmutable(), ttlMs: 1000,
        ));
        $this->assertTrue($transport->emit($late->envelopes[0]->bytes)->expired);
        $this->assertSame([], $client->drain());
    }

    #[TestWith(['grpc'])]
    #[TestWith(['http'])]
    public function test_a_repeat_is_a_duplicate_and_another_event_of_that_id_is_refused(string $name): void
    {
        $transport = $this->transport($name);
        $bytes = self::bytes('a-1');
        $first = $transport->emit($bytes);
        $repeat = $transport->emit($bytes);

        $this->assertTrue($repeat->duplicate);
        $this->assertSame($first->cursor, $repeat->cursor);
        $this->assertSame(StatusCode::AlreadyExists, self::failure(fn () => $transport->emit(self::bytes('a-1', coins: '2')))->code);
    }

    #[TestWith(['grpc'])]
    #[TestWith(['http'])]
    public function test_refusals(string $name): void
    {
        $wrongKey = self::failure(fn () => $this->transport($name, ['key' => 'no-such-key'])->emit(self::bytes('k')));
        $this->assertSame(StatusCode::Unauthenticated, $wrongKey->code);
        $this->assertFalse($wrongKey->isTransient());

        $transport = $this->transport($name, ['key' => TestRelay::KEY]);
        $large = (new EmitEventRequest)->setEventId(str_repeat('x', 5 << 20))->serializeToString();
        $tooLarge = self::failure(fn () => $transport->emit($large, 5.0));
        $this->assertSame(StatusCode::ResourceExhausted, $tooLarge->code);
        $this->assertFalse($tooLarge->isTransient());
    }

    /** What this package refuses, the relay refuses at the same fields. */
    #[TestWith(['grpc'])]
    #[TestWith(['http'])]
    public function test_the_packages_rules_are_the_relays(string $name): void
    {
        $long = str_repeat('é', 1001);
        $wrong = [
            [new BadgeEarned(new Badge(0, null, '', 'gold'), userId: 42), Target::user(42)],
            [new BalanceUpdated(42, '1e3', '', '.5', '1.123456789'), Target::user(42)],
            [Samples::all()['reward.earned'][0]::fromArray(['user_id' => 42, 'reward' => ['id' => Checker::MAX_ID + 1, 'type' => '', 'amount' => str_repeat('9', 65), 'description' => $long]], new Checker), Target::user(42)],
            [new \Msab\Laravel\Events\AssetInvalidate(['', str_repeat('a', 257)]), Target::everyone()],
            [new \Msab\Laravel\Events\AssetInvalidate([]), Target::everyone()],
            [new \Msab\Laravel\Events\ConfigInvalidate('some', ''), Target::everyone()],
            [new \Msab\Laravel\Events\GiftReceived(0, -1, [1, 0], 0, '', 'no room!'), Target::room(7)],
            [new \Msab\Laravel\Events\ChatMessage('', 1, 'n', '', 'shout', -1, roomId: '7', clientId: str_repeat('é', 65)), Target::room(7)],
            [new \Msab\Laravel\Events\IncomeTargetCompleted(new \Msab\Laravel\Events\IncomeTargetCompleted\IncomeTarget(1, -1, 'x'), 42), Target::user(42)],
        ];
        $transport = $this->transport($name);
        foreach ($wrong as [$event, $target]) {
            $check = new Checker;
            $event->check($check);
            $request = Wire::bytes(2, $target->toBytes()).Wire::bytes($event->requestField(), $event->toBytes());
            $failure = self::failure(fn () => $transport->emit($request));

            $this->assertSame(StatusCode::InvalidArgument, $failure->code);
            $ours = array_column($check->violations(), 'field');
            $theirs = array_values(array_diff(array_column($failure->violations, 'field'), ['target']));
            sort($ours);
            sort($theirs);
            $this->assertSame($theirs, $ours, $event->eventName());
            $this->assertNotSame([], $ours);
        }
    }

    #[TestWith(['grpc'])]
    #[TestWith(['http'])]
    public function test_a_batch_is_answered_in_order_and_a_bad_one_stops_nothing(string $name): void
    {
        $transport = $this->transport($name);
        $bad = (new EmitEventRequest)->setEventId('bad')->serializeToString();
        $first = self::bytes('b-1');
        $results = $transport->emitBatch([$first, $bad, self::bytes('b-2'), $first]);

        $this->assertCount(4, $results);
        $this->assertInstanceOf(EmitResult::class, $results[0]);
        $this->assertSame('b-1', $results[0]->eventId);
        $this->assertInstanceOf(EmitFailure::class, $results[1]);
        $this->assertSame(StatusCode::InvalidArgument, $results[1]->code);
        $this->assertSame('event', $results[1]->violations[0]->field);
        $this->assertSame('b-2', $results[2]->eventId);
        $this->assertTrue($results[3]->duplicate);
    }

    #[TestWith(['grpc'])]
    #[TestWith(['http'])]
    public function test_batches_over_the_relays_limits_are_split(string $name): void
    {
        $transport = $this->transport($name);
        $many = array_map(fn (int $i) => self::bytes("m-$i"), range(1, 1500));
        $results = $transport->emitBatch($many, 5.0);
        $this->assertSame('m-1500', $results[1499]->eventId);
        $this->assertSame([], array_filter($results, fn ($result) => ! $result instanceof EmitResult));

        $large = [];
        foreach (range(1, 40) as $i) {
            $emission = EmissionFactory::make('default', new AgencyDissolved($i, 'A'), Target::users(range(10 ** 12, 10 ** 12 + 9_999)), new EmitOptions("l-$i"));
            $large[] = $emission->envelopes[0]->bytes;
        }
        $results = $transport->emitBatch($large, 10.0);
        $this->assertSame([], array_filter($results, fn ($result) => ! $result instanceof EmitResult));
        $this->assertSame(10_000, $results[39]->usersTargeted);
    }

    #[TestWith(['grpc'])]
    #[TestWith(['http'])]
    public function test_a_restarted_relay_is_found_again_within_a_second(string $name): void
    {
        $transport = $this->transport($name);
        $transport->emit(self::bytes('r-1'));
        $this->relay->stop();
        $away = self::failure(fn () => $transport->emit(self::bytes('r-2')));
        $this->assertSame(StatusCode::Unavailable, $away->code);
        $this->assertTrue($away->isTransient());

        $this->relay->start();
        $end = microtime(true) + 5;
        do {
            usleep(20_000);
            try {
                $back = $transport->emit(self::bytes('r-3'));
            } catch (RelayException) {
                $back = null;
            }
        } while ($back === null && microtime(true) < $end);
        $this->assertNotNull($back);
    }

    #[TestWith(['grpc'])]
    #[TestWith(['http'])]
    public function test_a_connection_that_was_closed_while_nobody_used_it_costs_no_emit(string $name): void
    {
        $transport = $this->transport($name);
        $transport->emit(self::bytes('i-1'));
        $this->relay->stop();
        $this->relay->start();

        $this->assertSame('i-2', $transport->emit(self::bytes('i-2'), 2.0)->eventId);
    }

    #[TestWith(['grpc'])]
    #[TestWith(['http'])]
    public function test_a_silent_relay_costs_its_deadline_three_times_and_then_nothing(string $name): void
    {
        $transport = $this->transport($name);
        $transport->emit(self::bytes('s-1'));
        $this->relay->signal(SIGSTOP);
        for ($i = 0; $i < 3; $i++) {
            $this->assertSame(StatusCode::DeadlineExceeded, self::failure(fn () => $transport->emit(self::bytes('s-2'), 0.1))->code);
        }
        $failure = self::failure(fn () => $transport->emit(self::bytes('s-3'), 60.0));
        $this->assertSame(StatusCode::Unavailable, $failure->code);
        $this->assertStringStartsWith('not tried', $failure->message);
        $this->relay->signal(SIGCONT);
    }

    public function test_the_cursor_of_a_page_makes_its_first_connection_miss_nothing(): void
    {
        $cursor = Msab::cursor();
        Msab::toUser(42)->emitNow(new BalanceUpdated(coins: '7'));

        $client = new WsClient($this->relay->wsPort, \Msab\Laravel\Tests\Support\Tokens::user(42), [], $cursor, live: false);

        $this->assertTrue($client->welcome['recovered']);
        $this->assertSame('7', $client->next('balance.updated')['data']['coins']);
    }

    public function test_to_others_leaves_out_the_connection_that_asked(): void
    {
        $asking = $this->relay->connect(42);
        $other = $this->relay->connect(42);
        $this->withHeader('X-Socket-ID', $asking->connectionId())
            ->postJson('/users/42/balance', ['coins' => '3'])->assertOk()->assertJson(['online' => 1, 'transport' => 'grpc']);

        $this->assertSame('3', $other->next('balance.updated')['data']['coins']);
        $this->assertSame([], $asking->drain());
    }
}
