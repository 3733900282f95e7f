<?php

namespace App\Listeners;

use App\Events\UserInvitedToAgency;
use Msab\Laravel\Events\AgencyInvitation;
use Msab\Laravel\Events\AgencyInvitation\Agency;
use Msab\Laravel\Events\AgencyInvitation\Inviter;
use Msab\Laravel\Facades\Msab;

/** `agency.invitation`, to the invited user. */
final class RelayAgencyInvitation
{
    public function handle(UserInvitedToAgency $event): void
    {
        $invitation = $event->invitation;
        Msab::toUser($invitation->user_id)->id("invitation-$invitation->id")->emit(new AgencyInvitation(
            invitationId: $invitation->id,
            agency: new Agency($invitation->agency->id, $invitation->agency->name, $invitation->agency->logo),
            invitedBy: new Inviter($invitation->inviter->id, $invitation->inviter->name),
        ));
    }
}
