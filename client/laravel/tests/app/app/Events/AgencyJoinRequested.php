<?php

namespace App\Events;

use App\Models\AgencyJoinRequest;
use Illuminate\Foundation\Events\Dispatchable;

/** Somebody wants to join the agency. */
final readonly class AgencyJoinRequested
{
    use Dispatchable;

    public function __construct(
        public AgencyJoinRequest $request,
    ) {}
}
