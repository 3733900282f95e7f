<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Feature;

use App\Models\User;
use Carbon\CarbonImmutable;
use Carbon\CarbonInterval;
use Illuminate\Support\Facades\Bus;
use Illuminate\Support\Facades\DB;
use Illuminate\Support\Facades\Event;
use Illuminate\Support\Facades\Exceptions;
use Illuminate\Support\Facades\Queue;
use Msab\Laravel\Contract\Target;
use Msab\Laravel\Delivery\EmitFailed;
use Msab\Laravel\Delivery\EmitJob;
use Msab\Laravel\Delivery\Envelope;
use Msab\Laravel\Delivery\EventEmitted;
use Msab\Laravel\Delivery\Outcomes;
use Msab\Laravel\Events\AgencyDissolved;
use Msab\Laravel\Events\AssetInvalidate;
use Msab\Laravel\Events\BadgeEarned;
use Msab\Laravel\Events\BadgeEarned\Badge;
use Msab\Laravel\Events\BalanceUpdated;
use Msab\Laravel\Events\ConfigInvalidate;
use Msab\Laravel\Events\RoomLevelUp;
use Msab\Laravel\Exceptions\InvalidEvent;
use Msab\Laravel\Facades\Msab;
use Msab\Laravel\Support\Counters;
use Msab\Laravel\Tests\TestCase;
use Msab\Laravel\Transport\Transports;
use Msab\V1\EmitEventRequest;

final class EmitTest extends TestCase
{
    protected function setUp(): void
    {
        parent::setUp();
        Queue::fake();
    }

    /** @return list<Envelope> */
    private function pushed(): array
    {
        return Queue::pushed(EmitJob::class)->map(fn (EmitJob $job) => $job->envelope)->values()->all();
    }

    private static function decode(Envelope $envelope): EmitEventRequest
    {
        $request = new EmitEventRequest;
        $request->mergeFromString($envelope->bytes);

        return $request;
    }

    public function test_the_target_fills_what_names_it_in_the_payload(): void
    {
        $id = Msab::toUser(42)->emit(new BalanceUpdated(coins: '1500'));

        [$envelope] = $this->pushed();
        $request = self::decode($envelope);
        $this->assertSame($id, $envelope->eventId);
        $this->assertSame($id, $request->getEventId());
        $this->assertSame('balance.updated', $envelope->eventName);
        $this->assertSame('user:42', $envelope->audience);
        $this->assertSame(42, (int) $request->getBalanceUpdated()->getUserId());
        $this->assertSame('1500', $request->getBalanceUpdated()->getCoins());
    }

    public function test_the_payload_alone_can_name_its_target(): void
    {
        Msab::emit(new BalanceUpdated(userId: 42, coins: '1'));
        Msab::emit(new RoomLevelUp(newLevel: 2, newRoomXp: '10', roomId: 7));
        Msab::emit(new ConfigInvalidate(ConfigInvalidate\Type::Levels));

        $this->assertSame(['user:42', 'room:7', 'everyone'], array_column($this->pushed(), 'audience'));
    }

    public function test_a_target_is_a_model_or_its_key(): void
    {
        $user = new User(['name' => 'A']);
        $user->id = 42;

        Msab::toUser($user)->emit(new BalanceUpdated);
        Msab::toUser('42')->emit(new BalanceUpdated);
        Msab::toUsers(collect([$user, 43, '44', 43]))->emit(new AgencyDissolved(1, 'A'));

        [$first, $second, $third] = $this->pushed();
        $this->assertSame('user:42', $first->audience);
        $this->assertSame('user:42', $second->audience);
        $this->assertSame([42, 43, 44], array_map(intval(...), iterator_to_array(self::decode($third)->getTarget()->getUserIds()->getIds())));
    }

    public function test_uuid_keys_are_refused_with_a_sentence_that_says_so(): void
    {
        $this->expectException(InvalidEvent::class);
        $this->expectExceptionMessage('UUIDs and ULIDs can\'t be addressed');

        Msab::toUser('9d3c6e0a-6f0e-4b5a-9a53-1f2f3d4c5b6a')->emit(new BalanceUpdated);
    }

    public function test_missing_and_contradicting_audiences_are_invalid(): void
    {
        $emits = [
            'user_id: is required' => fn () => Msab::emit(new BalanceUpdated(coins: '1')),
            'user_id is 43, the target 42' => fn () => Msab::toUser(42)->emit(new BalanceUpdated(userId: 43)),
            'names one user, in user_id' => fn () => Msab::toUsers([1, 2])->emit(new BalanceUpdated),
            'is not allowed: balance.updated is for a user' => fn () => Msab::toRoom(1)->emit(new BalanceUpdated),
            'agency.dissolved doesn\'t say whom it is for' => fn () => Msab::emit(new AgencyDissolved(1, 'A')),
            'is not allowed: config:invalidate is for everyone' => fn () => Msab::toUser(1)->emit(new ConfigInvalidate('all')),
            'lobby can\'t be it' => fn () => Msab::toRoom('lobby')->emit(new RoomLevelUp(1, '1')),
            'say whom it is for' => fn () => Msab::emit(Msab::custom('order.paid', ['id' => 1])),
        ];
        foreach ($emits as $message => $emit) {
            try {
                $emit();
                $this->fail("not refused: $message");
            } catch (InvalidEvent $exception) {
                $this->assertStringContainsString($message, $exception->getMessage());
            }
        }
        $this->assertSame([], $this->pushed());
    }

    public function test_every_fault_is_named_at_once_by_its_path(): void
    {
        try {
            Msab::toUser(42)->emit(new BadgeEarned(new Badge(id: 0, name: null, imageUrl: '', category: 'gold')));
            $this->fail('not refused');
        } catch (InvalidEvent $exception) {
            $this->assertSame(
                ['badge.id', 'badge.name', 'badge.image_url', 'badge.category'],
                array_column($exception->violations, 'field'),
            );
            $this->assertStringContainsString('must be one of wealth, charm, room, special', $exception->getMessage());
        }
    }

    public function test_in_production_an_invalid_event_is_reported_counted_and_dropped(): void
    {
        $this->app['env'] = 'production';
        Exceptions::fake();
        Event::fake([EmitFailed::class]);

        $committed = DB::transaction(function () {
            $this->assertNull(Msab::toUser(42)->emit(new BadgeEarned(new Badge(1, null, 'x', 'wealth'))));
            $this->assertNull(Msab::toUser('nobody')->emit(new BalanceUpdated));
            $this->assertNull(Msab::toUser(42)->emit(fn () => throw new \RuntimeException('no such badge')));

            return true;
        });

        $this->assertTrue($committed);
        $this->assertSame([], $this->pushed());
        Exceptions::assertReportedCount(3);
        Exceptions::assertReported(fn (InvalidEvent $e) => $e->eventName === 'badge.earned');
        $this->assertSame(3, app(Counters::class)->get(Outcomes::INVALID));
        Event::assertDispatched(EmitFailed::class, fn (EmitFailed $event) => $event->eventName === 'badge.earned' && $event->envelope === null);
    }

    public function test_emit_now_throws_in_production_too(): void
    {
        $this->app['env'] = 'production';
        $this->expectException(InvalidEvent::class);

        Msab::toUser(42)->emitNow(new BadgeEarned(null));
    }

    public function test_strictness_can_be_configured(): void
    {
        config(['msab.strict' => false]);
        Exceptions::fake();
        $this->assertNull(Msab::toUser(42)->emit(new BadgeEarned(null)));

        $this->app['env'] = 'production';
        config(['msab.strict' => true]);
        $this->expectException(InvalidEvent::class);
        Msab::toUser(42)->emit(new BadgeEarned(null));
    }

    public function test_a_delivery_that_is_none_fails_no_request_in_production(): void
    {
        $this->app['env'] = 'production';
        Exceptions::fake();
        Event::fake([EmitFailed::class]);
        config(['msab.delivery' => 'qeue']);

        $this->assertNotNull(Msab::toUser(42)->emit(new BalanceUpdated));
        Exceptions::assertReported(\InvalidArgumentException::class);
        Event::assertDispatched(EmitFailed::class, fn (EmitFailed $event) => $event->envelope?->audience === 'user:42');

        $this->app['env'] = 'local';
        $this->expectExceptionMessage('qeue');
        Msab::toUser(42)->emit(new BalanceUpdated);
    }

    /** As in an application's test whose set-up emits already. */
    public function test_laravels_own_fakes_hold_after_the_first_emit_too(): void
    {
        foreach (['queue', 'sync', 'defer'] as $delivery) {
            Msab::toUser(1)->via($delivery)->emit(new BalanceUpdated);
        }
        Bus::fake();
        Event::fake([EventEmitted::class, EmitFailed::class]);
        Exceptions::fake();
        config(['msab.connections.default.transport' => 'none']);
        $this->app->forgetInstance(Transports::class);

        Msab::toUser(2)->emit(new BalanceUpdated);
        Bus::assertDispatchedTimes(EmitJob::class, 1);
        Msab::toUser(3)->via('sync')->emit(new BalanceUpdated);
        Event::assertDispatched(EmitFailed::class, fn (EmitFailed $event) => $event->envelope?->audience === 'user:3');
        Exceptions::assertReported(\InvalidArgumentException::class);
    }

    public function test_an_event_of_the_contract_is_no_custom_event(): void
    {
        $this->expectException(InvalidEvent::class);
        $this->expectExceptionMessage('balance.updated is an event of the contract: emit a '.BalanceUpdated::class);

        Msab::toUser(1)->emit(Msab::custom('balance.updated', ['user_id' => 1, 'coins' => '1']));
    }

    public function test_an_empty_setting_of_strictness_is_none(): void
    {
        config(['msab.strict' => '']);  // MSAB_STRICT=
        $this->expectException(InvalidEvent::class);

        Msab::toUser(42)->emit(new BadgeEarned(null));
    }

    public function test_the_builder_is_immutable(): void
    {
        $base = Msab::toUser(42);
        $named = $base->id('a-1')->ttl(60);
        $base->emit(new BalanceUpdated);
        $named->emit(new BalanceUpdated);
        $named->ttl(CarbonInterval::minutes(2))->emit(new BalanceUpdated);

        [$plain, $first, $second] = $this->pushed();
        $this->assertNull($plain->expiresAtMs);
        $this->assertSame('a-1', $first->eventId);
        $this->assertSame($first->occurredAtMs + 60_000, $first->expiresAtMs);
        $this->assertSame($second->occurredAtMs + 120_000, $second->expiresAtMs);
        $this->assertSame(120, (int) self::decode($second)->getTtl()->getSeconds());
    }

    public function test_to_others_leaves_out_the_connection_of_the_request(): void
    {
        request()->headers->set('X-Socket-ID', 'c-17');
        Msab::toUser(42)->toOthers()->emit(new BalanceUpdated);
        request()->headers->remove('X-Socket-ID');
        Msab::toUser(42)->toOthers()->emit(new BalanceUpdated);

        [$except, $all] = $this->pushed();
        $this->assertSame('c-17', self::decode($except)->getExceptConnectionId());
        $this->assertSame('', self::decode($all)->getExceptConnectionId());
    }

    /** What a client puts into the header must not cost anybody the event. */
    public function test_a_header_that_is_no_connection_id_leaves_out_nobody(): void
    {
        foreach ([str_repeat('x', 129), "c-\xff", "c-1\tc-2", 'ü'] as $header) {
            request()->headers->set('X-Socket-ID', $header);
            Msab::toUser(42)->toOthers()->emit(new BalanceUpdated);
        }
        request()->headers->remove('X-Socket-ID');

        $this->assertCount(4, $this->pushed());
        foreach ($this->pushed() as $envelope) {
            $this->assertSame('', self::decode($envelope)->getExceptConnectionId());
        }
        $this->expectExceptionMessage('except_connection_id: ');
        Msab::toUser(42)->toOthers(str_repeat('x', 129))->emit(new BalanceUpdated);
    }

    public function test_a_payload_larger_than_the_relay_takes_is_invalid(): void
    {
        $ids = array_map(fn (int $i) => str_pad((string) $i, 256, 'x'), range(1, 300));
        Msab::emit(new AssetInvalidate(array_slice($ids, 0, 250)));
        Msab::emit(new AssetInvalidate(array_fill(0, 40, str_repeat("\u{1}", 256))));
        foreach ([$ids, array_fill(0, 50, str_repeat("\u{1}", 256))] as $tooMany) {
            try {
                Msab::emit(new AssetInvalidate($tooMany));
                $this->fail('not refused');
            } catch (InvalidEvent $exception) {
                $this->assertSame('payload', $exception->violations[0]->field);
                $this->assertStringContainsString('must be at most 65536', $exception->getMessage());
            }
        }
        $this->assertCount(2, $this->pushed());
    }

    public function test_queue_delay_and_time_are_the_emits_own(): void
    {
        CarbonImmutable::setTestNow('2026-01-01 00:00:00.250');
        config(['msab.queue.queue' => 'relay']);

        Msab::toUser(42)->emit(new BalanceUpdated);
        Msab::toUser(42)->onQueue('high')->delay(30)->emit(new BalanceUpdated);
        Msab::toUser(42)->occurredAt(now()->subMinute())->emit(new BalanceUpdated);

        $jobs = Queue::pushed(EmitJob::class);
        $this->assertSame('relay', $jobs[0]->queue);
        $this->assertNull($jobs[0]->delay);
        $this->assertSame('high', $jobs[1]->queue);
        $this->assertSame(30, $jobs[1]->delay);
        $this->assertSame(1767225600250, $jobs[0]->envelope->occurredAtMs);
        $this->assertSame(250_000_000, self::decode($jobs[0]->envelope)->getOccurredAt()->getNanos());
        $this->assertSame(1767225600250 - 60_000, $jobs[2]->envelope->occurredAtMs);
    }

    public function test_to_no_users_nothing_happens(): void
    {
        $this->assertNull(Msab::toUsers([])->emit(new AgencyDissolved(1, 'A')));
        $this->assertSame(0, Msab::toUsers([])->emitNow(new AgencyDissolved(1, 'A'))->usersTargeted);
        $this->assertSame([], $this->pushed());
    }

    public function test_more_than_ten_thousand_users_are_split_with_derived_ids(): void
    {
        $id = Msab::toUsers(range(1, 25_000))->id('dissolved-7')->emit(new AgencyDissolved(7, 'A'));
        Msab::toUsers(range(1, 10_001))->id(str_repeat('x', 128))->emit(new AgencyDissolved(7, 'A'));

        $this->assertSame('dissolved-7', $id);
        [$a, $b, $c, $d, $e] = $this->pushed();
        $this->assertSame(['dissolved-7/1', 'dissolved-7/2', 'dissolved-7/3'], [$a->eventId, $b->eventId, $c->eventId]);
        $this->assertCount(10_000, self::decode($b)->getTarget()->getUserIds()->getIds());
        $this->assertCount(5_000, self::decode($c)->getTarget()->getUserIds()->getIds());
        $this->assertSame(36, strlen($d->eventId));
        $this->assertNotSame($d->eventId, $e->eventId);
    }

    public function test_several_relays_each_have_a_name(): void
    {
        config(['msab.connections.eu' => ['transport' => 'null']]);

        Msab::connection('eu')->toUser(1)->emit(new BalanceUpdated);

        $this->assertSame('eu', $this->pushed()[0]->connection);
    }

    public function test_custom_events_carry_what_json_can_say(): void
    {
        Msab::toUser(1)->emit(Msab::custom('App\\Events\\OrderShipped', [
            'id' => 7, 'lines' => [['sku' => 'a', 'n' => 1.5], []], 'gift' => null, 'at' => CarbonImmutable::parse('2026-01-01 UTC'),
        ]));
        Msab::toRoom('lobby')->emit(Msab::custom('order.empty'));

        [$first, $second] = $this->pushed();
        $custom = self::decode($first)->getCustom();
        $this->assertSame('App\\Events\\OrderShipped', $custom->getName());
        $this->assertSame(
            '{"id":7,"lines":[{"sku":"a","n":1.5},[]],"gift":null,"at":"2026-01-01T00:00:00.000000Z"}',
            $custom->getPayload()->serializeToJsonString(),
        );
        $this->assertSame('{}', self::decode($second)->getCustom()->getPayload()->serializeToJsonString());
        foreach ([['x' => NAN], ['a', 'b'], ['x' => "\xff"]] as $payload) {
            try {
                Msab::toUser(1)->emit(Msab::custom('order.x', $payload));
                $this->fail('not refused');
            } catch (InvalidEvent $exception) {
                $this->assertSame('custom.payload', $exception->violations[0]->field);
            }
        }
    }

    public function test_a_target_has_one_text_whatever_the_order(): void
    {
        $this->assertSame(Target::users([3, 1, 2])->text(), Target::users([1, 2, 3])->text());
        $this->assertNotSame(Target::users([1, 2])->text(), Target::users([1, 2, 3])->text());
        $this->assertSame('user:7', Target::users([7])->text());
        $this->assertSame('user:7@room:9', Target::userInRoom(7, 9)->text());
        $this->assertSame(Target::room('42')->text(), Target::room(42)->text());
    }
}
