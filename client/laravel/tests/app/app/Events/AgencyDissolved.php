<?php

namespace App\Events;

use App\Models\Agency;
use Illuminate\Foundation\Events\Dispatchable;

/** The agency is no more. Its members are named, because their memberships are gone. */
final readonly class AgencyDissolved
{
    use Dispatchable;

    public function __construct(
        public Agency $agency,
        public array $memberIds,
    ) {}
}
