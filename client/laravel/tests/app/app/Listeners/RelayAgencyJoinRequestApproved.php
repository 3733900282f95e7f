<?php

namespace App\Listeners;

use App\Events\AgencyJoinRequestApproved;
use Msab\Laravel\Events as Relay;
use Msab\Laravel\Facades\Msab;

/** `agency.join_request_approved`, to who asked. */
final class RelayAgencyJoinRequestApproved
{
    public function handle(AgencyJoinRequestApproved $event): void
    {
        Msab::toUser($event->request->user_id)->emit(new Relay\AgencyJoinRequestApproved(
            agencyId: $event->request->agency->id,
            agencyName: $event->request->agency->name,
        ));
    }
}
