<?php

declare(strict_types=1);

namespace Msab\Laravel;

use Illuminate\Container\Container;
use Illuminate\Contracts\Foundation\Application;
use Msab\Laravel\Contract\RelayEvent;
use Msab\Laravel\Contract\Target;
use Msab\Laravel\Delivery\DeliveryManager;
use Msab\Laravel\Delivery\Outcomes;
use Msab\Laravel\Exceptions\InvalidEvent;
use Msab\Laravel\Support\Strictness;
use Msab\Laravel\Transport\EmitFailure;
use Msab\Laravel\Transport\EmitResult;
use Msab\Laravel\Transport\Transport;

/** One relay, as `msab.connections` names it. */
class Relay
{
    public function __construct(
        public readonly string $name,
        protected readonly Application $app,
        private readonly \Closure $transport,
    ) {}

    /** All connections of one user: a model, or its key. */
    public function toUser(mixed $user): PendingEmit
    {
        return $this->to(fn () => Target::user($user));
    }

    /**
     * All connections of each of these users. None: nothing happens. Over 10,000: several emits, each
     * with an id derived from this one's.
     *
     * @param  iterable<mixed>  $users  models, or their keys
     */
    public function toUsers(iterable $users): PendingEmit
    {
        return $this->to(fn () => Target::users($users));
    }

    /** All connections in a room: a model, its key, or a name. */
    public function toRoom(mixed $room): PendingEmit
    {
        return $this->to(fn () => Target::room($room));
    }

    /** One user's connections in one room. */
    public function toUserInRoom(mixed $user, mixed $room): PendingEmit
    {
        return $this->to(fn () => Target::userInRoom($user, $room));
    }

    /** Every authenticated connection. */
    public function toEveryone(): PendingEmit
    {
        return $this->to(fn () => Target::everyone());
    }

    /**
     * Emits an event whose payload names its user or room, or that is for everyone.
     *
     * @return string|null as {@see PendingEmit::emit()}
     */
    public function emit(RelayEvent|PendingEmit|\Closure $event): ?string
    {
        return $event instanceof PendingEmit ? $event->emit() : (new PendingEmit($this))->emit($event);
    }

    /** At once, as {@see PendingEmit::emitNow()}. */
    public function emitNow(RelayEvent|PendingEmit|\Closure $event, ?float $deadline = null): EmitResult
    {
        return $event instanceof PendingEmit
            ? $event->emitNow(deadline: $deadline)
            : (new PendingEmit($this))->emitNow($event, $deadline);
    }

    /** The head of the relay's stream; see {@see Transport::cursor()}. */
    public function cursor(): string
    {
        return $this->transport()->cursor();
    }

    public function transport(): Transport
    {
        return ($this->transport)();
    }

    /** @internal for {@see PendingEmit::emit()} */
    public function hand(PendingEmit $pending): ?string
    {
        $name = 'event';
        try {
            $emission = $this->compose($pending, $name);
        } catch (\Throwable $exception) {
            $this->refuse($exception, $name);

            return null;
        }
        if ($emission === null) {
            return null;
        }
        $this->deliver($emission);

        return $emission->eventId;
    }

    /**
     * @internal what becomes of an event that broke the contract
     *
     * @throws \Throwable the same, where `msab.strict`
     */
    public function refuse(\Throwable $exception, string $eventName = ''): void
    {
        if ($this->app->make(Strictness::class)->isOn()) {
            throw $exception;
        }
        $name = $exception instanceof InvalidEvent ? $exception->eventName : $eventName;
        $this->app->make(Outcomes::class)->dropped($name, $exception);
    }

    /** @internal for {@see PendingEmit::emitNow()} */
    public function send(PendingEmit $pending, ?float $deadline): EmitResult
    {
        $emission = $this->compose($pending);

        return $emission === null ? new EmitResult('') : $this->deliverNow($emission, $deadline);
    }

    /** @internal the `X-Socket-ID` of the request under way */
    public function currentConnectionId(): ?string
    {
        // The application of the request under way, which under Octane is not the one that made this.
        $app = Container::getInstance();

        return EmitOptions::connectionId($app->bound('request') ? $app->make('request')->header('X-Socket-ID') : null);
    }

    protected function deliver(Emission $emission): void
    {
        try {
            $delivery = $this->app->make(DeliveryManager::class)->driver($emission->options->delivery);
        } catch (\InvalidArgumentException $exception) {
            $this->undeliverable($emission, $exception);

            return;
        }
        foreach ($emission->envelopes as $envelope) {
            $delivery->deliver($envelope);
        }
    }

    /** The configuration names a delivery that is none: no reason to fail a user's request either. */
    private function undeliverable(Emission $emission, \InvalidArgumentException $exception): void
    {
        if ($this->app->make(Strictness::class)->isOn()) {
            throw $exception;
        }
        foreach ($emission->envelopes as $envelope) {
            $this->app->make(Outcomes::class)->failed($envelope, $exception);
        }
    }

    protected function deliverNow(Emission $emission, ?float $deadline): EmitResult
    {
        if (count($emission->envelopes) === 1) {
            return $this->transport()->emit($emission->envelopes[0]->bytes, $deadline);
        }
        $results = $this->transport()->emitBatch(array_column($emission->envelopes, 'bytes'), $deadline);
        $accepted = [];
        foreach ($results as $result) {
            if ($result instanceof EmitFailure) {
                throw $result->toException();
            }
            $accepted[] = $result;
        }

        return EmitResult::sum($emission->eventId, $accepted);
    }

    /** @param  string  $name out: the event's, as soon as it is known */
    private function compose(PendingEmit $pending, string &$name = ''): ?Emission
    {
        $event = $pending->event instanceof \Closure ? ($pending->event)() : $pending->event;
        if (! $event instanceof RelayEvent) {
            throw InvalidEvent::because('event', 'event', 'is required: give emit() an event of Msab\Laravel\Events, or Msab::custom()');
        }
        $name = $event->eventName();

        return EmissionFactory::make($this->name, $event, $pending->target, $pending->options);
    }

    private function to(\Closure $target): PendingEmit
    {
        try {
            return new PendingEmit($this, $target());
        } catch (InvalidEvent $fault) {
            return new PendingEmit($this, $fault);
        }
    }
}
