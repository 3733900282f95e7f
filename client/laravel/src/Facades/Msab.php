<?php

declare(strict_types=1);

namespace Msab\Laravel\Facades;

use Illuminate\Support\Facades\Facade;
use Msab\Laravel\Testing\MsabFake;

/**
 * @method static \Msab\Laravel\Relay connection(string|null $name = null)
 * @method static \Msab\Laravel\PendingEmit toUser(mixed $user)
 * @method static \Msab\Laravel\PendingEmit toUsers(iterable<mixed> $users)
 * @method static \Msab\Laravel\PendingEmit toRoom(mixed $room)
 * @method static \Msab\Laravel\PendingEmit toUserInRoom(mixed $user, mixed $room)
 * @method static \Msab\Laravel\PendingEmit toEveryone()
 * @method static string|null emit(\Msab\Laravel\Contract\RelayEvent|\Msab\Laravel\PendingEmit|\Closure $event)
 * @method static \Msab\Laravel\Transport\EmitResult emitNow(\Msab\Laravel\Contract\RelayEvent|\Msab\Laravel\PendingEmit|\Closure $event, float|null $deadline = null)
 * @method static \Msab\Laravel\Contract\CustomEvent custom(string $name, array<array-key, mixed> $payload = [])
 * @method static string cursor()
 * @method static string tokenFor(\Illuminate\Contracts\Auth\Authenticatable $user)
 *
 * @see \Msab\Laravel\Msab
 */
final class Msab extends Facade
{
    /** Records emits instead of sending them; they are checked all the same. */
    public static function fake(): MsabFake
    {
        $fake = new MsabFake(app());
        self::swap($fake);

        return $fake;
    }

    protected static function getFacadeAccessor(): string
    {
        return \Msab\Laravel\Msab::class;
    }
}
