<?php

namespace App\Events;

use App\Models\Room;
use Illuminate\Foundation\Events\Dispatchable;

/** A room has a new level. */
final readonly class RoomLeveledUp
{
    use Dispatchable;

    public function __construct(
        public Room $room,
    ) {}
}
