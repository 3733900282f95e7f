<?php

namespace App\Events;

use App\Models\AgencyJoinRequest;
use Illuminate\Foundation\Events\Dispatchable;

/** The owner let somebody in. */
final readonly class AgencyJoinRequestApproved
{
    use Dispatchable;

    public function __construct(
        public AgencyJoinRequest $request,
    ) {}
}
