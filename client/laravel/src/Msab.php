<?php

declare(strict_types=1);

namespace Msab\Laravel;

use Illuminate\Contracts\Auth\Authenticatable;
use Illuminate\Contracts\Foundation\Application;
use Msab\Laravel\Contract\CustomEvent;
use Msab\Laravel\Contract\RelayEvent;
use Msab\Laravel\Token\TokenIssuer;
use Msab\Laravel\Transport\EmitResult;
use Msab\Laravel\Transport\Transports;

/** The relays of `msab.connections`; what the facade stands for. Speaks to the default one itself. */
class Msab
{
    /** @var array<string, Relay> */
    private array $relays = [];

    public function __construct(protected readonly Application $app) {}

    /** @param  string|null  $name as in `msab.connections`; null: `msab.default` */
    public function connection(?string $name = null): Relay
    {
        $name ??= (string) $this->app->make('config')->get('msab.default', 'default');

        return $this->relays[$name] ??= $this->relay($name);
    }

    /** {@see Relay::toUser()} */
    public function toUser(mixed $user): PendingEmit
    {
        return $this->connection()->toUser($user);
    }

    /**
     * {@see Relay::toUsers()}
     *
     * @param  iterable<mixed>  $users
     */
    public function toUsers(iterable $users): PendingEmit
    {
        return $this->connection()->toUsers($users);
    }

    /** {@see Relay::toRoom()} */
    public function toRoom(mixed $room): PendingEmit
    {
        return $this->connection()->toRoom($room);
    }

    /** {@see Relay::toUserInRoom()} */
    public function toUserInRoom(mixed $user, mixed $room): PendingEmit
    {
        return $this->connection()->toUserInRoom($user, $room);
    }

    /** {@see Relay::toEveryone()} */
    public function toEveryone(): PendingEmit
    {
        return $this->connection()->toEveryone();
    }

    /** {@see Relay::emit()} */
    public function emit(RelayEvent|PendingEmit|\Closure $event): ?string
    {
        return $this->connection()->emit($event);
    }

    /** {@see Relay::emitNow()} */
    public function emitNow(RelayEvent|PendingEmit|\Closure $event, ?float $deadline = null): EmitResult
    {
        return $this->connection()->emitNow($event, $deadline);
    }

    /**
     * An event that the relay's configuration allows under `[[custom_events]]`.
     *
     * @param  array<array-key, mixed>  $payload
     */
    public function custom(string $name, array $payload = []): CustomEvent
    {
        return new CustomEvent($name, $payload);
    }

    /** {@see Relay::cursor()} */
    public function cursor(): string
    {
        return $this->connection()->cursor();
    }

    /**
     * A token for the user to connect to the relay with, as a JWT.
     *
     * @throws \InvalidArgumentException if the user's key is no positive integer, or no key to sign with is configured
     */
    public function tokenFor(Authenticatable $user): string
    {
        return $this->app->make(TokenIssuer::class)->issue($user)->jwt;
    }

    protected function relay(string $name): Relay
    {
        return new Relay($name, $this->app, fn () => $this->app->make(Transports::class)->get($name));
    }
}
