<?php

namespace App\Listeners;

use App\Events\AgencyMemberKicked;
use Msab\Laravel\Events as Relay;
use Msab\Laravel\Facades\Msab;

/** `agency.member_kicked`, to that member. */
final class RelayAgencyMemberKicked
{
    public function handle(AgencyMemberKicked $event): void
    {
        Msab::toUser($event->member)->emit(new Relay\AgencyMemberKicked(
            agencyId: $event->agency->id,
            agencyName: $event->agency->name,
            reason: $event->reason,
        ));
    }
}
