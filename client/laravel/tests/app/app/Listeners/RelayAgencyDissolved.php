<?php

namespace App\Listeners;

use App\Events\AgencyDissolved;
use Msab\Laravel\Events as Relay;
use Msab\Laravel\Facades\Msab;

/** `agency.dissolved`, to all members in one emit. */
final class RelayAgencyDissolved
{
    public function handle(AgencyDissolved $event): void
    {
        Msab::toUsers($event->memberIds)->emit(new Relay\AgencyDissolved(
            agencyId: $event->agency->id,
            agencyName: $event->agency->name,
        ));
    }
}
