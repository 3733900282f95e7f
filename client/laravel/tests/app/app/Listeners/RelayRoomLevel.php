<?php

namespace App\Listeners;

use App\Events\RoomLeveledUp;
use Msab\Laravel\Events\RoomLevelUp;
use Msab\Laravel\Facades\Msab;

/** `room.level_up` */
final class RelayRoomLevel
{
    public function handle(RoomLeveledUp $event): void
    {
        Msab::toRoom($event->room)->emit(new RoomLevelUp(
            newLevel: $event->room->level,
            newRoomXp: (string) $event->room->xp,
        ));
    }
}
