<?php

declare(strict_types=1);

namespace Msab\Laravel;

use Carbon\CarbonImmutable;
use Carbon\CarbonInterval;
use Msab\Laravel\Contract\RelayEvent;
use Msab\Laravel\Contract\Target;
use Msab\Laravel\Exceptions\InvalidEvent;
use Msab\Laravel\Transport\EmitResult;

/**
 * An emit being put together. Immutable: each method answers another one, so that one can be kept
 * and emitted to several times.
 */
final class PendingEmit
{
    /**
     * @internal Begin with {@see Msab::toUser()} and its like.
     *
     * @param  Target|InvalidEvent|null  $target  null: what the event's payload names; a fault of the
     *                                            target's is kept and told by `emit()`, which knows
     *                                            whether to throw it
     */
    public function __construct(
        private readonly Relay $relay,
        public readonly Target|InvalidEvent|null $target = null,
        public readonly RelayEvent|\Closure|null $event = null,
        public readonly EmitOptions $options = new EmitOptions,
    ) {}

    /** The event that `emit()` without an argument emits; a closure is asked for it then. */
    public function event(RelayEvent|\Closure $event): self
    {
        return new self($this->relay, $this->target, $event, $this->options);
    }

    /** Makes the emit idempotent: a second one with this id changes nothing. 1 to 128 bytes. */
    public function id(string $eventId): self
    {
        return $this->with(['eventId' => $eventId]);
    }

    /** How long after it happened it may still be delivered: seconds, or an interval. */
    public function ttl(int|float|\DateInterval $ttl): self
    {
        $ms = $ttl instanceof \DateInterval
            ? CarbonInterval::instance($ttl)->totalMilliseconds
            : $ttl * 1000;

        return $this->with(['ttlMs' => (int) round($ms)]);
    }

    /** When it happened, if not now. Of two balances the one that happened later counts. */
    public function occurredAt(\DateTimeInterface $time): self
    {
        return $this->with(['occurredAt' => CarbonImmutable::instance($time)]);
    }

    /**
     * To all but the connection whose request this is: the client sends its `connectionId` as
     * `X-Socket-ID`. Without such a header: to all.
     *
     * @param  string|null  $connectionId  if it is known from elsewhere
     */
    public function toOthers(?string $connectionId = null): self
    {
        return $this->with(['exceptConnectionId' => $connectionId ?? $this->relay->currentConnectionId()]);
    }

    /** The queue to use, where the delivery has queues. */
    public function onQueue(\UnitEnum|string|null $queue): self
    {
        return $this->with(['queue' => match (true) {
            $queue instanceof \BackedEnum => (string) $queue->value,
            $queue instanceof \UnitEnum => $queue->name,
            default => $queue,
        }]);
    }

    /** Sends it later: seconds, an interval, or a time. Its `occurred_at` stays the time of `emit()`. */
    public function delay(int|\DateInterval|\DateTimeInterface $delay): self
    {
        $seconds = match (true) {
            is_int($delay) => $delay,
            $delay instanceof \DateInterval => (int) ceil(CarbonInterval::instance($delay)->totalSeconds),
            default => $delay->getTimestamp() - now()->getTimestamp(),
        };

        return $this->with(['delaySeconds' => max(0, $seconds)]);
    }

    /** Another delivery than the configured one: `queue`, `outbox`, `defer` or `sync`. */
    public function via(string $delivery): self
    {
        return $this->with(['delivery' => $delivery]);
    }

    /**
     * Hands the event over for delivery. Never in the way: what fails from here on is reported, not
     * thrown; but an event that breaks the contract throws where `msab.strict` (outside production).
     *
     * @return string|null the event's id; null where there was nobody to emit to, or the event was dropped
     *
     * @throws InvalidEvent where `msab.strict`
     */
    public function emit(RelayEvent|\Closure|null $event = null): ?string
    {
        return $this->relay->hand($event === null ? $this : $this->event($event));
    }

    /**
     * Emits at once, whatever transaction is open, and waits for the answer.
     *
     * @param  float|null  $deadline  seconds; null: as configured
     *
     * @throws InvalidEvent|Exceptions\RelayException always, whatever `msab.strict` says
     */
    public function emitNow(RelayEvent|\Closure|null $event = null, ?float $deadline = null): EmitResult
    {
        return $this->relay->send($event === null ? $this : $this->event($event), $deadline);
    }

    /** @param  array<string, mixed>  $changes */
    private function with(array $changes): self
    {
        return new self($this->relay, $this->target, $this->event, $this->options->with($changes));
    }
}
