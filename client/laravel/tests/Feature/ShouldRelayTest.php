<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Feature;

use Illuminate\Support\Facades\DB;
use Illuminate\Support\Facades\Exceptions;
use Msab\Laravel\Contract\RelayEvent;
use Msab\Laravel\Events\AgencyDissolved;
use Msab\Laravel\Events\BalanceUpdated;
use Msab\Laravel\Events\ConfigInvalidate;
use Msab\Laravel\Exceptions\InvalidEvent;
use Msab\Laravel\Facades\Msab;
use Msab\Laravel\PendingEmit;
use Msab\Laravel\ShouldRelay;
use Msab\Laravel\Tests\TestCase;

final class ShouldRelayTest extends TestCase
{
    private static function saying(\Closure $relays): ShouldRelay
    {
        return new class($relays) implements ShouldRelay
        {
            public function __construct(private readonly \Closure $relays) {}

            public function toRelay(): RelayEvent|PendingEmit|iterable|null
            {
                return ($this->relays)();
            }
        };
    }

    public function test_an_event_says_one_several_or_nothing(): void
    {
        $fake = Msab::fake();

        event(self::saying(fn () => null));
        $fake->assertNothingEmitted();
        event(self::saying(fn () => new BalanceUpdated(userId: 7)));
        event(self::saying(fn () => Msab::toUsers([1, 2])->event(new AgencyDissolved(1, 'A'))));
        event(self::saying(function () {
            yield new ConfigInvalidate('all');
            yield Msab::toUser(8)->event(new BalanceUpdated);
        }));

        $fake->assertEmittedTo(7, BalanceUpdated::class);
        $fake->assertEmittedTo(2, AgencyDissolved::class);
        $fake->assertEmittedTo('everyone', ConfigInvalidate::class);
        $fake->assertEmittedTo(8, BalanceUpdated::class);
    }

    public function test_it_is_asked_at_dispatch_and_sent_after_the_commit(): void
    {
        $fake = Msab::fake();
        $coins = '1';

        DB::transaction(function () use ($fake, &$coins) {
            event(self::saying(function () use (&$coins) {
                return new BalanceUpdated(userId: 7, coins: $coins);
            }));
            $coins = '2';
            $fake->assertNothingEmitted();
        });

        $fake->assertEmitted(fn (BalanceUpdated $event) => $event->coins === '1');
        $fake->assertEmittedTimes(BalanceUpdated::class, 1);
    }

    public function test_what_it_throws_fails_the_application_in_development_only(): void
    {
        Msab::fake();
        $broken = self::saying(fn () => throw new \DomainException('no such badge'));
        try {
            event($broken);
            $this->fail('not thrown');
        } catch (\DomainException) {
        }

        $this->app['env'] = 'production';
        Exceptions::fake();
        event($broken);
        event(self::saying(fn () => new BalanceUpdated));  // to nobody

        Exceptions::assertReported(\DomainException::class);
        Exceptions::assertReported(InvalidEvent::class);
    }
}
