<?php

namespace App\Listeners;

use App\Events\AgencyJoinRequested;
use Msab\Laravel\Events\AgencyJoinRequest;
use Msab\Laravel\Events\AgencyJoinRequest\Applicant;
use Msab\Laravel\Facades\Msab;

/** `agency.join_request`, to the agency's owner. */
final class RelayAgencyJoinRequest
{
    public function handle(AgencyJoinRequested $event): void
    {
        $request = $event->request;
        Msab::toUser($request->agency->owner_id)->emit(new AgencyJoinRequest(
            requestId: $request->id,
            user: new Applicant($request->user->id, $request->user->name, $request->user->avatar),
            message: $request->message,
        ));
    }
}
