<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Feature;

use Illuminate\Broadcasting\AnonymousEvent;
use Illuminate\Support\Facades\Broadcast;
use Illuminate\Support\Facades\DB;
use Illuminate\Support\Facades\Event;
use Msab\Laravel\Contract\CustomEvent;
use Msab\Laravel\Contract\Target;
use Msab\Laravel\Delivery\EventEmitted;
use Msab\Laravel\Emission;
use Msab\Laravel\Events\AgencyDissolved;
use Msab\Laravel\Events\BalanceUpdated;
use Msab\Laravel\Events\RoomLevelUp;
use Msab\Laravel\Exceptions\InvalidEvent;
use Msab\Laravel\Facades\Msab;
use Msab\Laravel\Tests\TestCase;
use PHPUnit\Framework\AssertionFailedError;

final class FakeTest extends TestCase
{
    public function test_it_records_and_asserts(): void
    {
        $fake = Msab::fake();
        $fake->assertNothingEmitted();

        $id = Msab::toUser(42)->emit(new BalanceUpdated(coins: '1500'));
        Msab::toRoom(7)->emit(new RoomLevelUp(2, '10'));
        Msab::toUsers([1, 2, 3])->emit(new AgencyDissolved(1, 'A'));

        $fake->assertEmitted(BalanceUpdated::class);
        $fake->assertEmitted('balance.updated', fn ($event, Emission $emission) => $emission->eventId === $id);
        $fake->assertEmitted(fn (BalanceUpdated $event) => $event->userId === 42 && $event->coins === '1500');
        $fake->assertEmittedTo(42, BalanceUpdated::class);
        $fake->assertEmittedTo('room:7', RoomLevelUp::class);
        $fake->assertEmittedTo(Target::users([3, 2, 1]), AgencyDissolved::class);
        $fake->assertEmittedTo(2, AgencyDissolved::class);
        $fake->assertEmittedTimes(BalanceUpdated::class, 1);
        $fake->assertNotEmitted(fn (BalanceUpdated $event) => $event->userId === 43);
        $fake->assertNotEmitted(CustomEvent::class);
    }

    public function test_its_assertions_can_fail(): void
    {
        $fake = Msab::fake();
        Msab::toUser(42)->emit(new BalanceUpdated);

        $wrong = [
            fn () => $fake->assertEmitted(RoomLevelUp::class),
            fn () => $fake->assertEmitted(fn (BalanceUpdated $event) => $event->userId === 1),
            fn () => $fake->assertEmittedTo(43, BalanceUpdated::class),
            fn () => $fake->assertEmittedTimes(BalanceUpdated::class, 2),
            fn () => $fake->assertNotEmitted('balance.updated'),
            fn () => $fake->assertNothingEmitted(),
        ];
        foreach ($wrong as $i => $assert) {
            try {
                $assert();
            } catch (AssertionFailedError $failure) {
                $this->assertStringContainsString('balance.updated to user:42', $failure->getMessage());

                continue;
            }
            $this->fail("assertion $i passed");
        }
    }

    public function test_it_checks_events_all_the_same(): void
    {
        Msab::fake();
        $this->expectException(InvalidEvent::class);

        Msab::toUser(42)->emit(new BalanceUpdated(coins: 'many'));
    }

    public function test_it_covers_broadcasts(): void
    {
        $fake = Msab::fake();

        (new AnonymousEvent(['private-user.42', 'private-App.Models.User.43']))->as('agency.dissolved')
            ->with(['agency_id' => 1, 'agency_name' => 'A'])->sendNow();
        Broadcast::private('orders.7')->as('order.shipped')->with(['id' => 7])->sendNow();

        $fake->assertEmittedTo(Target::users([42, 43]), AgencyDissolved::class);
        $fake->assertEmittedTo('room:private-orders.7', 'order.shipped', fn (CustomEvent $event) => $event->payload === ['id' => 7]);
    }

    public function test_it_records_nothing_of_a_rollback(): void
    {
        $fake = Msab::fake();
        DB::beginTransaction();
        Msab::toUser(42)->emit(new BalanceUpdated);
        DB::rollBack();

        $fake->assertNothingEmitted();
    }

    public function test_who_is_online_is_said_to_callers_and_listeners(): void
    {
        $fake = Msab::fake()->usersOnline(0);
        $offline = [];
        Event::listen(EventEmitted::class, function (EventEmitted $event) use (&$offline) {
            if ($event->result->usersOnline === 0) {
                $offline[] = $event->envelope->audience;
            }
        });

        Msab::toUser(42)->emit(new BalanceUpdated);
        $this->assertSame(['user:42'], $offline);
        $this->assertSame(0, Msab::toUser(42)->emitNow(new BalanceUpdated)->usersOnline);

        $fake->usersOnline(5);
        $this->assertSame(2, Msab::toUsers([1, 2])->emitNow(new AgencyDissolved(1, 'A'))->usersOnline);
    }
}
