<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Feature;

use App\Events\BalanceBroadcast;
use App\Events\OrderShipped;
use App\Models\Stage;
use App\Models\User;
use Illuminate\Broadcasting\AnonymousEvent;
use Illuminate\Broadcasting\PrivateChannel;
use Illuminate\Support\Facades\Broadcast;
use Illuminate\Support\Facades\DB;
use Illuminate\Support\Facades\Event;
use Illuminate\Support\Facades\Exceptions;
use Msab\Laravel\Broadcasting\MsabBroadcaster;
use Msab\Laravel\Contract\Target;
use Msab\Laravel\Delivery\EmitFailed;
use Msab\Laravel\Exceptions\InvalidEvent;
use Msab\Laravel\Facades\Msab;
use Msab\Laravel\Relay;
use Msab\Laravel\Tests\Support\AnsweringTransport;
use Msab\Laravel\Tests\TestCase;
use Msab\Laravel\Transport\EmitFailure;
use Msab\Laravel\Transport\StatusCode;
use Msab\V1\EmitEventRequest;

final class BroadcastTest extends TestCase
{
    private AnsweringTransport $transport;

    protected function setUp(): void
    {
        parent::setUp();
        $this->migrate();
        $this->transport = new AnsweringTransport;
        Msab::swap(new class($this->app, $this->transport) extends \Msab\Laravel\Msab
        {
            public function __construct($app, private readonly AnsweringTransport $transport)
            {
                parent::__construct($app);
            }

            protected function relay(string $name): Relay
            {
                return new Relay($name, $this->app, fn () => $this->transport);
            }
        });
    }

    /** @return list<EmitEventRequest> */
    private function sent(): array
    {
        return array_map(function (string $bytes) {
            $request = new EmitEventRequest;
            $request->mergeFromString($bytes);

            return $request;
        }, $this->transport->sent);
    }

    private function work(): void
    {
        $this->artisan('queue:work', ['--once' => true, '--sleep' => 0, '--tries' => 3])->run();
    }

    public function test_the_connection_needs_no_configuration(): void
    {
        $this->assertInstanceOf(MsabBroadcaster::class, Broadcast::connection());
    }

    public function test_a_name_of_the_contract_goes_out_typed_and_others_as_custom_events(): void
    {
        $user = User::create(['name' => 'A', 'coins' => 9]);
        BalanceBroadcast::dispatch($user);
        OrderShipped::dispatch(7, $user->id);
        $this->work();
        $this->work();

        [$balance, $toUser, $toRoom] = $this->sent();
        $this->assertSame('balance_updated', $balance->getEvent());
        $this->assertSame('9', $balance->getBalanceUpdated()->getCoins());
        $this->assertSame($user->id, (int) $balance->getBalanceUpdated()->getUserId());
        $this->assertSame('App\\Events\\OrderShipped', $toUser->getCustom()->getName());
        $this->assertSame($user->id, (int) $toUser->getTarget()->getUserId());
        $this->assertSame('private-orders.7', $toRoom->getTarget()->getRoomId());
        $this->assertNotSame($toUser->getEventId(), $toRoom->getEventId());
    }

    public function test_models_broadcast_what_becomes_of_them(): void
    {
        $stage = new Stage;
        $stage->forceFill(['id' => 7, 'name' => 'Main'])->save();
        $this->work();
        $stage->delete();  // at once, by Laravel: there will be no model for a job

        [$toUser, $toRoom, $deleted] = $this->sent();
        $this->assertSame('StageCreated', $toUser->getCustom()->getName());
        $this->assertSame(5, (int) $toUser->getTarget()->getUserId());
        $this->assertSame('private-App.Models.Stage.7', $toRoom->getTarget()->getRoomId());
        $this->assertSame('{"name":"Main"}', $toRoom->getCustom()->getPayload()->serializeToJsonString());
        $this->assertSame('StageDeleted', $deleted->getCustom()->getName());
    }

    public function test_every_attempt_of_a_job_sends_the_same_bytes(): void
    {
        OrderShipped::dispatch(7, 1);
        // As after a worker that was killed: the same job, once more.
        $payload = DB::table('jobs')->first();
        $this->work();
        $this->travel(5)->seconds();
        DB::table('jobs')->insert(['attempts' => 1] + (array) $payload);
        $this->work();

        $this->assertCount(4, $this->transport->sent);
        $this->assertSame($this->transport->sent[0], $this->transport->sent[2]);
        $this->assertSame($this->transport->sent[1], $this->transport->sent[3]);
    }

    public function test_two_dispatches_of_the_same_are_two_events(): void
    {
        OrderShipped::dispatch(7, 1);
        OrderShipped::dispatch(7, 1);
        $this->work();
        $this->work();

        $ids = array_map(fn (EmitEventRequest $request) => $request->getEventId(), $this->sent());
        $this->assertCount(4, array_unique($ids));
    }

    public function test_broadcasts_within_another_job_have_ids_of_their_own(): void
    {
        dispatch(function () {
            Broadcast::private('user.1')->as('order.paid')->with(['n' => 1])->sendNow();
            Broadcast::private('user.1')->as('order.paid')->with(['n' => 1])->sendNow();
        });
        $this->work();

        $this->assertCount(2, array_unique(array_map(fn (EmitEventRequest $request) => $request->getEventId(), $this->sent())));
    }

    public function test_in_a_worker_a_relay_that_is_away_leaves_a_job_of_more_patience(): void
    {
        $this->transport->answers = [new EmitFailure(StatusCode::Unavailable, 'away')];
        BalanceBroadcast::dispatch(User::create(['name' => 'A']));
        $this->work();

        $this->assertSame(1, DB::table('jobs')->count());
        $this->assertStringContainsString('Msab emit balance.updated', DB::table('jobs')->value('payload'));
        $this->travel(2)->seconds();
        $this->work();
        $this->assertSame($this->transport->sent[0], $this->transport->sent[1]);
        $this->assertSame(0, DB::table('failed_jobs')->count());
    }

    public function test_a_broadcast_at_once_from_another_job_has_that_patience_too(): void
    {
        Event::fake([EmitFailed::class]);
        $this->transport->answers = [new EmitFailure(StatusCode::Unavailable, 'away')];
        dispatch(function () {
            DB::transaction(function () {
                Broadcast::private('user.1')->as('order.paid')->with(['n' => 1])->sendNow();
                Broadcast::private('user.2')->as('order.paid')->with(['n' => 2])->sendNow();
            });
            try {
                DB::transaction(function () {
                    Broadcast::private('user.3')->as('order.paid')->sendNow();
                    throw new \DomainException;
                });
            } catch (\DomainException) {
            }
        });
        $this->work();

        $this->assertStringContainsString('Msab emit order.paid', DB::table('jobs')->value('payload'));
        $this->travel(2)->seconds();
        $this->work();
        $this->assertSame([1, 2, 1], array_map(fn (EmitEventRequest $request) => (int) $request->getTarget()->getUserId(), $this->sent()));
        $this->assertSame($this->transport->sent[0], $this->transport->sent[2]);
        $this->assertSame([0, 0], [DB::table('jobs')->count(), DB::table('failed_jobs')->count()]);
        Event::assertNotDispatched(EmitFailed::class);
    }

    public function test_what_the_relay_refuses_of_another_jobs_broadcasts_fails_not_that_job(): void
    {
        Exceptions::fake();
        Event::fake([EmitFailed::class]);
        $this->transport->answers = [new EmitFailure(StatusCode::InvalidArgument, 'no such event')];
        dispatch(fn () => Broadcast::private('user.1')->as('unheard.of')->sendNow());
        $this->work();

        $this->assertSame([0, 0], [DB::table('jobs')->count(), DB::table('failed_jobs')->count()]);
        Event::assertDispatchedTimes(EmitFailed::class, 1);
        Exceptions::assertReportedCount(1);
    }

    public function test_in_a_worker_a_refused_broadcast_is_a_failed_job(): void
    {
        Exceptions::fake();
        Event::fake([EmitFailed::class]);
        $this->transport->answers = [new EmitFailure(StatusCode::InvalidArgument, 'no such event')];
        (new AnonymousEvent([new PrivateChannel('user.1')]))->as('unheard.of')->send();
        $this->work();

        $this->assertSame(0, DB::table('jobs')->count());
        $this->assertSame(1, DB::table('failed_jobs')->count());
        Event::assertDispatchedTimes(EmitFailed::class, 1);
    }

    public function test_in_a_request_a_broadcast_is_never_in_the_way(): void
    {
        Exceptions::fake();
        $this->transport->answers = [new EmitFailure(StatusCode::Unavailable, 'away')];

        Broadcast::on('everyone')->as('order.paid')->sendNow();
        $this->app['env'] = 'production';
        Broadcast::private('user.1')->as('balance.updated')->with(['coins' => 'many'])->sendNow();
        Broadcast::private('encrypted-user.1')->as('order.paid')->sendNow();

        Exceptions::assertReportedCount(3);
        $this->assertCount(1, $this->transport->sent);
    }

    public function test_a_payload_that_breaks_the_contract_names_its_fields(): void
    {
        try {
            Broadcast::private('user.1')->as('badge.earned')->with(['badge' => ['id' => 'x', 'name' => 'n', 'image_url' => 'u', 'category' => 'wealth', 'rank' => 1]])->sendNow();
            $this->fail('was accepted');
        } catch (InvalidEvent $exception) {
            $this->assertSame(['badge.rank', 'badge.id'], array_column($exception->violations, 'field'));
        }
    }

    public function test_to_others_leaves_out_the_socket_of_the_request(): void
    {
        request()->headers->set('X-Socket-ID', 'c-9');
        broadcast(new OrderShipped(7, 1))->toOthers();
        request()->headers->remove('X-Socket-ID');
        $this->work();

        $this->assertSame('c-9', $this->sent()[0]->getExceptConnectionId());
        $this->assertStringNotContainsString('socket', $this->sent()[0]->getCustom()->serializeToJsonString());
    }

    public function test_a_socket_header_that_is_no_connection_id_leaves_out_nobody(): void
    {
        request()->headers->set('X-Socket-ID', str_repeat('x', 129));
        broadcast(new OrderShipped(7, 1))->toOthers();
        request()->headers->remove('X-Socket-ID');
        $this->work();

        $this->assertSame('', $this->sent()[0]->getExceptConnectionId());
    }

    public function test_a_payload_that_is_no_json_is_called_that(): void
    {
        $this->expectException(InvalidEvent::class);
        $this->expectExceptionMessage('payload: can\'t be written as JSON');

        Broadcast::private('user.1')->as('balance.updated')->with(['coins' => "\xff"])->sendNow();
    }

    public function test_several_users_are_one_emit(): void
    {
        $fake = Msab::fake();
        (new AnonymousEvent([new PrivateChannel('user.1'), new PrivateChannel('user.2')]))->as('order.shipped')->send();
        $this->work();

        $fake->assertEmittedTimes('order.shipped', 1);
        $fake->assertEmittedTo(Target::users([1, 2]), 'order.shipped');
    }

    public function test_a_connection_may_be_of_another_relay(): void
    {
        config(['broadcasting.connections.eu' => ['driver' => 'msab', 'connection' => 'eu'], 'msab.connections.eu' => ['transport' => 'null']]);
        $fake = Msab::fake();
        Broadcast::private('user.1')->via('eu')->as('order.paid')->sendNow();

        $this->assertSame('eu', $fake->emitted('order.paid')[0]->envelopes[0]->connection);
    }

    public function test_channels_are_authorised_by_the_applications_callbacks(): void
    {
        $user = User::create(['name' => 'A']);
        $this->actingAs($user)->postJson('/broadcasting/auth', ['channel_name' => "private-App.Models.User.$user->id"])
            ->assertOk()->assertJson(['authorized' => true]);
        $this->actingAs($user)->postJson('/broadcasting/auth', ['channel_name' => 'private-App.Models.User.99'])->assertForbidden();
        $this->actingAs($user)->postJson('/broadcasting/auth', ['channel_name' => 'private-orders.2'])->assertForbidden();
    }
}
