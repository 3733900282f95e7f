<?php

namespace App\Events;

use App\Models\AgencyInvitation;
use Illuminate\Foundation\Events\Dispatchable;

/** A member invited somebody into the agency. */
final readonly class UserInvitedToAgency
{
    use Dispatchable;

    public function __construct(
        public AgencyInvitation $invitation,
    ) {}
}
