<?php

namespace App\Events;

use App\Models\AgencyJoinRequest;
use Illuminate\Foundation\Events\Dispatchable;

/** The owner did not let somebody in. */
final readonly class AgencyJoinRequestRejected
{
    use Dispatchable;

    public function __construct(
        public AgencyJoinRequest $request,
    ) {}
}
