<?php

namespace App\Listeners;

use App\Events\AgencyJoinRequestRejected;
use Msab\Laravel\Events as Relay;
use Msab\Laravel\Facades\Msab;

/** `agency.join_request_rejected`, to who asked. */
final class RelayAgencyJoinRequestRejected
{
    public function handle(AgencyJoinRequestRejected $event): void
    {
        Msab::toUser($event->request->user_id)->emit(new Relay\AgencyJoinRequestRejected(
            agencyId: $event->request->agency->id,
            agencyName: $event->request->agency->name,
        ));
    }
}
