<?php

namespace App\Listeners;

use App\Events\BadgeEarned;
use Msab\Laravel\Events as Relay;
use Msab\Laravel\Events\BadgeEarned\Badge;
use Msab\Laravel\Facades\Msab;

/** `badge.earned` */
final class RelayBadge
{
    public function handle(BadgeEarned $event): void
    {
        Msab::toUser($event->user)->emit(new Relay\BadgeEarned(new Badge(
            id: $event->badge->id,
            name: $event->badge->name,
            imageUrl: $event->badge->image_url,
            category: $event->badge->category,
        )));
    }
}
