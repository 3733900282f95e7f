<?php

declare(strict_types=1);

namespace Msab\Laravel\Testing;

use Illuminate\Support\Collection;
use Illuminate\Support\Traits\ReflectsClosures;
use Msab\Laravel\Contract\RelayEvent;
use Msab\Laravel\Contract\Target;
use Msab\Laravel\Emission;
use Msab\Laravel\Msab;
use Msab\Laravel\Relay;
use Msab\Laravel\Transport\EmitResult;
use PHPUnit\Framework\Assert;

/**
 * Records emits instead of sending them, broadcasts included; checks them as ever, and records nothing
 * of a transaction that is rolled back.
 *
 * An event is named by its class, by its name as clients see it, or by a closure that takes it and
 * says whether it is the one.
 */
final class MsabFake extends Msab
{
    use ReflectsClosures;

    /** @var list<Emission> */
    private array $emissions = [];

    private ?int $usersOnline = null;

    /** How many of an emit's users are online from now on; without it, all of them. */
    public function usersOnline(int $count): self
    {
        $this->usersOnline = $count;

        return $this;
    }

    /**
     * @param  class-string<RelayEvent>|string|\Closure  $event
     * @param  (\Closure(RelayEvent, Emission): bool)|null  $callback  says whether it is the one
     */
    public function assertEmitted(string|\Closure $event, ?\Closure $callback = null): void
    {
        Assert::assertTrue(
            $this->emitted($event, $callback)->isNotEmpty(),
            $this->failure($event, 'was not emitted'),
        );
    }

    /**
     * @param  mixed  $target  a user: a model, or its key; or a {@see Target}; or its text: `room:42`,
     *                         `everyone`. Of several users each counts as a target.
     * @param  class-string<RelayEvent>|string|\Closure  $event
     */
    public function assertEmittedTo(mixed $target, string|\Closure $event, ?\Closure $callback = null): void
    {
        $emitted = $this->emitted($event, $callback)->filter(fn (Emission $emission) => self::isTo($emission, $target));
        $text = self::text($target);
        Assert::assertTrue($emitted->isNotEmpty(), $this->failure($event, "was not emitted to $text"));
    }

    public function assertEmittedTimes(string|\Closure $event, int $times = 1): void
    {
        $count = $this->emitted($event)->count();
        Assert::assertSame($times, $count, $this->failure($event, "was emitted $count times instead of $times"));
    }

    public function assertNotEmitted(string|\Closure $event, ?\Closure $callback = null): void
    {
        Assert::assertTrue(
            $this->emitted($event, $callback)->isEmpty(),
            $this->failure($event, 'was emitted'),
        );
    }

    public function assertNothingEmitted(): void
    {
        Assert::assertSame([], $this->emissions, $this->failure('Something', 'was emitted'));
    }

    /**
     * What was recorded of an event.
     *
     * @param  class-string<RelayEvent>|string|\Closure  $event
     * @return Collection<int, Emission>
     */
    public function emitted(string|\Closure $event, ?\Closure $callback = null): Collection
    {
        if ($event instanceof \Closure) {
            $callback = $event;
            $event = $this->firstClosureParameterType($event);
        }

        return Collection::make($this->emissions)->filter(
            fn (Emission $emission) => ($emission->event->eventName() === $event || $emission->event instanceof $event)
                && ($callback === null || $callback($emission->event, $emission)),
        )->values();
    }

    /** @internal */
    public function record(Emission $emission): void
    {
        $this->emissions[] = $emission;
    }

    /** @internal */
    public function result(Emission $emission): EmitResult
    {
        $targeted = max(1, count($emission->target->userIds));
        $online = min($targeted, $this->usersOnline ?? $targeted);

        return new EmitResult(
            $emission->eventId,
            '0-'.count($this->emissions),
            usersTargeted: $targeted,
            usersOnline: $online,
            connections: $online,
        );
    }

    protected function relay(string $name): Relay
    {
        return new FakeRelay($name, $this->app, $this);
    }

    private static function isTo(Emission $emission, mixed $target): bool
    {
        $text = self::text($target);
        $users = array_map(fn (int $id) => "user:$id", $emission->target->roomId === null ? $emission->target->userIds : []);

        return $emission->target->text() === $text || in_array($text, $users, true);
    }

    private static function text(mixed $target): string
    {
        return match (true) {
            $target instanceof Target => $target->text(),
            is_string($target) && preg_match('/^\d+$/', $target) !== 1 => $target,
            default => Target::user($target)->text(),
        };
    }

    private function failure(string|\Closure $event, string $what): string
    {
        $name = $event instanceof \Closure ? $this->firstClosureParameterType($event) : $event;
        $emitted = array_map(
            fn (Emission $emission) => "{$emission->event->eventName()} to {$emission->target->text()}",
            $this->emissions,
        );

        return "$name $what. Emitted: ".($emitted === [] ? 'nothing' : implode(', ', $emitted)).'.';
    }
}
